import * as React from 'react';

import { ExerciseList } from '../exercises';
import { isShown, passedOverText, pointsLabel } from '../format';
import type { CourseModel, INotice } from '../model';
import type { Choice } from '../notebooks';
import type { IAssignment, IGrade, ISubmission } from '../types';
import { AttemptList, AttemptState, Notice, Receipt } from './attempts';
import { DueDate } from './dueDate';
import { EntrySection } from './entry';
import { OutcomeSection } from './rubric';
import type { IStudentTerms } from './types';
import { useValidation, ValidationResult } from './validation';
import { isRunning } from './validationModel';
import { closedText } from './words';

interface ICardProps {
  course: string;
  user: string;
  assignment: IAssignment;
  /** The terms, as far as they are known. */
  terms: IStudentTerms | undefined;
  /** Staff are not bound by the terms. */
  isStaff: boolean;
  /** Whether the notebook in front belongs to it. */
  isCurrent: boolean;
  /** Whether the panel can be seen. */
  isVisible: boolean;
  /** Newest first. */
  attempts: readonly ISubmission[];
  busy: boolean;
  notice: INotice | null;
  /** The files that were handed in from here, by submission. */
  sources: ReadonlyMap<string, string>;
  /** What attempts scored by exercise, where that is known. */
  grades: ReadonlyMap<string, IGrade | string>;
  /** Which open notebook Submit would send. */
  choice: Choice;
  model: CourseModel;
}

/** One assignment: its terms, its state, its buttons, its attempts. */
export function AssignmentCard(props: ICardProps): JSX.Element {
  const { assignment, terms, attempts, busy, notice, sources, model, isCurrent } = props;
  const card = useScrolledInto<HTMLLIElement>(isCurrent && props.isVisible);
  const latest = attempts[0] ?? null;
  const shown = attempts.find(isShown) ?? null;
  const counting = attempts.find(attempt => attempt.counts) ?? null;
  const name = assignment.name;
  const closed = props.isStaff ? null : closedText(terms);
  const isEntry = assignment.kind === 'entry';
  const onCopy = (item: ISubmission): void => model.copyReceipt(item);
  return (
    <li
      ref={card}
      className={`jp-PPO-assignment${isCurrent ? ' jp-mod-current' : ''}`}
      data-assignment={name}
      aria-busy={busy}
      aria-current={isCurrent ? 'true' : undefined}
    >
      <h3 className="jp-PPO-assignmentTitle">{name}</h3>
      {isCurrent && <p className="jp-PPO-current">The notebook in front belongs to this.</p>}
      <p className="jp-PPO-points">{pointsLabel(assignment.points)}</p>
      <DueDate assignment={assignment} terms={terms} made={attempts.length} />
      <AttemptState submission={latest} />
      {latest && <Receipt submission={latest} path={sources.get(latest.id)} onCopy={onCopy} />}
      {counting && counting !== latest && (
        <p className="jp-PPO-counting">Attempt {counting.attempt} is the one that counts.</p>
      )}
      {isEntry ? (
        <EntrySection
          course={props.course}
          user={props.user}
          assignment={assignment}
          closed={closed}
          busy={busy}
          model={model}
        />
      ) : (
        <NotebookButtons {...props} closed={closed} />
      )}
      <div className="jp-PPO-buttons jp-PPO-feedbackRow">
        <button
          type="button"
          className="jp-PPO-button jp-PPO-feedback"
          aria-label={`Feedback on ${name}`}
          disabled={busy || shown === null}
          onClick={() => shown && void model.feedback(shown)}
        >
          Feedback
        </button>
      </div>
      {closed !== null && <p className="jp-PPO-closed">{closed}</p>}
      {notice && <Notice notice={notice} />}
      {!isEntry && (
        <ValidationResult course={props.course} assignment={name} model={model.validation} />
      )}
      {shown &&
        (isEntry ? (
          <OutcomeSection
            key={`${shown.id} ${shown.points}`}
            submission={shown}
            model={model.entries}
          />
        ) : (
          <ExerciseList
            key={`${shown.id} ${shown.points}`}
            submission={shown}
            grade={props.grades.get(shown.id) ?? null}
            model={model}
          />
        ))}
      {attempts.length > 0 && (
        <AttemptList
          attempts={attempts}
          onFeedback={item => void model.feedback(item)}
          onCopy={onCopy}
        />
      )}
    </li>
  );
}

/** For an element that is scrolled into view whenever `wanted` becomes true. */
function useScrolledInto<T extends Element>(wanted: boolean): React.RefObject<T> {
  const element = React.useRef<T>(null);
  React.useEffect(() => {
    if (wanted) {
      // Not every browser engine has it.
      element.current?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [wanted]);
  return element;
}

/** What can be done with a notebook assignment. */
function NotebookButtons(props: ICardProps & { closed: string | null }): JSX.Element {
  const { course, assignment, busy, choice, closed, model } = props;
  const name = assignment.name;
  const sends = sendsText(choice);
  const sendsId = React.useId();
  const tried = useValidation({ course, assignment: name, model: model.validation });
  return (
    <>
      <div className="jp-PPO-buttons">
        <button
          type="button"
          className="jp-PPO-button jp-PPO-get"
          aria-label={`Get notebook of ${name}`}
          disabled={busy}
          onClick={() => void model.get(assignment)}
        >
          Get notebook
        </button>
        <button
          type="button"
          className="jp-PPO-button jp-PPO-validate"
          aria-label={`Validate ${name}`}
          title="Runs the tests that you can read on your notebook; nothing is handed in."
          disabled={busy || (tried !== null && isRunning(tried.trial))}
          onClick={() => void model.validate(assignment)}
        >
          Validate
        </button>
        <button
          type="button"
          className="jp-PPO-button jp-PPO-submit jp-mod-primary"
          aria-label={`Submit ${name}`}
          aria-describedby={sends === null ? undefined : sendsId}
          title={sends ?? undefined}
          disabled={busy || closed !== null}
          onClick={() => void model.submit(assignment)}
        >
          Submit
        </button>
        <button
          type="button"
          className="jp-PPO-button jp-PPO-submitFile"
          aria-label={`Submit a file for ${name}`}
          title="Hands in a saved model (.zip) or a notebook that you choose."
          disabled={busy || closed !== null}
          onClick={() => void model.submitFile(assignment)}
        >
          Submit a file…
        </button>
      </div>
      {sends !== null && (
        <p className="jp-PPO-sends" id={sendsId}>
          {sends}
        </p>
      )}
    </>
  );
}

/** Which file Submit would send, or null when it has to look for one or to ask. */
function sendsText(choice: Choice): string | null {
  if (choice.kind !== 'found') {
    return null;
  }
  const sends = `Submit sends ${choice.path}`;
  return choice.passedOver === null ? sends : `${sends}. ${passedOverText(choice.passedOver)}`;
}
