import * as React from 'react';

import { timeText } from '../format';
import { Poller } from '../polling';
import { BatchReport } from './batchReport';
import { Empty, Loaded, Outcome } from './parts';
import { useActions, useLoaded } from './resource';
import type { IBatch, IInstructorClient, IQueue } from './types';
import { counted, countsText, scopeText, settledCount } from './words';

interface IQueueProps {
  client: IInstructorClient;
  course: string;
  /** The batch to open at first. */
  batch: string | null;
  visible: boolean;
  onOpenFeedback: (submissionId: string) => void;
}

interface IWork {
  queue: IQueue;
  batches: readonly IBatch[];
  /** How many batches there are in all. */
  total: number;
}

/** What waits for the grader and what is graded together, as it goes on. */
export function QueueTab(props: IQueueProps): JSX.Element {
  const { client, course, visible, onOpenFeedback } = props;
  const ask = React.useCallback(() => workOf(client, course), [client, course]);
  const [loaded, reload] = useLoaded(ask);
  const [open, setOpen] = React.useState(props.batch);
  const actions = useActions();
  const isBusy = loaded.value !== null && isUnderWay(loaded.value);
  const poller = usePoller(reload, visible);
  React.useEffect(() => {
    if (isBusy) {
      poller.start();
    } else {
      poller.stop();
    }
  }, [poller, isBusy]);
  const cancel = (batch: IBatch): void =>
    void actions.run(async () => {
      await client.cancelBatch(batch.id);
      await reload();
      return `What still waited of ${batch.assignment} is cancelled and is as it was before.`;
    });
  return (
    <>
      <Outcome actions={actions} />
      <Loaded loaded={loaded} onRetry={reload}>
        {work => (
          <>
            <p className="jp-PPO-queueNow" role="status">
              <strong>{counted(work.queue.waiting, 'submission waits', 'submissions wait')}</strong>
              , {counted(work.queue.grading, 'is being graded', 'are being graded')}.
            </p>
            {work.batches.length === 0 ? (
              <Empty>
                Nothing was graded together yet. Open an assignment and choose “Grading” there.
              </Empty>
            ) : (
              <ul className="jp-PPO-batches" aria-label="Graded together">
                {work.batches.map(batch => (
                  <BatchCard
                    key={batch.id}
                    client={client}
                    batch={batch}
                    isOpen={batch.id === open}
                    busy={actions.busy}
                    onOpen={isOpen => setOpen(isOpen ? batch.id : null)}
                    onCancel={() => cancel(batch)}
                    onOpenFeedback={onOpenFeedback}
                  />
                ))}
              </ul>
            )}
            {work.total > work.batches.length && (
              <p className="jp-PPO-remark">
                The newest {work.batches.length} of {work.total}; “jupyter ppo queue” lists them
                all.
              </p>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

interface ICardProps {
  client: IInstructorClient;
  batch: IBatch;
  isOpen: boolean;
  busy: boolean;
  onOpen: (isOpen: boolean) => void;
  onCancel: () => void;
  onOpenFeedback: (submissionId: string) => void;
}

/** One batch: what it is, how far it is, and what it changed. */
function BatchCard(props: ICardProps): JSX.Element {
  const { client, batch, isOpen, busy, onOpen, onCancel, onOpenFeedback } = props;
  const settled = settledCount(batch);
  const title = `${scopeText(batch.scope)} of ${batch.assignment}`;
  const isCancelled = batch.cancelled_at !== null;
  return (
    <li className="jp-PPO-batch" data-batch={batch.id} data-over={batch.is_over}>
      <div className="jp-PPO-batchHead">
        <h3>
          {title}
          {batch.version !== null && `, on version ${batch.version}`}
          {isCancelled && <span className="jp-PPO-badge">cancelled</span>}
        </h3>
        <div className="jp-PPO-rowActions">
          <button
            type="button"
            className="jp-PPO-button jp-PPO-report"
            aria-label={`Report of ${title}`}
            aria-expanded={isOpen}
            onClick={() => onOpen(!isOpen)}
          >
            Report
          </button>
          {!batch.is_over && (
            <button
              type="button"
              className="jp-PPO-button jp-mod-warn jp-PPO-cancel"
              aria-label={`Cancel ${title}`}
              disabled={busy}
              onClick={onCancel}
            >
              Cancel
            </button>
          )}
        </div>
      </div>
      <p className="jp-PPO-remark">
        {timeText(batch.created_at)} by {batch.created_by}
        {batch.reason !== '' && `: ${batch.reason}`}
      </p>
      <div className="jp-PPO-batchProgress">
        <progress
          aria-label={`Progress of ${title}`}
          max={Math.max(1, batch.total)}
          value={settled}
        >
          {settled} of {batch.total}
        </progress>
        <span>
          {settled} of {batch.total}: {countsText(batch)}
        </span>
      </div>
      {isOpen && (
        <BatchReport
          client={client}
          batch={batch.id}
          progress={JSON.stringify(batch.counts)}
          onOpenFeedback={onOpenFeedback}
        />
      )}
    </li>
  );
}

/** A poller that rests while hidden and ends with the component. */
function usePoller(reload: () => Promise<void>, visible: boolean): Poller {
  const poller = React.useMemo(
    () =>
      new Poller(async () => {
        await reload();
        // The component stops it when what came back says that nothing is under way.
        return true;
      }),
    [reload]
  );
  React.useEffect(() => poller.setVisible(visible), [poller, visible]);
  React.useEffect(() => () => poller.stop(), [poller]);
  return poller;
}

async function workOf(client: IInstructorClient, course: string): Promise<IWork> {
  const [queue, page] = await Promise.all([client.queue(course), client.batches(course)]);
  return { queue, batches: page.items, total: page.total };
}

function isUnderWay({ queue, batches }: IWork): boolean {
  return queue.waiting + queue.grading > 0 || batches.some(batch => !batch.is_over);
}
