import * as React from 'react';

import { timeText } from '../format';
import { Loaded, Outcome } from '../instructor/parts';
import { useActions, useLoaded } from '../instructor/resource';
import { Poller } from '../polling';
import { Start } from './startBatch';
import type { BatchVerb, IDraftBatch, IFeedbackClient } from './types';
import { batchStateText, moneyText, progressText, settled } from './words';

interface IBatchProps {
  client: IFeedbackClient;
  course: string;
  assignment: string;
  gradeId: string | null;
  mayStart: boolean;
  isVisible: boolean;
  onCalibrate: () => void;
  /** Called when more is drafted than before. */
  onDrafted: () => void;
}

/** The way to a batch, and how far the newest ones are. */
export function DraftBatches(props: IBatchProps): JSX.Element {
  const { client, course, assignment, mayStart, isVisible, onDrafted } = props;
  const ask = React.useCallback(
    async () => (await client.batches(course, assignment)).items,
    [client, course, assignment]
  );
  const [loaded, reload] = useLoaded(ask);
  const batches = loaded.value ?? [];
  const isRunning = batches.some(batch => batch.state === 'running');
  const done = batches.reduce((sum, batch) => sum + batch.done, 0);
  const last = React.useRef(done);
  usePolling(reload, isRunning, isVisible);
  React.useEffect(() => {
    if (done > last.current) {
      onDrafted();
    }
    last.current = done;
  }, [done, onDrafted]);
  return (
    <section className="jp-PPO-draftBatches" aria-label="Drafting">
      {mayStart && <Start {...props} isRunning={isRunning} onStarted={reload} />}
      <Loaded loaded={loaded} onRetry={reload}>
        {items => (
          <BatchList client={client} batches={items} mayChange={mayStart} onChanged={reload} />
        )}
      </Loaded>
    </section>
  );
}

interface IListProps {
  client: IFeedbackClient;
  batches: readonly IDraftBatch[];
  mayChange: boolean;
  onChanged: () => Promise<void>;
}

/** The batches that are under way, or else the newest one, with their buttons. */
export function BatchList({ client, batches, mayChange, onChanged }: IListProps): JSX.Element {
  const actions = useActions();
  const change = (batch: IDraftBatch, verb: BatchVerb): void =>
    void actions.run(async () => {
      await client.change(batch.id, verb);
      await onChanged();
      return null;
    });
  return (
    <>
      <Outcome actions={actions} />
      {batches.length > 0 && (
        <ul className="jp-PPO-batches" aria-label="Batches of drafts">
          {shown(batches).map(batch => (
            <Batch
              key={batch.id}
              batch={batch}
              busy={actions.busy || !mayChange}
              onChange={verb => change(batch, verb)}
            />
          ))}
        </ul>
      )}
    </>
  );
}

/** Ask again while something runs and somebody looks. */
export function usePolling(
  reload: () => Promise<void>,
  isRunning: boolean,
  isVisible: boolean
): void {
  React.useEffect(() => {
    if (!isRunning) {
      return undefined;
    }
    const poller = new Poller(async () => {
      await reload();
      return true;
    });
    poller.setVisible(isVisible);
    poller.start();
    return () => poller.dispose();
  }, [reload, isRunning, isVisible]);
}

/** What is not over, or else the newest one. */
function shown(batches: readonly IDraftBatch[]): readonly IDraftBatch[] {
  const under = batches.filter(({ state }) => VERBS[state].length > 0);
  return under.length > 0 ? under : batches.slice(0, 1);
}

const VERBS: Record<IDraftBatch['state'], readonly BatchVerb[]> = {
  running: ['pause', 'cancel'],
  paused: ['resume', 'cancel'],
  stopped: ['resume', 'cancel'],
  succeeded: [],
  cancelled: []
};

const VERB_TEXT: Record<BatchVerb, string> = {
  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel'
};

interface IOneProps {
  batch: IDraftBatch;
  busy: boolean;
  onChange: (verb: BatchVerb) => void;
}

/** One batch: how far it is, what it cost so far, and its buttons. */
function Batch({ batch, busy, onChange }: IOneProps): JSX.Element {
  const title = `Drafts of ${timeText(batch.created_at)}`;
  return (
    <li className="jp-PPO-batch" data-batch={batch.id} data-state={batch.state}>
      <div className="jp-PPO-batchHead">
        <h3>
          {title} <span className="jp-PPO-badge">{batchStateText(batch.state)}</span>
        </h3>
        <div className="jp-PPO-rowActions">
          {VERBS[batch.state].map(verb => (
            <button
              key={verb}
              type="button"
              className={`jp-PPO-button ${verb === 'cancel' ? 'jp-mod-warn' : ''}`}
              data-verb={verb}
              aria-label={`${VERB_TEXT[verb]}: ${title}`}
              disabled={busy}
              onClick={() => onChange(verb)}
            >
              {VERB_TEXT[verb]}
            </button>
          ))}
        </div>
      </div>
      <progress aria-label={`Progress of ${title}`} max={batch.total} value={settled(batch)} />
      <p className="jp-PPO-remark" role="status">
        {progressText(batch)}. {moneyText(batch.spent, batch.currency)} spent of about{' '}
        {moneyText(batch.estimate, batch.currency)}; started by {batch.created_by}.
      </p>
      {batch.message !== '' && <p className="jp-PPO-notice jp-mod-problem">{batch.message}</p>}
    </li>
  );
}
