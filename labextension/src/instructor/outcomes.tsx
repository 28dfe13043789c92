import * as React from 'react';

import { scoreText, timeText } from '../format';
import { DefinitionEditor } from './definitionEditor';
import { useGradingClient, useIsAuthor } from './grading';
import type { IGradingProps, IGradingTabProps } from './grading';
import type { IAttempt } from './gradingTypes';
import { OutcomeDesk } from './outcomeDesk';
import { Empty, Field, Loaded, Outcome, Pager } from './parts';
import { useActions, useLoaded } from './resource';
import { counted, durationText } from './words';

/** Entries: what was handed in, judged by a rubric. */
export function OutcomesTab(props: IGradingTabProps): JSX.Element {
  const client = useGradingClient(props.settings);
  return <Outcomes client={client} course={props.course} onOpenFeedback={props.onOpenFeedback} />;
}

type View = 'list' | 'edit' | 'new';

export function Outcomes({ client, course, onOpenFeedback }: IGradingProps): JSX.Element {
  const isAuthor = useIsAuthor(client, course);
  const ask = React.useCallback(
    async () => (await client.assignments(course)).filter(each => each.kind === 'entry'),
    [client, course]
  );
  const [entries, reload] = useLoaded(ask);
  const [chosen, setChosen] = React.useState<string | null>(null);
  const [view, setView] = React.useState<View>('list');
  return (
    <Loaded loaded={entries} onRetry={reload}>
      {items => {
        const name = (items.find(each => each.name === chosen) ?? items[0])?.name ?? null;
        const shown = view === 'edit' && name === null ? 'list' : view;
        return (
          <>
            <div className="jp-PPO-toolbar">
              {name !== null && (
                <Field label="Entry">
                  {control => (
                    <select
                      {...control}
                      name="entry"
                      value={name}
                      onChange={event => {
                        setChosen(event.target.value);
                        setView('list');
                      }}
                    >
                      {items.map(each => (
                        <option key={each.name} value={each.name}>
                          {each.name}
                        </option>
                      ))}
                    </select>
                  )}
                </Field>
              )}
              {isAuthor && shown === 'list' && (
                <div className="jp-PPO-actions">
                  {name !== null && (
                    <button type="button" className="jp-PPO-button" onClick={() => setView('edit')}>
                      Edit definition
                    </button>
                  )}
                  <button type="button" className="jp-PPO-button" onClick={() => setView('new')}>
                    New entry
                  </button>
                </div>
              )}
            </div>
            {shown !== 'list' && (
              <DefinitionEditor
                key={`${shown} ${name}`}
                client={client}
                course={course}
                name={shown === 'edit' ? name : null}
                onClose={made => {
                  setView('list');
                  if (made !== null) {
                    setChosen(made);
                    void reload();
                  }
                }}
              />
            )}
            {shown === 'list' && name === null && (
              <Empty>
                There is no entry in this course. An entry is work that people judge by a rubric.
              </Empty>
            )}
            {shown === 'list' && name !== null && (
              <Submissions
                key={name}
                client={client}
                course={course}
                entry={name}
                isAuthor={isAuthor}
                onOpenFeedback={onOpenFeedback}
              />
            )}
          </>
        );
      }}
    </Loaded>
  );
}

interface ISubmissionsProps extends IGradingProps {
  entry: string;
  isAuthor: boolean;
}

/** Each student's attempt that counts, and the desk of the one that is judged. */
function Submissions(props: ISubmissionsProps): JSX.Element {
  const { client, course, entry, isAuthor, onOpenFeedback } = props;
  const [offset, setOffset] = React.useState(0);
  const [judged, setJudged] = React.useState<string | null>(null);
  const ask = React.useCallback(
    () => client.entrySubmissions(course, entry, offset),
    [client, course, entry, offset]
  );
  const [page, reload] = useLoaded(ask);
  const actions = useActions();
  const shown = page.value?.items.find(each => each.id === judged);
  if (shown !== undefined) {
    return (
      <OutcomeDesk
        key={shown.id}
        client={client}
        submission={shown}
        onChanged={() => void reload()}
        onClose={() => setJudged(null)}
        onOpenFeedback={onOpenFeedback}
      />
    );
  }
  return (
    <>
      {isAuthor && (
        <div className="jp-PPO-actions">
          <button
            type="button"
            className="jp-PPO-button"
            disabled={actions.busy}
            onClick={() =>
              void actions.run(async () => {
                const released = await client.releaseApproved(course, entry);
                await reload();
                return released === 0
                  ? 'No outcome is approved and not released.'
                  : `${counted(released, 'outcome is', 'outcomes are')} released.`;
              })
            }
          >
            Release all approved
          </button>
        </div>
      )}
      <Outcome actions={actions} />
      <Loaded loaded={page} onRetry={reload}>
        {found =>
          found.items.length === 0 ? (
            <Empty>Nobody has handed in anything yet.</Empty>
          ) : (
            <>
              <SubmissionsTable items={found.items} onJudge={setJudged} />
              <Pager
                offset={found.offset}
                limit={found.limit}
                total={found.total}
                what="submissions"
                onMove={setOffset}
              />
            </>
          )
        }
      </Loaded>
    </>
  );
}

interface ITableProps {
  items: readonly IAttempt[];
  onJudge: (submission: string) => void;
}

function SubmissionsTable({ items, onJudge }: ITableProps): JSX.Element {
  return (
    <div className="jp-PPO-scroll">
      <table className="jp-PPO-table jp-PPO-entrySubmissions">
        <thead>
          <tr>
            <th scope="col">Student</th>
            <th scope="col" className="jp-PPO-figure">
              Attempt
            </th>
            <th scope="col">Handed in</th>
            <th scope="col">Outcome</th>
            <th scope="col" className="jp-PPO-figure">
              Points
            </th>
            <th scope="col">
              <span className="jp-PPO-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map(each => (
            <tr key={each.id} data-user={each.user}>
              <th scope="row">{each.user}</th>
              <td className="jp-PPO-figure">{each.attempt}</td>
              <td>
                {timeText(each.submitted_at)}
                {each.late_seconds > 0 && (
                  <span className="jp-PPO-badge">late by {durationText(each.late_seconds)}</span>
                )}
              </td>
              <td>{judgedText(each)}</td>
              <td className="jp-PPO-figure">{scoreText(each) ?? '–'}</td>
              <td>
                <div className="jp-PPO-rowActions">
                  <button
                    type="button"
                    className="jp-PPO-button"
                    aria-label={`Judge ${each.user}`}
                    onClick={() => onJudge(each.id)}
                  >
                    Judge
                  </button>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Where the outcome is, as far as the list of submissions says it. */
function judgedText(each: IAttempt): string {
  switch (each.attempt_state) {
    case 'released':
      return 'Released';
    case 'graded':
      return 'Approved';
    default:
      return 'None, or a draft';
  }
}
