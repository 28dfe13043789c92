import * as React from 'react';

import { HtmlFrame } from '../instructor/frame';
import { isTyping, KeyHelp } from '../instructor/markingKeys';
import type { Keys } from '../instructor/markingKeys';
import { Empty, Loaded, Outcome } from '../instructor/parts';
import { useActions, useLoaded } from '../instructor/resource';
import { LevelChoice } from './draftRubric';
import type { IFeedbackClient, IToMark } from './types';

interface IMarksProps {
  client: IFeedbackClient;
  course: string;
  assignment: string;
  gradeId: string;
  onMarked: () => Promise<void>;
}

/** One answer after the other that has no levels yet. */
export function CalibrationMarks(props: IMarksProps): JSX.Element {
  const { client, course, assignment, gradeId, onMarked } = props;
  // What is asked for is one of two: an answer, or the news that none is left.
  const ask = React.useCallback(
    async () => ({ answer: await client.next(course, assignment, gradeId) }),
    [client, course, assignment, gradeId]
  );
  const [loaded, reload] = useLoaded(ask);
  const actions = useActions();
  const [count, setCount] = React.useState(0);
  const save = async (answer: IToMark, levels: Record<string, string>): Promise<boolean> =>
    actions.run(async () => {
      await client.putLevels(course, assignment, gradeId, answer.submission_id, levels);
      setCount(count + 1);
      await Promise.all([reload(), onMarked()]);
      return `Saved for ${answer.who}.`;
    });
  return (
    <>
      <Outcome actions={actions} />
      <Loaded loaded={loaded} onRetry={reload}>
        {({ answer }) =>
          answer === null ? (
            <Empty>No answer is left to mark for the calibration.</Empty>
          ) : (
            <OneAnswer
              key={answer.submission_id}
              answer={answer}
              busy={actions.busy}
              isNext={count > 0}
              onSave={levels => save(answer, levels)}
            />
          )
        }
      </Loaded>
    </>
  );
}

const KEYS: Keys = [
  ['1 … 9', 'This level for the criterion in front, then the next criterion'],
  ['j', 'Next criterion'],
  ['k', 'Previous criterion'],
  ['Enter', 'Save, once every criterion has a level'],
  ['?', 'This help']
];

interface IOneProps {
  answer: IToMark;
  busy: boolean;
  /** Whether one was marked before: then the keyboard stays here. */
  isNext: boolean;
  onSave: (levels: Record<string, string>) => Promise<boolean>;
}

function OneAnswer({ answer, busy, isNext, onSave }: IOneProps): JSX.Element {
  const { rubric } = answer;
  const [levels, setLevels] = React.useState<Record<string, string>>({});
  const [at, setAt] = React.useState(0);
  const [isHelp, setHelp] = React.useState(false);
  const desk = React.useRef<HTMLElement>(null);
  const id = React.useId();
  React.useEffect(() => {
    if (isNext) {
      desk.current?.focus();
    }
  }, [isNext]);
  const isWhole = rubric.every(({ name }) => levels[name] !== undefined);
  const save = (): void => {
    if (isWhole && !busy) {
      void onSave(levels);
    }
  };
  const choose = (index: number, level: string): void => {
    const criterion = rubric[index];
    if (criterion !== undefined) {
      setLevels(now => ({ ...now, [criterion.name]: level }));
    }
  };
  const press = (event: React.KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
      return;
    }
    const level = /^[1-9]$/.test(event.key) ? rubric[at]?.levels[Number(event.key) - 1] : undefined;
    if (level !== undefined) {
      choose(at, level.name);
      setAt(Math.min(rubric.length - 1, at + 1));
    } else if (event.key === 'j') {
      setAt(Math.min(rubric.length - 1, at + 1));
    } else if (event.key === 'k') {
      setAt(Math.max(0, at - 1));
    } else if (event.key === 'Enter' && !(event.target instanceof HTMLButtonElement)) {
      save();
    } else if (event.key === '?') {
      setHelp(!isHelp);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <section
      ref={desk}
      className="jp-PPO-desk jp-PPO-calibrating"
      tabIndex={-1}
      aria-label="An answer to mark"
      onKeyDown={press}
    >
      <div className="jp-PPO-deskHead">
        <h3>{answer.who}</h3>
        <div className="jp-PPO-rowActions">
          <button
            type="button"
            className="jp-PPO-button"
            aria-expanded={isHelp}
            aria-keyshortcuts="?"
            onClick={() => setHelp(!isHelp)}
          >
            Keys (?)
          </button>
        </div>
      </div>
      {isHelp && (
        <KeyHelp
          keys={KEYS}
          onClose={() => {
            setHelp(false);
            desk.current?.focus();
          }}
        />
      )}
      <div className="jp-PPO-deskBody">
        <div className="jp-PPO-reading">
          {answer.prompt_html !== '' && (
            <>
              <h4>Question</h4>
              <HtmlFrame
                title="Question"
                html={answer.prompt_html}
                onLeave={() => desk.current?.focus()}
              />
            </>
          )}
          <h4>Answer</h4>
          <HtmlFrame
            title="Answer"
            html={answer.answer_html}
            onLeave={() => desk.current?.focus()}
          />
        </div>
        <form
          className="jp-PPO-form jp-PPO-draftForm"
          aria-label="Levels"
          onSubmit={event => {
            event.preventDefault();
            save();
          }}
        >
          {rubric.map((criterion, index) => (
            <div
              key={criterion.name}
              className="jp-PPO-criterion"
              data-criterion={criterion.name}
              data-focused={index === at}
              onFocus={() => setAt(index)}
            >
              <h4 id={`${id}-${index}`}>{criterion.title}</h4>
              {criterion.description !== '' && <p>{criterion.description}</p>}
              {criterion.note !== '' && (
                <p className="jp-PPO-remark jp-PPO-staffNote">For graders: {criterion.note}</p>
              )}
              <LevelChoice
                labelledBy={`${id}-${index}`}
                levels={criterion.levels}
                chosen={levels[criterion.name] ?? ''}
                isNumbered
                onChoose={level => choose(index, level)}
              />
            </div>
          ))}
          <div className="jp-PPO-actions">
            <button
              type="submit"
              className="jp-PPO-button jp-mod-primary"
              disabled={busy || !isWhole}
            >
              Save and next
            </button>
          </div>
        </form>
      </div>
    </section>
  );
}
