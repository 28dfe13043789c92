import * as React from 'react';

import { pointsText } from '../format';
import { conflictOf } from './gradingClient';
import type { IMark, INewMark, IScoredExercise } from './gradingTypes';
import { EMPTY_DRAFT, draftOf, markOf, problemOf } from './markDraft';
import type { IMarkDraft } from './markDraft';
import { Field, Outcome } from './parts';
import { useActions } from './resource';

interface IFormProps {
  exercise: IScoredExercise;
  withReason?: boolean;
  /** Save a mark; answers the exercise as it is then. */
  onSave: (mark: INewMark) => Promise<IScoredExercise>;
}

/** Other points, extra credit and a comment for one exercise. */
export function MarkForm({ exercise, withReason, onSave }: IFormProps): JSX.Element {
  const [draft, setDraft] = React.useState(() => draftOf(exercise.mark));
  const [reason, setReason] = React.useState('');
  const [seen, setSeen] = React.useState(exercise.mark?.revision ?? 0);
  const [conflict, setConflict] = React.useState<IConflictOf | null>(null);
  const actions = useActions();
  const problem = problemOf(draft, exercise.max_points);
  const save = (what: IMarkDraft, revision: number): void =>
    void actions.run(async () => {
      try {
        const saved = await onSave({ ...markOf(what, revision), reason });
        setSeen(saved.mark?.revision ?? 0);
        setConflict(null);
        return 'Saved.';
      } catch (error) {
        const met = conflictOf<IMark>(error);
        if (met === null) {
          throw error;
        }
        setConflict(met);
        return null;
      }
    });
  return (
    <form
      className="jp-PPO-form jp-PPO-markForm"
      onSubmit={event => {
        event.preventDefault();
        if (problem === null && !actions.busy) {
          save(draft, seen);
        }
      }}
    >
      <MarkFields draft={draft} max={exercise.max_points} problem={problem} onChange={setDraft} />
      {withReason && (
        <Field
          label="Reason"
          hint="For the history, which the student sees once the grade is released."
        >
          {control => (
            <input
              {...control}
              name="reason"
              maxLength={2000}
              value={reason}
              onChange={event => setReason(event.target.value)}
            />
          )}
        </Field>
      )}
      {conflict && (
        <MarkConflict
          conflict={conflict}
          onMine={() => save(draft, conflict.theirs.revision)}
          onTheirs={() => {
            setDraft(draftOf(conflict.theirs));
            setSeen(conflict.theirs.revision);
            setConflict(null);
          }}
        />
      )}
      <div className="jp-PPO-actions">
        {/* Not disabled while it saves: a button that is loses the keyboard. */}
        <button type="submit" className="jp-PPO-button jp-mod-primary" disabled={problem !== null}>
          Save mark
        </button>
        {exercise.mark !== null && (
          <button
            type="button"
            className="jp-PPO-button"
            disabled={actions.busy}
            onClick={() => {
              setDraft(EMPTY_DRAFT);
              save(EMPTY_DRAFT, seen);
            }}
          >
            Take the mark away
          </button>
        )}
      </div>
      <Outcome actions={actions} />
    </form>
  );
}

interface IFieldsProps {
  draft: IMarkDraft;
  max: number;
  problem: { field: keyof IMarkDraft; text: string } | null;
  onChange: (draft: IMarkDraft) => void;
}

/** The three things that a mark says. */
export function MarkFields({ draft, max, problem, onChange }: IFieldsProps): JSX.Element {
  const said = (field: keyof IMarkDraft): string | null =>
    problem?.field === field ? problem.text : null;
  return (
    <>
      <div className="jp-PPO-markNumbers">
        <Field label={`Points of ${pointsText(max)}`} problem={said('points')}>
          {control => (
            <input
              {...control}
              name="points"
              inputMode="decimal"
              autoComplete="off"
              value={draft.points}
              onChange={event => onChange({ ...draft, points: event.target.value })}
            />
          )}
        </Field>
        <Field label="Extra credit" problem={said('extra')}>
          {control => (
            <input
              {...control}
              name="extra"
              inputMode="decimal"
              autoComplete="off"
              value={draft.extra}
              onChange={event => onChange({ ...draft, extra: event.target.value })}
            />
          )}
        </Field>
      </div>
      <Field label="Comment for the student" problem={said('comment')}>
        {control => (
          <textarea
            {...control}
            name="comment"
            rows={3}
            value={draft.comment}
            onChange={event => onChange({ ...draft, comment: event.target.value })}
          />
        )}
      </Field>
    </>
  );
}

export interface IConflictOf {
  yours: IMark;
  theirs: IMark;
}

interface IConflictProps {
  conflict: IConflictOf;
  onMine: () => void;
  onTheirs: () => void;
}

/** Both marks, when somebody else saved in between, and the choice. */
export function MarkConflict({ conflict, onMine, onTheirs }: IConflictProps): JSX.Element {
  const { yours, theirs } = conflict;
  return (
    <div className="jp-PPO-conflict" role="alert">
      <p>
        <strong>{theirs.marked_by ?? 'Somebody else'} saved another mark meanwhile.</strong>
      </p>
      <table className="jp-PPO-table">
        <thead>
          <tr>
            <td />
            <th scope="col">Yours</th>
            <th scope="col">Stored now</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Points</th>
            <td>{yours.points ?? 'as the tests gave'}</td>
            <td>{theirs.points ?? 'as the tests gave'}</td>
          </tr>
          <tr>
            <th scope="row">Extra credit</th>
            <td>{yours.extra_credit}</td>
            <td>{theirs.extra_credit}</td>
          </tr>
          <tr>
            <th scope="row">Comment</th>
            <td className="jp-PPO-words">{yours.comment || '–'}</td>
            <td className="jp-PPO-words">{theirs.comment || '–'}</td>
          </tr>
        </tbody>
      </table>
      <div className="jp-PPO-actions">
        <button type="button" className="jp-PPO-button jp-PPO-mine" onClick={onMine}>
          Keep mine
        </button>
        <button type="button" className="jp-PPO-button jp-PPO-theirs" onClick={onTheirs}>
          Keep theirs
        </button>
      </div>
    </div>
  );
}
