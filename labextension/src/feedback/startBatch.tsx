import * as React from 'react';

import { Outcome } from '../instructor/parts';
import { useActions } from '../instructor/resource';
import type { IEstimate, IFeedbackClient, IScope } from './types';
import { estimateText, moneyText } from './words';

/** So many answers may be drafted before the calibration is passed. */
const FREE = 5;

interface IStartProps {
  client: IFeedbackClient;
  course: string;
  assignment: string;
  gradeId: string | null;
  isRunning: boolean;
  /** Only the answers that are marked for the calibration. */
  forCalibration?: boolean;
  onStarted: () => Promise<void>;
}

/** First what it costs, then the button that spends it. */
export function Start(props: IStartProps): JSX.Element {
  const { client, course, assignment, gradeId, isRunning, forCalibration, onStarted } = props;
  const [estimate, setEstimate] = React.useState<IEstimate | null>(null);
  const actions = useActions();
  const scope = React.useMemo<IScope>(
    () => ({
      ...(gradeId === null ? {} : { grade_id: gradeId }),
      ...(forCalibration ? { for_calibration: true } : {})
    }),
    [gradeId, forCalibration]
  );
  const ask = (): void =>
    void actions.run(async () => {
      setEstimate(await client.estimate(course, assignment, scope));
      return null;
    });
  const start = (): void =>
    void actions.run(async () => {
      const batch = await client.start(course, assignment, scope);
      setEstimate(null);
      await onStarted();
      return `Drafting has begun: ${batch.total} in all.`;
    });
  return (
    <div className="jp-PPO-startDrafts">
      {estimate === null ? (
        <div className="jp-PPO-actions">
          <button
            type="button"
            className="jp-PPO-button jp-PPO-estimate"
            disabled={actions.busy || isRunning}
            onClick={ask}
          >
            {forCalibration ? 'Draft these answers…' : 'Draft answers…'}
          </button>
          {isRunning && <span className="jp-PPO-remark">Another batch is running.</span>}
        </div>
      ) : (
        <Question
          estimate={estimate}
          busy={actions.busy}
          isFree={forCalibration === true}
          onStart={start}
          onBack={() => setEstimate(null)}
        />
      )}
      <Outcome actions={actions} />
    </div>
  );
}

interface IQuestionProps {
  estimate: IEstimate;
  busy: boolean;
  isFree: boolean;
  onStart: () => void;
  onBack: () => void;
}

/** What would be done and what it costs, before anything is spent. */
function Question({ estimate, busy, isFree, onStart, onBack }: IQuestionProps): JSX.Element {
  const { answers, skipped, cost, currency, left, calibrated, reason } = estimate;
  const isOver = cost > Math.min(left.course, left.assignment);
  const isBlocked = !isFree && ((!calibrated && answers > FREE) || reason !== '');
  const start = React.useRef<HTMLButtonElement>(null);
  React.useEffect(() => start.current?.focus(), []);
  return (
    <div className="jp-PPO-estimateBox" role="group" aria-label="What drafting costs">
      <p>
        <strong>{estimateText(estimate)}</strong>{' '}
        {skipped > 0 &&
          `${skipped} are left out: a person has judged them, or they are empty or too long.`}
      </p>
      <p className="jp-PPO-remark">
        The caps leave {moneyText(left.assignment, currency)} for this assignment and{' '}
        {moneyText(left.course, currency)} for the course. Nobody’s marks change before a person
        approves.
      </p>
      {isFree && (
        <p className="jp-PPO-remark">Of these only the answers that are marked are drafted.</p>
      )}
      {isOver && (
        <p className="jp-PPO-notice jp-mod-problem">
          That may be more than the caps leave; the batch would stop there and can go on later.
        </p>
      )}
      {!isFree && reason !== '' && <p className="jp-PPO-notice jp-mod-problem">{reason}</p>}
      <div className="jp-PPO-actions">
        <button
          ref={start}
          type="button"
          className="jp-PPO-button jp-mod-primary jp-PPO-startBatch"
          disabled={busy || answers === 0 || isBlocked}
          onClick={onStart}
        >
          Start, for about {moneyText(cost, currency)}
        </button>
        <button type="button" className="jp-PPO-button" onClick={onBack}>
          Back
        </button>
      </div>
    </div>
  );
}
