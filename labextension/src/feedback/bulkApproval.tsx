import * as React from 'react';

import { Field, Outcome } from '../instructor/parts';
import { useActions } from '../instructor/resource';
import { counted } from '../instructor/words';
import type { IDraftItem, IFeedbackClient } from './types';
import { percentText } from './words';

interface IBulkProps {
  client: IFeedbackClient;
  course: string;
  assignment: string;
  gradeId: string | null;
  items: readonly IDraftItem[];
  /** The least agreement that the settings allow, 0 to 1. */
  least: number;
  onApproved: () => Promise<void>;
}

/** Approve everything that is ready and on which the samples agree enough. */
export function BulkApproval(props: IBulkProps): JSX.Element | null {
  const { client, course, assignment, gradeId, items, least, onApproved } = props;
  const [wanted, setWanted] = React.useState(least);
  const [isAsked, setAsked] = React.useState(false);
  const actions = useActions();
  const threshold = Math.max(least, wanted);
  const count = approvable(items, threshold);
  const isFixed = least >= 1;
  const approve = (): void =>
    void actions.run(async () => {
      const { approved, skipped } = await client.approveAll(course, assignment, gradeId, threshold);
      setAsked(false);
      await onApproved();
      const rest = skipped > 0 ? `; ${skipped} left, because a person has judged them` : '';
      return `${counted(approved, 'draft is', 'drafts are')} approved${rest}.`;
    });
  if (!items.some(isOneOfMany) && actions.outcome === null) {
    return null;
  }
  return (
    <div className="jp-PPO-bulk" role="group" aria-label="Approve many">
      {isFixed ? (
        <p>
          <strong>Approve many</strong>
          <span className="jp-PPO-remark">
            Drafts on which all samples agree. An instructor may allow less under “Settings”; drafts
            with any other flag are never approved together.
          </span>
        </p>
      ) : (
        <Field
          label={`Least agreement: ${percentText(threshold)}`}
          hint={`The settings of this assignment allow ${percentText(least)} or more. Drafts with any flag but “disagreement” are never approved together.`}
        >
          {control => (
            <input
              {...control}
              type="range"
              name="threshold"
              min={least}
              max={1}
              step="any"
              value={threshold}
              aria-valuetext={percentText(threshold)}
              onChange={event => {
                setWanted(Number(event.target.value));
                setAsked(false);
              }}
              onKeyDown={event => {
                const step = STEPS[event.key];
                if (step !== undefined) {
                  event.preventDefault();
                  setWanted(Math.min(1, Math.max(least, threshold + step)));
                  setAsked(false);
                }
              }}
            />
          )}
        </Field>
      )}
      <div className="jp-PPO-actions">
        {isAsked ? (
          <>
            <button
              type="button"
              className="jp-PPO-button jp-mod-primary jp-PPO-bulkYes"
              disabled={actions.busy || count === 0}
              onClick={approve}
            >
              Yes, approve {count}
            </button>
            <button type="button" className="jp-PPO-button" onClick={() => setAsked(false)}>
              Back
            </button>
          </>
        ) : (
          <button
            type="button"
            className="jp-PPO-button jp-PPO-bulkApprove"
            disabled={actions.busy || count === 0}
            onClick={() => setAsked(true)}
          >
            Approve {counted(count, 'draft', 'drafts')}…
          </button>
        )}
      </div>
      <Outcome actions={actions} />
    </div>
  );
}

const STEPS: Partial<Record<string, number>> = {
  ArrowLeft: -0.01,
  ArrowDown: -0.01,
  ArrowRight: 0.01,
  ArrowUp: 0.01,
  PageDown: -0.1,
  PageUp: 0.1
};

/** How many of them can be approved together. */
export function approvable(items: readonly IDraftItem[], threshold: number): number {
  return items.filter(item => isOneOfMany(item) && item.agreement >= threshold).length;
}

/** Whether a draft may be approved with others: open, drafted, and flagged for nothing but
 * a difference between its samples, which is what the agreement measures. */
function isOneOfMany({ state, points, flags }: IDraftItem): boolean {
  const isOpen = state === 'ready' || state === 'flagged';
  return isOpen && points !== null && flags.every(flag => flag === 'disagreement');
}
