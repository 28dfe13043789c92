import * as React from 'react';

import { AssignmentCard } from './course/card';
import { currentAssignment, inOrder } from './course/order';
import { OpenInstructor } from './instructor/openButton';
import { LeaderboardSection } from './leaderboard';
import type { CourseModel } from './model';
import { Guide } from './preferences/guide';
import type { Mode } from './preferences/types';
import type { ICourse, ISandbox } from './types';

interface IPanelProps {
  model: CourseModel;
  /** Open the instructor area with a course; without it there is no way there. */
  onInstructor?: (course: string) => void;
  /** Open "My course" with a course; without it there is no way there. */
  onHome?: (course: string) => void;
  /** How much is explained. */
  mode?: Mode;
  /** Begin the tour, as long as the person has not taken it. */
  onTour?: () => void;
  /** The name that is offered for the leaderboard. */
  pseudonym?: string;
}

/** The whole panel. */
export function CoursePanel(props: IPanelProps): JSX.Element {
  const { model, onInstructor, onHome, mode = 'standard', onTour, pseudonym } = props;
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const { me, course, submissions } = state;
  const assignments = React.useMemo(() => inOrder(state.assignments), [state.assignments]);
  const current = currentAssignment(assignments, state.openNotebooks);
  const role = me?.courses.find(item => item.name === course)?.role;
  const isStaff = role !== undefined && role !== 'student';
  return (
    <>
      <header className="jp-PPO-header">
        <h2 className="jp-PPO-title">PPO Course</h2>
        <div className="jp-PPO-headerActions">
          {onHome && course !== null && (
            <button
              type="button"
              className="jp-PPO-button jp-PPO-openHome"
              title="Where you stand, what is next, and what you achieved"
              onClick={() => onHome(course)}
            >
              My course
            </button>
          )}
          {onInstructor && (
            <OpenInstructor
              course={me?.courses.find(item => item.name === course)}
              onOpen={onInstructor}
            />
          )}
          <button
            type="button"
            className="jp-PPO-button jp-PPO-refresh"
            onClick={() => void model.refresh()}
          >
            Refresh
          </button>
        </div>
      </header>
      {me && mode !== 'expert' && (
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
      {me && course !== null && mode === 'guided' && <Guide onTour={onTour} />}
      {me && !me.sandbox.available && me.sandbox.grading !== 'elsewhere' && (
        <SandboxBanner sandbox={me.sandbox} />
      )}
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
            terms={state.terms.get(assignment.name)}
            isStaff={isStaff}
            isCurrent={assignment.name === current}
            isVisible={state.isVisible}
            attempts={submissions.filter(item => item.assignment === assignment.name)}
            busy={state.busy.has(assignment.name)}
            notice={state.notices.get(assignment.name) ?? null}
            sources={state.sources}
            grades={state.grades}
            choice={model.choice(assignment)}
            course={course ?? ''}
            user={me?.user ?? ''}
            model={model}
          />
        ))}
      </ul>
      {state.phase === 'ready' && course !== null && (
        <LeaderboardSection
          key={course}
          course={course}
          model={model.leaderboard}
          offered={pseudonym}
        />
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
