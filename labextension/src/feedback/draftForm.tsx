import * as React from 'react';

import { pointsText, timeText } from '../format';
import { Field, Problem } from '../instructor/parts';
import { DraftRubric } from './draftRubric';
import { missing, pointsOf, typedOf } from './reviewModel';
import type { IReviewState, ReviewModel } from './reviewModel';
import type { IDecision, IDraft } from './types';
import { draftStateText, isOpen, percentText, pointsWords } from './words';

interface IFormProps {
  model: ReviewModel;
  state: IReviewState;
  draft: IDraft;
  onOpenCall: (id: string) => void;
}

/** The rubric with what is drafted, and what a person makes of it. */
export function DraftForm({ model, state, draft, onOpenCall }: IFormProps): JSX.Element {
  const { mode, isSaving, focused } = state;
  const typed = mode === 'edit' ? state.typed : null;
  const left = typed === null ? [] : missing(draft, typed);
  const isFixed = !isOpen(draft.state) || isSaving;
  const submit = (event: React.FormEvent): void => {
    event.preventDefault();
    void (mode === 'edit' ? model.save() : mode === 'reject' ? model.reject() : model.approve());
  };
  const points = typed === null ? (draft.points ?? 0) : pointsOf(draft, typed);
  return (
    <form className="jp-PPO-form jp-PPO-draftForm" aria-label="Draft" onSubmit={submit}>
      {draft.results.length === 0 && (
        <p className="jp-PPO-notice jp-mod-problem">
          There is no usable draft. Edit gives the levels by hand, or mark the answer under
          “Marking”.
        </p>
      )}
      <DraftRubric
        draft={draft}
        typed={typed}
        focused={focused}
        isFixed={isFixed}
        onFocus={criterion => model.focus(criterion)}
        onChange={(criterion, result) => {
          const before = state.typed ?? typedOf(draft);
          model.setMode('edit');
          model.type({ ...before, results: { ...before.results, [criterion]: result } });
        }}
      />
      {typed !== null && (
        <Field
          label={draft.grade_id === '' ? 'Summary for the student' : 'Comment for the student'}
          hint={
            draft.grade_id === '' ? 'Markdown.' : 'Empty: made of the levels and reasons above.'
          }
        >
          {control => (
            <textarea
              {...control}
              name="comment"
              rows={2}
              maxLength={20_000}
              readOnly={isFixed}
              value={typed.comment}
              onChange={event => model.type({ ...typed, comment: event.target.value })}
            />
          )}
        </Field>
      )}
      {mode === 'reject' && (
        <Field label="Why it is rejected" hint="For graders; the student never sees it.">
          {control => (
            <input
              {...control}
              name="reason"
              autoComplete="off"
              maxLength={1000}
              value={state.reason}
              onChange={event => model.typeReason(event.target.value)}
            />
          )}
        </Field>
      )}
      <p className="jp-PPO-outcomeTotal" role="status">
        {pointsText(points)} of {pointsText(draft.max_points)} points
        {left.length > 0 && `, no level yet for ${left.join(', ')}`}
      </p>
      {isOpen(draft.state) && draft.is_released && draft.grade_id !== '' && (
        <p className="jp-PPO-remark jp-PPO-atOnce">
          The grade is released: the student sees this mark at once.
        </p>
      )}
      {state.saveProblem !== null && <Problem text={state.saveProblem} />}
      {state.conflict !== null && <Conflict model={model} state={state} points={points} />}
      {isOpen(draft.state) ? (
        <Buttons model={model} state={state} draft={draft} canSave={left.length === 0} />
      ) : (
        draft.decision !== null && <Decision decision={draft.decision} />
      )}
      <Calls draft={draft} onOpenCall={onOpenCall} />
    </form>
  );
}

interface IButtonsProps {
  model: ReviewModel;
  state: IReviewState;
  draft: IDraft;
  canSave: boolean;
}

function Buttons({ model, state, draft, canSave }: IButtonsProps): JSX.Element {
  const { mode, isSaving } = state;
  if (mode !== 'read') {
    return (
      <div className="jp-PPO-actions">
        <button
          type="submit"
          className="jp-PPO-button jp-mod-primary"
          aria-keyshortcuts="Control+Enter"
          disabled={isSaving || (mode === 'edit' && !canSave)}
        >
          {mode === 'edit' ? 'Save' : 'Reject'}
        </button>
        <button type="button" className="jp-PPO-button" onClick={() => model.setMode('read')}>
          Back
        </button>
      </div>
    );
  }
  return (
    <div className="jp-PPO-actions">
      <button
        type="submit"
        className="jp-PPO-button jp-mod-primary"
        aria-keyshortcuts="a"
        disabled={isSaving || draft.results.length === 0}
      >
        Approve
      </button>
      <button
        type="button"
        className="jp-PPO-button"
        aria-keyshortcuts="e"
        disabled={isSaving}
        onClick={() => model.setMode('edit')}
      >
        Edit
      </button>
      <button
        type="button"
        className="jp-PPO-button"
        aria-keyshortcuts="r"
        disabled={isSaving}
        onClick={() => model.setMode('reject')}
      >
        Reject
      </button>
    </div>
  );
}

interface IConflictProps {
  model: ReviewModel;
  state: IReviewState;
  points: number;
}

/** Both records, when somebody saved in between. */
function Conflict({ model, state, points }: IConflictProps): JSX.Element | null {
  const theirs = state.conflict;
  if (theirs === null) {
    return null;
  }
  return (
    <div className="jp-PPO-conflict" role="alert">
      <p>
        <strong>Somebody has judged this answer meanwhile.</strong> Theirs gives{' '}
        {theirs.points === null ? 'no points' : pointsWords(theirs.points)}, yours{' '}
        {pointsText(points)}.
      </p>
      {theirs.comment !== '' && <p className="jp-PPO-said">Theirs says: {theirs.comment}</p>}
      <div className="jp-PPO-actions">
        <button
          type="button"
          className="jp-PPO-button jp-PPO-mine"
          onClick={() => void model.keepMine()}
        >
          Keep mine
        </button>
        <button
          type="button"
          className="jp-PPO-button jp-PPO-theirs"
          onClick={() => model.keepTheirs()}
        >
          Keep theirs
        </button>
      </div>
    </div>
  );
}

function Decision({ decision }: { decision: IDecision }): JSX.Element {
  const { state, by, at, points, reason, edit_distance: distance } = decision;
  return (
    <p className="jp-PPO-remark jp-PPO-decision">
      {draftStateText(state)} by {by}, {timeText(at)}
      {state !== 'rejected' && `, ${pointsWords(points)}`}
      {state === 'edited' && `; ${percentText(distance)} of the words are changed`}
      {reason !== '' && `: ${reason}`}.
    </p>
  );
}

function Calls({
  draft,
  onOpenCall
}: Pick<IFormProps, 'draft' | 'onOpenCall'>): JSX.Element | null {
  if (draft.calls.length === 0) {
    return null;
  }
  return (
    <div className="jp-PPO-calls">
      {draft.calls.map((id, index) => (
        <button
          key={id}
          type="button"
          className="jp-PPO-link"
          data-call={id}
          onClick={() => onOpenCall(id)}
        >
          Prompt and raw answer{draft.calls.length > 1 ? `, call ${index + 1}` : ''}
        </button>
      ))}
    </div>
  );
}
