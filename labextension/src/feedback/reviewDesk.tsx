import * as React from 'react';

import { KeyHelp } from '../instructor/markingKeys';
import { Empty, Problem } from '../instructor/parts';
import { DraftForm } from './draftForm';
import { DraftAnswer } from './draftAnswer';
import { pressReview, REVIEW_KEYS } from './reviewKeys';
import type { IReviewState, ReviewModel } from './reviewModel';
import type { IDraft, IDraftItem } from './types';
import { draftStateText, flagText, percentText } from './words';

interface IDeskProps {
  model: ReviewModel;
  state: IReviewState;
  /** How often a draft was chosen in the list: each time the keyboard comes here. */
  clicks: number;
  onOpenCall: (id: string) => void;
}

/** One draft at a time, by keys. */
export function ReviewDesk({ model, state, clicks, onOpenCall }: IDeskProps): JSX.Element {
  const [isHelp, setHelp] = React.useState(false);
  const desk = React.useRef<HTMLElement>(null);
  const focus = React.useCallback(() => desk.current?.focus(), []);
  const { draft, mode, isSaving } = state;
  const decided = state.items.filter(({ state: at }) => !OPEN.has(at)).length;
  React.useEffect(() => {
    if (clicks > 0 || decided > 0) {
      desk.current?.focus();
    }
  }, [clicks, decided]);
  React.useEffect(() => {
    if (mode === 'edit') {
      const field = desk.current?.querySelector<HTMLElement>('.jp-PPO-rubric input:checked');
      // Who chose a level has the keyboard there already.
      if (!(document.activeElement instanceof HTMLInputElement)) {
        field?.focus();
      }
    } else if (mode === 'reject') {
      desk.current?.querySelector<HTMLElement>('[name="reason"]')?.focus();
    }
  }, [mode]);
  const press = (event: React.KeyboardEvent): void => {
    if (pressReview(event, model, focus, () => setHelp(!isHelp))) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  const item = model.current;
  return (
    <section
      ref={desk}
      className="jp-PPO-desk"
      tabIndex={-1}
      aria-label="Review of drafts"
      onKeyDown={press}
    >
      <p className="jp-PPO-hidden" role="status" aria-live="polite">
        {state.said}
      </p>
      {item === null ? (
        <Empty>No draft waits. What is drafted is listed here; “Decided” shows the others.</Empty>
      ) : (
        <>
          <Head
            model={model}
            state={state}
            item={item}
            isHelp={isHelp}
            onHelp={() => setHelp(!isHelp)}
          />
          {isHelp && (
            <KeyHelp
              keys={REVIEW_KEYS}
              onClose={() => {
                setHelp(false);
                focus();
              }}
            />
          )}
          {state.draftProblem !== null && <Problem text={state.draftProblem} />}
          {draft === null && state.draftProblem === null && (
            <p className="jp-PPO-empty" role="status">
              Loading the draft…
            </p>
          )}
          {draft !== null && (
            <>
              <Flags draft={draft} />
              <div className="jp-PPO-deskBody" aria-busy={isSaving}>
                <div className="jp-PPO-reading">
                  <DraftAnswer
                    key={draft.id}
                    draft={draft}
                    result={draft.results.find(each => each.criterion === state.focused) ?? null}
                    onLeave={focus}
                  />
                </div>
                <DraftForm model={model} state={state} draft={draft} onOpenCall={onOpenCall} />
              </div>
            </>
          )}
        </>
      )}
    </section>
  );
}

const OPEN = new Set<string>(['drafted', 'flagged', 'ready']);

interface IHeadProps {
  model: ReviewModel;
  state: IReviewState;
  item: IDraftItem;
  isHelp: boolean;
  onHelp: () => void;
}

function Head({ model, state, item, isHelp, onHelp }: IHeadProps): JSX.Element {
  const { at, items } = state;
  return (
    <div className="jp-PPO-deskHead">
      <h3>{item.who}</h3>
      <span className="jp-PPO-figures">
        {at + 1} of {items.length}
      </span>
      <span className="jp-PPO-badge jp-PPO-draftState" data-warn={item.state === 'flagged'}>
        {draftStateText(item.state)}
      </span>
      {item.is_released && <span className="jp-PPO-badge">Grade released</span>}
      <span className="jp-PPO-remark">Agreement {percentText(item.agreement)}</span>
      <div className="jp-PPO-rowActions">
        <button
          type="button"
          className="jp-PPO-button"
          aria-keyshortcuts="k"
          disabled={at === 0}
          onClick={() => void model.move(-1)}
        >
          Previous
        </button>
        <button
          type="button"
          className="jp-PPO-button"
          aria-keyshortcuts="j"
          disabled={at + 1 >= items.length}
          onClick={() => void model.move(1)}
        >
          Next
        </button>
        <button
          type="button"
          className="jp-PPO-button"
          aria-expanded={isHelp}
          aria-keyshortcuts="?"
          onClick={onHelp}
        >
          Keys (?)
        </button>
      </div>
    </div>
  );
}

function Flags({ draft }: { draft: IDraft }): JSX.Element | null {
  if (draft.flags.length === 0) {
    return null;
  }
  return (
    <ul className="jp-PPO-flags" aria-label="Why to look first">
      {draft.flags.map(flag => (
        <li key={flag} data-flag={flag}>
          {flagText(flag)}
        </li>
      ))}
    </ul>
  );
}
