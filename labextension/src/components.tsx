import * as React from 'react';

import { ExerciseList, UnsealedMark } from './exercises';
import {
  isPending,
  passedOverText,
  pointsLabel,
  receiptText,
  scoreText,
  stateText,
  timeText
} from './format';
import { LeaderboardSection } from './leaderboard';
import type { CourseModel, INotice } from './model';
import type { Choice } from './notebooks';
import type { IAssignment, ICourse, IGrade, ISandbox, ISubmission } from './types';

interface IPanelProps {
  model: CourseModel;
}

/** The whole panel. */
export function CoursePanel({ model }: IPanelProps): JSX.Element {
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const { me, course, assignments, submissions } = state;
  return (
    <>
      <header className="jp-PPO-header">
        <h2 className="jp-PPO-title">PPO Course</h2>
        <button
          type="button"
          className="jp-PPO-button jp-PPO-refresh"
          onClick={() => void model.refresh()}
        >
          Refresh
        </button>
      </header>
      {me && (
        <p className="jp-PPO-user">
          Signed in as <strong>{me.user}</strong>
        </p>
      )}
      {me && course !== null && (
        <CourseSwitcher
          courses={me.courses}
          selected={course}
          onSelect={name => void model.selectCourse(name)}
        />
      )}
      {me && !me.sandbox.available && <SandboxBanner sandbox={me.sandbox} />}
      {state.problem !== null && (
        <p className="jp-PPO-notice jp-mod-problem" role="alert">
          {state.problem}
        </p>
      )}
      {state.phase === 'loading' && (
        <p className="jp-PPO-empty" role="status">
          Loading…
        </p>
      )}
      {state.phase === 'ready' && assignments.length === 0 && (
        <p className="jp-PPO-empty">
          {course === null
            ? 'You are not in a course yet. Ask your instructor to add you.'
            : 'No assignments are released yet.'}
        </p>
      )}
      <ul className="jp-PPO-assignments" aria-label="Assignments">
        {assignments.map(assignment => (
          <AssignmentCard
            key={assignment.name}
            assignment={assignment}
            attempts={submissions.filter(item => item.assignment === assignment.name)}
            busy={state.busy.has(assignment.name)}
            notice={state.notices.get(assignment.name) ?? null}
            sources={state.sources}
            grades={state.grades}
            choice={model.choice(assignment)}
            model={model}
          />
        ))}
      </ul>
      {state.phase === 'ready' && course !== null && (
        <LeaderboardSection key={course} course={course} model={model.leaderboard} />
      )}
    </>
  );
}

interface ISwitcherProps {
  courses: readonly ICourse[];
  selected: string;
  onSelect: (name: string) => void;
}

/** The course's title, or a choice if the person is in several. */
export function CourseSwitcher({ courses, selected, onSelect }: ISwitcherProps): JSX.Element {
  if (courses.length < 2) {
    return <p className="jp-PPO-course">{courses[0]?.title}</p>;
  }
  return (
    <label className="jp-PPO-course">
      <span>Course</span>
      <select value={selected} onChange={event => onSelect(event.target.value)}>
        {courses.map(course => (
          <option key={course.name} value={course.name}>
            {course.title}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Says that nothing can be graded now, why, and what to do. */
export function SandboxBanner({ sandbox }: { sandbox: ISandbox }): JSX.Element {
  return (
    <div className="jp-PPO-banner" role="status">
      <strong>Grading is unavailable.</strong> {sandbox.problem} {sandbox.remedy}
    </div>
  );
}

interface ICardProps {
  assignment: IAssignment;
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

/** One assignment: its state, its buttons, its attempts. */
export function AssignmentCard(props: ICardProps): JSX.Element {
  const { assignment, attempts, busy, notice, sources, grades, choice, model } = props;
  const latest = attempts[0] ?? null;
  const graded = attempts.find(attempt => attempt.state === 'graded') ?? null;
  const name = assignment.name;
  const sends = sendsText(choice);
  const sendsId = React.useId();
  return (
    <li className="jp-PPO-assignment" data-assignment={name} aria-busy={busy}>
      <h3 className="jp-PPO-assignmentTitle">{name}</h3>
      <p className="jp-PPO-points">{pointsLabel(assignment.points)}</p>
      <AttemptState submission={latest} />
      {latest && <Receipt submission={latest} path={sources.get(latest.id)} />}
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
          className="jp-PPO-button jp-PPO-submit jp-mod-primary"
          aria-label={`Submit ${name}`}
          aria-describedby={sends === null ? undefined : sendsId}
          title={sends ?? undefined}
          disabled={busy}
          onClick={() => void model.submit(assignment)}
        >
          Submit
        </button>
        <button
          type="button"
          className="jp-PPO-button jp-PPO-feedback"
          aria-label={`Feedback on ${name}`}
          disabled={busy || graded === null}
          onClick={() => graded && void model.feedback(graded)}
        >
          Feedback
        </button>
      </div>
      {sends !== null && (
        <p className="jp-PPO-sends" id={sendsId}>
          {sends}
        </p>
      )}
      {notice && <Notice notice={notice} />}
      {graded && (
        <ExerciseList
          key={`${graded.id} ${graded.points}`}
          submission={graded}
          grade={grades.get(graded.id) ?? null}
          model={model}
        />
      )}
      {attempts.length > 0 && (
        <AttemptList attempts={attempts} onFeedback={item => void model.feedback(item)} />
      )}
    </li>
  );
}

/** The state and the score of the latest attempt, read out when they change. */
export function AttemptState({ submission }: { submission: ISubmission | null }): JSX.Element {
  const score = scoreText(submission);
  const showScore = submission?.state === 'graded' && score !== null;
  return (
    <div className="jp-PPO-latest" role="status" aria-live="polite">
      <span className="jp-PPO-state" data-state={submission?.state ?? 'none'}>
        {submission && isPending(submission) && (
          <span className="jp-PPO-spinner" aria-hidden="true" />
        )}
        {stateText(submission)}
      </span>
      {showScore && (
        <span>
          <UnsealedMark submission={submission} /> <span className="jp-PPO-score">{score}</span>
        </span>
      )}
    </div>
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

/** The proof that the latest attempt arrived, and what the service warned of; it stays. */
export function Receipt(props: { submission: ISubmission; path?: string }): JSX.Element {
  const { submission, path } = props;
  return (
    <div className="jp-PPO-receipt" role="status">
      {receiptText(submission, path)}
      {submission.warnings.length > 0 && (
        <ul className="jp-PPO-warnings" aria-label="Warnings">
          {submission.warnings.map(warning => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** The outcome of the last action. */
export function Notice({ notice }: { notice: INotice }): JSX.Element {
  const problem = notice.kind === 'problem';
  return (
    <div
      className={`jp-PPO-notice ${problem ? 'jp-mod-problem' : 'jp-mod-done'}`}
      role={problem ? 'alert' : 'status'}
    >
      {notice.text}
    </div>
  );
}

interface IAttemptListProps {
  attempts: readonly ISubmission[];
  onFeedback: (submission: ISubmission) => void;
}

/** Every attempt with its time and score, folded away. */
export function AttemptList({ attempts, onFeedback }: IAttemptListProps): JSX.Element {
  return (
    <details className="jp-PPO-attempts">
      <summary>Attempts ({attempts.length})</summary>
      <ol>
        {attempts.map(item => (
          <li key={item.id} value={item.attempt}>
            <time dateTime={item.submitted_at}>{timeText(item.submitted_at)}</time>
            {item.state === 'graded' ? (
              <button
                type="button"
                className="jp-PPO-link"
                aria-label={`Feedback on attempt ${item.attempt}, ${scoreText(item) ?? ''}`}
                onClick={() => onFeedback(item)}
              >
                {scoreText(item)}
              </button>
            ) : (
              <span>{stateText(item)}</span>
            )}
          </li>
        ))}
      </ol>
    </details>
  );
}
