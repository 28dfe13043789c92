import * as React from 'react';

import { Outcome } from '../instructor/parts';
import { useActions } from '../instructor/resource';
import { counted } from '../instructor/words';
import type { IEstimate, IFeedbackClient, IScope } from './types';
import { estimateText, moneyText } from './words';

interface IStartProps {
  client: IFeedbackClient;
  course: string;
  assignment: string;
  gradeId: string | null;
  isRunning: boolean;
  /** Only the answers that are marked for the calibration, and how many those are. */
  forCalibration?: number;
  /** Go where answers are marked for the calibration. */
  onCalibrate?: () => void;
  onStarted: () => Promise<void>;
}

/** First what it costs, then the button that spends it. */
export function Start(props: IStartProps): JSX.Element {
  const { client, course, assignment, gradeId, isRunning, forCalibration, onStarted } = props;
  const [estimate, setEstimate] = React.useState<IEstimate | null>(null);
  const isFree = forCalibration !== undefined;
  const actions = useActions();
  const scope = React.useMemo<IScope>(
    () => ({
      ...(gradeId === null ? {} : { grade_id: gradeId }),
      ...(isFree ? { for_calibration: true } : {})
    }),
    [gradeId, isFree]
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
            {forCalibration === undefined
              ? 'Draft answers…'
              : `Draft ${counted(forCalibration, 'marked answer', 'marked answers')}…`}
          </button>
          {isRunning && <span className="jp-PPO-remark">A batch is running.</span>}
        </div>
      ) : (
        <Question
          estimate={estimate}
          busy={actions.busy}
          isFree={isFree}
          onCalibrate={props.onCalibrate}
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
  onCalibrate: (() => void) | undefined;
  onStart: () => void;
  onBack: () => void;
}

/** What would be done and what it costs, before anything is spent. */
function Question(props: IQuestionProps): JSX.Element {
  const { estimate, busy, isFree, onCalibrate, onStart, onBack } = props;
  const { skipped, cost, currency, left, calibrated, reason } = estimate;
  const isOver = cost > Math.min(left.course, left.assignment);
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
      {isOver && (
        <p className="jp-PPO-notice jp-mod-problem">
          That may be more than the caps leave; the batch would stop there and can go on later.
        </p>
      )}
      {reason !== '' && (
        <p className="jp-PPO-notice jp-mod-problem">
          {reason.replace(/^(grade_id|submissions|for_calibration): /, '')}
        </p>
      )}
      <div className="jp-PPO-actions">
        <button
          ref={start}
          type="button"
          className="jp-PPO-button jp-mod-primary jp-PPO-startBatch"
          disabled={busy || reason !== ''}
          onClick={onStart}
        >
          Start, for about {moneyText(cost, currency)}
        </button>
        {!isFree && !calibrated && reason !== '' && onCalibrate && (
          <button type="button" className="jp-PPO-button jp-PPO-calibrate" onClick={onCalibrate}>
            Calibrate first
          </button>
        )}
        <button type="button" className="jp-PPO-button" onClick={onBack}>
          Back
        </button>
      </div>
    </div>
  );
}
