import * as React from 'react';

import { pointsText, scoreText } from '../format';
import { Check, Empty, Loaded } from './parts';
import { useLoaded } from './resource';
import type { IBatchItem, IInstructorClient, ISnapshot } from './types';
import { changeText, itemStateText } from './words';

interface IReportProps {
  client: IInstructorClient;
  batch: string;
  /** Changes with the batch's progress, so that the report is asked for again. */
  progress: string;
  onOpenFeedback: (submissionId: string) => void;
}

/** How many rows are drawn at once. */
const ROWS = 100;

/** What each submission of a batch scored before and after. */
export function BatchReport(props: IReportProps): JSX.Element {
  const { client, batch, progress, onOpenFeedback } = props;
  const [onlyChanged, setOnlyChanged] = React.useState(false);
  const [shown, setShown] = React.useState(ROWS);
  const ask = React.useCallback(() => {
    void progress; // another one asks again
    return client.batchItems(batch, onlyChanged);
  }, [client, batch, onlyChanged, progress]);
  const [loaded, reload] = useLoaded(ask);
  return (
    <div className="jp-PPO-reportBody">
      <Check label="Only what changed" checked={onlyChanged} onChange={setOnlyChanged} />
      <Loaded loaded={loaded} onRetry={reload}>
        {items =>
          items.length === 0 ? (
            <Empty>{onlyChanged ? 'Nothing changed so far.' : 'This batch is empty.'}</Empty>
          ) : (
            <>
              <ReportTable items={items.slice(0, shown)} onOpenFeedback={onOpenFeedback} />
              {items.length > shown && (
                <button
                  type="button"
                  className="jp-PPO-button"
                  onClick={() => setShown(shown + ROWS)}
                >
                  Show more ({items.length - shown} left)
                </button>
              )}
            </>
          )
        }
      </Loaded>
    </div>
  );
}

interface ITableProps {
  items: readonly IBatchItem[];
  onOpenFeedback: (submissionId: string) => void;
}

function ReportTable({ items, onOpenFeedback }: ITableProps): JSX.Element {
  return (
    <div className="jp-PPO-scroll">
      <table className="jp-PPO-table jp-PPO-reportTable">
        <thead>
          <tr>
            <th scope="col">Student</th>
            <th scope="col" className="jp-PPO-figure">
              Attempt
            </th>
            <th scope="col">State</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
            <th scope="col" className="jp-PPO-figure">
              Change
            </th>
            <th scope="col">Exercises that changed</th>
            <th scope="col">
              <span className="jp-PPO-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map(item => (
            <tr key={item.submission_id} data-user={item.user} data-state={item.state}>
              <th scope="row">{item.user}</th>
              <td className="jp-PPO-figure">{item.attempt}</td>
              <td>
                {itemStateText(item.state)}
                {item.position !== null && `, ${item.position}. in the queue`}
                {item.error !== null && <div className="jp-PPO-formProblem">{item.error}</div>}
              </td>
              <td>{snapshotText(item.before)}</td>
              <td>{snapshotText(item.after)}</td>
              <td className="jp-PPO-figure">
                {changeText(item.before?.points ?? null, item.after?.points ?? null)}
              </td>
              <td className="jp-PPO-words">{changedText(item)}</td>
              <td>
                {(item.after ?? item.before) !== null && (
                  <button
                    type="button"
                    className="jp-PPO-button"
                    aria-label={`Feedback of ${item.user}`}
                    onClick={() => onOpenFeedback(item.submission_id)}
                  >
                    Feedback
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function snapshotText(snapshot: ISnapshot | null): string {
  return snapshot === null ? '–' : `${scoreText(snapshot) ?? ''} (version ${snapshot.version})`;
}

/** `gae 1 → 2`; what is in one version only is said to be new or gone. */
function changedText({ before, after }: IBatchItem): string {
  if (before === null || after === null) {
    return '';
  }
  const names = new Set([...Object.keys(before.exercises), ...Object.keys(after.exercises)]);
  const changes: string[] = [];
  for (const name of names) {
    const old = before.exercises[name];
    const now = after.exercises[name];
    if (old === undefined && now !== undefined) {
      changes.push(`${name} new: ${pointsText(now)}`);
    } else if (old !== undefined && now === undefined) {
      changes.push(`${name} gone: ${pointsText(old)}`);
    } else if (old !== undefined && now !== undefined && changeText(old, now) !== '') {
      changes.push(`${name} ${pointsText(old)} → ${pointsText(now)}`);
    }
  }
  return changes.join(', ');
}
