import type { ServerConnection } from '@jupyterlab/services';
import * as React from 'react';

import { DraftsTab } from '../feedback/area';
import type { ICourse } from '../types';
import { AssignmentsTab } from './assignments';
import { ClassProgressTab } from './classProgress';
import { GradebookTab } from './gradebook';
import { MarkingTab } from './marking';
import { TABS } from './model';
import type { IAreaState, InstructorModel } from './model';
import { OutcomesTab } from './outcomes';
import { Empty, Problem } from './parts';
import { PeopleTab } from './people';
import { QueueTab } from './queue';
import { Tabs } from './tabs';
import type { IInstructorClient } from './types';
import { WebhooksTab } from './webhooks';
import { roleText } from './words';

interface IAreaProps {
  model: InstructorModel;
  client: IInstructorClient;
  settings: ServerConnection.ISettings;
  onOpenFeedback: (submissionId: string) => void;
}

/** The whole area: the choice of the course, the tabs, and what the chosen tab shows. */
export function InstructorArea(props: IAreaProps): JSX.Element {
  const { model } = props;
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const { course } = state;
  return (
    <>
      <div className="jp-PPO-areaHeader">
        <h2 className="jp-PPO-title">PPO Instructor</h2>
        {course && (
          <CourseChoice
            courses={state.courses}
            selected={course}
            onSelect={name => model.selectCourse(name)}
          />
        )}
        <button
          type="button"
          className="jp-PPO-button"
          disabled={state.phase === 'loading'}
          onClick={() => void model.refresh()}
        >
          Refresh
        </button>
      </div>
      {state.problem !== null && (
        <Problem text={state.problem} onRetry={() => void model.refresh()} />
      )}
      {state.me === null && state.phase === 'loading' && (
        <p className="jp-PPO-empty" role="status">
          Loading…
        </p>
      )}
      {state.me !== null && course === null && (
        <Empty>
          You do not grade in any course. An instructor can give you the role of a grader or an
          instructor; an admin makes a course with “jupyter ppo course create”.
        </Empty>
      )}
      {course && (
        <Tabs
          label="What to see of the course"
          tabs={TABS}
          selected={state.tab}
          onSelect={tab => model.selectTab(tab)}
        >
          {/* Each course has its own: what was typed for one is not shown in another. */}
          <TabContent
            key={`${course.name} ${state.round}`}
            {...props}
            state={state}
            course={course}
          />
        </Tabs>
      )}
    </>
  );
}

interface IChoiceProps {
  courses: readonly ICourse[];
  selected: ICourse;
  onSelect: (name: string) => void;
}

/** Which course is shown, and as what one is in it. */
function CourseChoice({ courses, selected, onSelect }: IChoiceProps): JSX.Element {
  return (
    <label className="jp-PPO-courseChoice">
      <span>Course</span>
      <select value={selected.name} onChange={event => onSelect(event.target.value)}>
        {courses.map(course => (
          <option key={course.name} value={course.name}>
            {course.title} ({course.name})
          </option>
        ))}
      </select>
      <span className="jp-PPO-badge">{roleText(selected.role)}</span>
    </label>
  );
}

interface IContentProps extends IAreaProps {
  state: IAreaState;
  course: ICourse;
}

function TabContent(props: IContentProps): JSX.Element {
  const { client, course, model, onOpenFeedback, settings, state } = props;
  const grading = { course: course.name, settings, onOpenFeedback };
  switch (state.tab) {
    case 'assignments':
      return (
        <AssignmentsTab client={client} course={course} onBatch={batch => model.showBatch(batch)} />
      );
    case 'gradebook':
      return <GradebookTab {...grading} />;
    case 'progress':
      return <ClassProgressTab course={course} settings={settings} />;
    case 'marking':
      return <MarkingTab {...grading} />;
    case 'drafts':
      return (
        <DraftsTab
          course={course}
          settings={settings}
          isVisible={state.visible}
          onMarking={() => model.selectTab('marking')}
        />
      );
    case 'outcomes':
      return <OutcomesTab {...grading} />;
    case 'queue':
      return (
        <QueueTab
          client={client}
          course={course.name}
          batch={state.batch}
          visible={state.visible}
          onOpenFeedback={onOpenFeedback}
        />
      );
    case 'webhooks':
      return <WebhooksTab course={course} settings={settings} />;
    case 'people':
      return <PeopleTab client={client} course={course} />;
  }
}
