import * as React from 'react';

import { RequestError } from '../connection';
import { pointsText, scoreText, timeText } from '../format';
import { cellStateText, changedText, changeKindText } from './gradebookModel';
import type {
  IAttempt,
  IFullGrade,
  IGradeChange,
  IGradingClient,
  IScoredExercise
} from './gradingTypes';
import { MarkForm } from './markForm';
import { Empty, Field, Loaded, Outcome } from './parts';
import { useActions, useLoaded } from './resource';
import { durationText } from './words';

interface IDetailsProps {
  client: IGradingClient;
  course: string;
  user: string;
  assignment: string;
  /** The exercise that was clicked, if the columns are exercises. */
  exercise: string | null;
  isAuthor: boolean;
  onChanged: () => void;
  onClose: () => void;
  onOpenFeedback: (submissionId: string) => void;
}

/** One student's work at one assignment: attempts, points, marks, history. */
export function GradebookDetails(props: IDetailsProps): JSX.Element {
  const { client, course, user, assignment, onClose } = props;
  const [chosen, setChosen] = React.useState<string | null>(null);
  const ask = React.useCallback(
    () => client.attempts(course, assignment, user),
    [client, course, assignment, user]
  );
  const [attempts, reload] = useLoaded(ask);
  const heading = React.useRef<HTMLHeadingElement>(null);
  React.useEffect(() => {
    const from = document.activeElement;
    heading.current?.focus();
    return () => {
      if (from instanceof HTMLElement && from.isConnected) {
        from.focus();
      }
    };
  }, []);
  return (
    <aside
      className="jp-PPO-cellDetails"
      aria-label={`${user}, ${assignment}`}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onClose();
        }
      }}
    >
      <div className="jp-PPO-header">
        <h3 ref={heading} tabIndex={-1}>
          {user}: {assignment}
        </h3>
        <button type="button" className="jp-PPO-button" onClick={onClose}>
          Close
        </button>
      </div>
      <Loaded loaded={attempts} onRetry={reload}>
        {items => {
          const shown =
            items.find(each => each.id === chosen) ?? items.find(each => each.counts) ?? items[0];
          if (shown === undefined) {
            return <Empty>Nothing was handed in.</Empty>;
          }
          return (
            <>
              <Field label="Attempt">
                {control => (
                  <select
                    {...control}
                    name="attempt"
                    value={shown.id}
                    onChange={event => setChosen(event.target.value)}
                  >
                    {items.map(each => (
                      <option key={each.id} value={each.id}>
                        {attemptText(each)}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <AttemptDetails key={shown.id} {...props} attempt={shown} onAttempts={reload} />
            </>
          );
        }}
      </Loaded>
    </aside>
  );
}

interface IAttemptProps extends IDetailsProps {
  attempt: IAttempt;
  onAttempts: () => Promise<void>;
}

function AttemptDetails(props: IAttemptProps): JSX.Element {
  const { client, course, assignment, attempt, isAuthor, onAttempts, onChanged } = props;
  const actions = useActions();
  const ask = React.useCallback(() => gradeOf(client, attempt.id), [client, attempt.id]);
  const [grade, reloadGrade] = useLoaded(ask);
  const askHistory = React.useCallback(() => client.history(attempt.id), [client, attempt.id]);
  const [history, reloadHistory] = useLoaded(askHistory);
  const refresh = async (): Promise<void> => {
    await Promise.all([onAttempts(), reloadGrade(), reloadHistory()]);
    onChanged();
  };
  const isNotebook = attempt.kind === 'notebook';
  const isPending = attempt.state === 'queued' || attempt.state === 'grading';
  const isGraded = attempt.points !== null;
  const isReleased = attempt.released_at !== null;
  return (
    <>
      <dl className="jp-PPO-facts">
        <dt>Handed in</dt>
        <dd>
          {timeText(attempt.submitted_at)}
          {attempt.late_seconds > 0 && `, late by ${durationText(attempt.late_seconds)}`}
        </dd>
        <dt>Points</dt>
        <dd>
          {scoreText(attempt) ?? 'none yet'}
          {attempt.penalty > 0 && ` (${pointsText(attempt.penalty)} off for lateness)`}
        </dd>
        <dt>Student sees it</dt>
        <dd>{isReleased ? `since ${timeText(attempt.released_at ?? '')}` : 'no'}</dd>
        {attempt.error !== null && (
          <>
            <dt>Failed</dt>
            <dd>{attempt.error}</dd>
          </>
        )}
      </dl>
      <div className="jp-PPO-actions">
        {isGraded && (
          <button
            type="button"
            className="jp-PPO-button"
            onClick={() => props.onOpenFeedback(attempt.id)}
          >
            Feedback page
          </button>
        )}
        {isNotebook && (
          <button
            type="button"
            className="jp-PPO-button"
            disabled={actions.busy || isPending}
            onClick={() =>
              void actions.run(async () => {
                await client.regrade(attempt.id);
                await refresh();
                return 'Queued to be graded again; marks stay.';
              })
            }
          >
            Grade again
          </button>
        )}
        {isNotebook && isGraded && isAuthor && (
          <button
            type="button"
            className="jp-PPO-button"
            disabled={actions.busy}
            onClick={() =>
              void actions.run(async () => {
                await client.setReleased(course, assignment, attempt.id, !isReleased);
                await refresh();
                return isReleased ? 'The student does not see it any more.' : 'Released.';
              })
            }
          >
            {isReleased ? 'Take back' : 'Release'}
          </button>
        )}
      </div>
      <Outcome actions={actions} />
      <Loaded loaded={grade} onRetry={reloadGrade}>
        {({ found }) =>
          found === null ? (
            <Empty>It is not graded yet.</Empty>
          ) : (
            <Exercises {...props} grade={found} isNotebook={isNotebook} onSaved={refresh} />
          )
        }
      </Loaded>
      <h4>History</h4>
      <Loaded loaded={history} onRetry={reloadHistory}>
        {changes => <History changes={changes} />}
      </Loaded>
    </>
  );
}

interface IExercisesProps extends IAttemptProps {
  grade: IFullGrade;
  isNotebook: boolean;
  onSaved: () => Promise<void>;
}

/** What each exercise scored; of a notebook each can be given other points. */
function Exercises(props: IExercisesProps): JSX.Element {
  const { client, attempt, exercise, grade, isNotebook, onSaved } = props;
  const [open, setOpen] = React.useState(isNotebook ? exercise : null);
  return (
    <>
      <h4>{isNotebook ? 'Exercises' : 'Criteria'}</h4>
      {!isNotebook && (
        <p className="jp-PPO-remark">An entry is judged under “Outcomes”, by its rubric.</p>
      )}
      <ul className="jp-PPO-exerciseList">
        {grade.exercises.map(each => (
          <li key={each.grade_id} data-exercise={each.grade_id}>
            <div className="jp-PPO-withButton">
              <span>
                <strong>{each.grade_id}</strong> {pointsText(each.score)} /{' '}
                {pointsText(each.max_points)}
                <ExerciseBadges exercise={each} />
              </span>
              {isNotebook && (
                <button
                  type="button"
                  className="jp-PPO-button"
                  aria-label={`Mark ${each.grade_id}`}
                  aria-expanded={open === each.grade_id}
                  onClick={() => setOpen(open === each.grade_id ? null : each.grade_id)}
                >
                  {each.mark === null ? 'Override' : 'Change'}
                </button>
              )}
            </div>
            {each.comment !== '' && open !== each.grade_id && (
              <p className="jp-PPO-said">{each.comment}</p>
            )}
            {open === each.grade_id && (
              <MarkForm
                exercise={each}
                withReason
                onSave={async mark => {
                  const saved = await client.mark(attempt.id, each.grade_id, mark);
                  await onSaved();
                  return saved;
                }}
              />
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function ExerciseBadges({ exercise }: { exercise: IScoredExercise }): JSX.Element {
  const { mark, points, extra_credit } = exercise;
  const badges: string[] = [];
  if (exercise.waits) {
    badges.push('waits for a person');
  }
  if (mark !== null) {
    badges.push(`marked by ${mark.marked_by ?? 'a person'}, tests: ${pointsText(points)}`);
  }
  if (extra_credit !== 0) {
    badges.push(`${extra_credit > 0 ? '+' : '−'}${pointsText(Math.abs(extra_credit))} extra`);
  }
  if (exercise.auto_changed) {
    badges.push('changed since it was marked');
  }
  if (!exercise.sealed) {
    badges.push('unsealed');
  }
  return (
    <>
      {badges.map(text => (
        <span key={text} className="jp-PPO-badge">
          {text}
        </span>
      ))}
    </>
  );
}

/** Who changed the grade, when, why, and from what to what; the newest first. */
export function History({ changes }: { changes: readonly IGradeChange[] }): JSX.Element {
  if (changes.length === 0) {
    return <Empty>Nothing has happened yet.</Empty>;
  }
  return (
    <ol className="jp-PPO-history">
      {changes.map(change => (
        <li key={change.id} data-kind={change.kind}>
          <strong>{changeKindText(change.kind)}</strong>
          {change.grade_id !== null && ` ${change.grade_id}`}
          {': '}
          {changedText(change) || 'no change of points'}
          <div className="jp-PPO-remark">
            {timeText(change.at)} by {change.by ?? 'the server'}
            {change.reason !== '' && `: ${change.reason}`}
          </div>
        </li>
      ))}
    </ol>
  );
}

function attemptText(attempt: IAttempt): string {
  const score = scoreText(attempt) ?? cellStateText(attempt.attempt_state);
  return `Attempt ${attempt.attempt}: ${score}${attempt.counts ? ', counts' : ''}`;
}

/** The grade, or null before there is one; `found` keeps it apart from what is not fetched yet. */
async function gradeOf(
  client: IGradingClient,
  submission: string
): Promise<{ found: IFullGrade | null }> {
  try {
    return { found: await client.grade(submission) };
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) {
      return { found: null };
    }
    throw error;
  }
}
