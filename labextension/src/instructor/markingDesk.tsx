import * as React from 'react';

import { pointsText } from '../format';
import { HtmlFrame } from './frame';
import type { IAnswer, IGradingClient, IMarkingItem, IMarkingTotal } from './gradingTypes';
import { MarkConflict, MarkFields } from './markForm';
import { problemOf } from './markDraft';
import { isTyping, KeyHelp } from './markingKeys';
import { MarkingModel } from './markingModel';
import type { IDeskState, SavedState } from './markingModel';
import { Check, Empty, Problem } from './parts';

interface IDeskProps {
  client: IGradingClient;
  course: string;
  exercise: IMarkingTotal;
  /** How often an exercise was chosen: each time the keyboard comes here. */
  clicks: number;
  onSaved: () => void;
  onOpenFeedback: (submissionId: string) => void;
}

/** One exercise, one student's answer at a time, by keys. */
export function MarkingDesk(props: IDeskProps): JSX.Element {
  const { client, course, exercise, clicks, onSaved, onOpenFeedback } = props;
  const [model] = React.useState(() => new MarkingModel(client, course, exercise));
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const [isHelp, setHelp] = React.useState(false);
  const desk = React.useRef<HTMLElement>(null);
  React.useEffect(() => void model.load(), [model]);
  React.useEffect(() => {
    if (clicks > 0) {
      desk.current?.focus();
    }
  }, [clicks]);
  const markedCount = state.items.filter(item => item.mark !== null).length;
  React.useEffect(() => {
    if (markedCount > 0) {
      onSaved();
    }
    // Only when one more is marked; the function is another one with every drawing.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [markedCount]);
  const focus = (): void => desk.current?.focus();
  const press = (event: React.KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      if (event.key === 'Enter' && !event.altKey) {
        event.preventDefault();
        event.stopPropagation();
        focus();
        void model.save(true);
      }
      return;
    }
    const isUsed = isTyping(event.target)
      ? pressTyping(event, focus)
      : pressKey(event, model, desk.current, () => setHelp(!isHelp));
    if (isUsed) {
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
      aria-label={`Marking ${exercise.grade_id} of ${exercise.assignment}`}
      onKeyDown={press}
    >
      <div className="jp-PPO-deskBar">
        <Check
          label="Only waiting"
          checked={state.onlyWaiting}
          onChange={onlyWaiting => void model.load({ onlyWaiting })}
        />
        <Check
          label="Show names"
          checked={state.named}
          onChange={named => void model.load({ named })}
        />
        <button
          type="button"
          className="jp-PPO-button"
          aria-expanded={isHelp}
          onClick={() => setHelp(!isHelp)}
        >
          Keys (?)
        </button>
        {state.unsaved > 0 && (
          <span className="jp-PPO-remark">{state.unsaved} typed and not saved</span>
        )}
      </div>
      {state.named && (
        <p className="jp-PPO-remark">
          Names are shown. That is not logged anywhere, but what you have seen you cannot unsee.
        </p>
      )}
      {isHelp && (
        <KeyHelp
          onClose={() => {
            setHelp(false);
            focus();
          }}
        />
      )}
      <p className="jp-PPO-hidden" role="status" aria-live="polite">
        {state.said}
      </p>
      {state.problem !== null && <Problem text={state.problem} onRetry={() => void model.load()} />}
      {state.phase === 'loading' && item === null && (
        <p className="jp-PPO-empty" role="status">
          Loading…
        </p>
      )}
      {state.phase === 'ready' && item === null && (
        <Empty>
          {state.onlyWaiting
            ? 'No answer waits. Untick “Only waiting” to see those that are marked.'
            : 'Nobody has a graded attempt.'}
        </Empty>
      )}
      {item !== null && (
        <Desk
          model={model}
          state={state}
          item={item}
          onFocus={focus}
          onOpenFeedback={onOpenFeedback}
        />
      )}
    </section>
  );
}

interface IInnerProps {
  model: MarkingModel;
  state: IDeskState;
  item: IMarkingItem;
  onFocus: () => void;
  onOpenFeedback: (submissionId: string) => void;
}

function Desk({ model, state, item, onFocus, onOpenFeedback }: IInnerProps): JSX.Element {
  const { at, items, draft, saved } = state;
  const problem = problemOf(draft, item.max_points);
  return (
    <>
      <div className="jp-PPO-deskHead">
        <h3>{item.who}</h3>
        <span className="jp-PPO-figures">
          {at + 1} of {items.length}
        </span>
        <span className="jp-PPO-badge jp-PPO-savedState" data-saved={saved}>
          {savedText(saved, item)}
        </span>
        {item.auto_changed && (
          <span className="jp-PPO-badge" data-warn="true">
            Changed since it was marked
          </span>
        )}
        <div className="jp-PPO-rowActions">
          <button
            type="button"
            className="jp-PPO-button"
            aria-keyshortcuts="k ArrowLeft"
            disabled={at === 0}
            onClick={() => void model.move(-1)}
          >
            Previous
          </button>
          <button
            type="button"
            className="jp-PPO-button"
            aria-keyshortcuts="j ArrowRight"
            disabled={at + 1 >= items.length}
            onClick={() => void model.move(1)}
          >
            Next
          </button>
        </div>
      </div>
      <div className="jp-PPO-deskBody">
        <div className="jp-PPO-reading">
          {state.answerProblem !== null && <Problem text={state.answerProblem} />}
          {state.answer === null && state.answerProblem === null && (
            <p className="jp-PPO-empty">Loading the answer…</p>
          )}
          {state.answer !== null && (
            <Reading key={item.submission_id} answer={state.answer} onLeave={onFocus} />
          )}
        </div>
        <form
          className="jp-PPO-form jp-PPO-markForm"
          onSubmit={event => {
            event.preventDefault();
            onFocus();
            void model.save(true);
          }}
        >
          <p className="jp-PPO-remark">
            {item.waits
              ? 'It waits for your points.'
              : `It counts ${pointsText(item.score)} of ${pointsText(item.max_points)}.`}{' '}
            {item.auto_points > 0 && `The tests gave ${pointsText(item.auto_points)}.`}
          </p>
          <MarkFields
            draft={draft}
            max={item.max_points}
            problem={problem}
            onChange={typed => model.type(typed)}
          />
          {state.saveProblem !== null && <Problem text={state.saveProblem} />}
          {state.conflict && (
            <MarkConflict
              conflict={state.conflict}
              onMine={() => void model.keepMine()}
              onTheirs={() => model.keepTheirs()}
            />
          )}
          <div className="jp-PPO-actions">
            <button
              type="submit"
              className="jp-PPO-button jp-mod-primary"
              aria-keyshortcuts="Control+Enter"
              disabled={saved === 'saving'}
            >
              Save and next
            </button>
            <button
              type="button"
              className="jp-PPO-button"
              onClick={() => onOpenFeedback(item.submission_id)}
            >
              Feedback page
            </button>
          </div>
        </form>
      </div>
    </>
  );
}

interface IReadingProps {
  answer: IAnswer;
  onLeave: () => void;
}

/** The question, the answer and what to look for. */
function Reading({ answer, onLeave }: IReadingProps): JSX.Element {
  const [asText, setAsText] = React.useState(false);
  return (
    <>
      {answer.prompt_html !== '' && (
        <>
          <h4>Question</h4>
          <HtmlFrame title="Question" html={answer.prompt_html} onLeave={onLeave} />
        </>
      )}
      <div className="jp-PPO-withButton">
        <h4>Answer</h4>
        <Check label="As plain text" checked={asText} onChange={setAsText} />
      </div>
      {answer.answer_text.trim() === '' ? (
        <Empty>The answer is empty.</Empty>
      ) : asText ? (
        <pre className="jp-PPO-answerText">{answer.answer_text}</pre>
      ) : (
        <HtmlFrame title="Answer" html={answer.answer_html} onLeave={onLeave} />
      )}
      {answer.scheme !== '' && (
        <>
          <h4>
            What to look for <small>never shown to students</small>
          </h4>
          <pre className="jp-PPO-scheme">{answer.scheme}</pre>
        </>
      )}
    </>
  );
}

/** Keys while a text field has the keyboard: only the way out. */
function pressTyping(event: React.KeyboardEvent, leave: () => void): boolean {
  if (event.key !== 'Escape') {
    return false;
  }
  leave();
  return true;
}

/** Keys of the desk; answers whether the key means something here. */
function pressKey(
  event: React.KeyboardEvent,
  model: MarkingModel,
  desk: HTMLElement | null,
  onHelp: () => void
): boolean {
  const { key } = event;
  if (/^[0-9]$/.test(key)) {
    model.digit(key, event.timeStamp);
    return true;
  }
  switch (key) {
    case 'f':
      model.full();
      return true;
    case 'z':
      model.zero();
      return true;
    case 'j':
    case 'ArrowRight':
    case 'ArrowDown':
      void model.move(1);
      return true;
    case 'k':
    case 'ArrowLeft':
    case 'ArrowUp':
      void model.move(-1);
      return true;
    case 'u':
      void model.load({ onlyWaiting: !model.snapshot().onlyWaiting });
      return true;
    case 'c':
      desk?.querySelector<HTMLElement>('textarea[name="comment"]')?.focus();
      return true;
    case 'Enter':
      // On a button the key presses that.
      if (event.target !== desk) {
        return false;
      }
      void model.save(true);
      return true;
    case '?':
      onHelp();
      return true;
    default:
      return false;
  }
}

function savedText(saved: SavedState, item: IMarkingItem): string {
  switch (saved) {
    case 'new':
      return item.waits ? 'Waiting' : 'Not marked';
    case 'typed':
      return 'Not saved';
    case 'saving':
      return 'Saving…';
    case 'saved':
      return item.mark?.marked_by ? `Saved by ${item.mark.marked_by}` : 'Saved';
  }
}
