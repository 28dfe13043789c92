import * as React from 'react';

import { pointsText } from '../format';
import { Choice, Field, Problem } from '../instructor/parts';
import { useLoaded } from '../instructor/resource';
import { BulkApproval } from './bulkApproval';
import { DraftBatches } from './draftBatch';
import { ReviewDesk } from './reviewDesk';
import { ReviewModel } from './reviewModel';
import type { IReviewState } from './reviewModel';
import type { DraftFilter, IDraftItem, IFeedbackClient } from './types';
import { draftStateText, flagText, percentText } from './words';

export interface IDraftsProps {
  client: IFeedbackClient;
  course: string;
  assignment: string;
  /** One exercise; null for all of the assignment. */
  gradeId: string | null;
  mayAuthor: boolean;
  /** Without a model there is nothing to start, but drafts of before can be read. */
  hasModel: boolean;
  isVisible: boolean;
  onCalibrate: () => void;
  onOpenCall: (id: string) => void;
}

/** Drafting the answers of an assignment, and reviewing what was drafted. */
export function Drafts(props: IDraftsProps): JSX.Element {
  const { client, course, assignment, gradeId, mayAuthor, hasModel, isVisible } = props;
  const [model] = React.useState(() => new ReviewModel(client, course, assignment, gradeId));
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const [clicks, setClicks] = React.useState(0);
  const askSettings = React.useCallback(
    () => client.settings(course, assignment),
    [client, course, assignment]
  );
  const [settings] = useLoaded(askSettings);
  React.useEffect(() => void model.load(), [model]);
  const reload = React.useCallback(() => void model.load(), [model]);
  return (
    <>
      <DraftBatches
        client={client}
        course={course}
        assignment={assignment}
        gradeId={gradeId}
        mayStart={mayAuthor && hasModel}
        isVisible={isVisible}
        onCalibrate={props.onCalibrate}
        onDrafted={reload}
      />
      {state.problem !== null && <Problem text={state.problem} onRetry={reload} />}
      <div className="jp-PPO-marking jp-PPO-review">
        <div className="jp-PPO-reviewSide">
          <Queue
            state={state}
            hasMany={gradeId === null}
            onFilter={filter => void model.load(filter)}
            onGo={at => {
              setClicks(clicks + 1);
              void model.go(at);
            }}
          />
          {mayAuthor && settings.value !== null && state.filter === 'open' && (
            <BulkApproval
              client={client}
              course={course}
              assignment={assignment}
              gradeId={gradeId}
              items={state.items}
              least={settings.value.effective.bulk_threshold}
              onApproved={() => model.load()}
            />
          )}
        </div>
        {state.phase === 'loading' && state.items.length === 0 ? (
          <p className="jp-PPO-empty" role="status">
            Loading…
          </p>
        ) : (
          <ReviewDesk model={model} state={state} clicks={clicks} onOpenCall={props.onOpenCall} />
        )}
      </div>
    </>
  );
}

const FILTERS: readonly (readonly [DraftFilter, string])[] = [
  ['open', 'Waiting'],
  ['decided', 'Decided'],
  ['all', 'All']
];

interface IQueueProps {
  state: IReviewState;
  /** Whether drafts of several exercises are in it. */
  hasMany: boolean;
  onFilter: (filter: DraftFilter) => void;
  onGo: (at: number) => void;
}

/** Flagged ones first, then those with the least agreement. */
function Queue({ state, hasMany, onFilter, onGo }: IQueueProps): JSX.Element {
  return (
    <nav className="jp-PPO-markingList" aria-label="Drafts to review">
      <Field label="Show">
        {control => (
          <Choice {...control} value={state.filter} options={FILTERS} onChange={onFilter} />
        )}
      </Field>
      <ul>
        {state.items.map((item, at) => (
          <li key={item.id}>
            <button
              type="button"
              aria-current={at === state.at}
              data-draft={item.id}
              data-state={item.state}
              onClick={() => onGo(at)}
            >
              <QueueText item={item} hasMany={hasMany} />
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function QueueText({ item, hasMany }: { item: IDraftItem; hasMany: boolean }): JSX.Element {
  return (
    <>
      <strong>{item.who}</strong>
      {hasMany && item.grade_id !== '' && <span>{item.grade_id}</span>}
      <span className="jp-PPO-remark">
        {draftStateText(item.state)}, {item.points === null ? 'no points' : pointsText(item.points)}{' '}
        of {pointsText(item.max_points)}, agreement {percentText(item.agreement)}
      </span>
      {item.flags.map(flag => (
        <span key={flag} className="jp-PPO-remark jp-PPO-flagLine">
          {flagText(flag)}
        </span>
      ))}
    </>
  );
}
