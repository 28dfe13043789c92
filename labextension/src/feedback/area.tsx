import type { ServerConnection } from '@jupyterlab/services';
import * as React from 'react';

import { Choice, Empty, Field, Loaded } from '../instructor/parts';
import { useLoaded } from '../instructor/resource';
import { Tabs } from '../instructor/tabs';
import { mayAuthor } from '../instructor/words';
import type { ICourse } from '../types';
import { Calibration } from './calibration';
import { CallView } from './callView';
import { FeedbackClient } from './client';
import { Drafts } from './drafts';
import { ModelCalls } from './modelCalls';
import { NoModel, ModelLine } from './noModel';
import { FeedbackSettings } from './settings';
import { Spend } from './spend';
import type { IAssignmentChoice, ICalibrationItem, IFeedbackClient, IModelStatus } from './types';
import { answerName } from './words';

interface ITabProps {
  course: ICourse;
  settings: ServerConnection.ISettings;
  isVisible: boolean;
  onMarking: () => void;
}

/** Drafts of a language model for graders: review, calibration, settings, spend and audit. */
export function DraftsTab({ settings, ...props }: ITabProps): JSX.Element {
  const client = React.useMemo(() => new FeedbackClient(settings), [settings]);
  return <FeedbackArea client={client} {...props} />;
}

interface IAreaProps {
  client: IFeedbackClient;
  course: ICourse;
  isVisible: boolean;
  onMarking: () => void;
}

type View = 'drafts' | 'calibration' | 'settings' | 'spend' | 'calls';

const VIEWS: readonly (readonly [View, string])[] = [
  ['drafts', 'Review'],
  ['calibration', 'Calibration'],
  ['settings', 'Settings'],
  ['spend', 'Spend'],
  ['calls', 'Calls']
];

export function FeedbackArea({ client, course, isVisible, onMarking }: IAreaProps): JSX.Element {
  const [view, setView] = React.useState<View>('drafts');
  const [call, setCall] = React.useState<string | null>(null);
  const askStatus = React.useCallback(() => client.status(), [client]);
  const [status, reload] = useLoaded(askStatus);
  const select = (chosen: View): void => {
    setView(chosen);
    setCall(null);
  };
  return (
    <Loaded loaded={status} onRetry={reload}>
      {model => (
        <div className="jp-PPO-feedbackArea">
          {model.available ? (
            <ModelLine status={model} />
          ) : (
            <NoModel status={model} onMarking={onMarking} />
          )}
          <Tabs label="Drafts and models" tabs={VIEWS} selected={view} onSelect={select}>
            {call !== null && <CallView client={client} id={call} onBack={() => setCall(null)} />}
            {/* What is typed stays where it is while a call is looked at. */}
            <div hidden={call !== null}>
              <Content
                client={client}
                course={course}
                view={view}
                model={model}
                isVisible={isVisible}
                onCalibrate={() => select('calibration')}
                onOpenCall={setCall}
              />
            </div>
          </Tabs>
        </div>
      )}
    </Loaded>
  );
}

interface IContentProps {
  client: IFeedbackClient;
  course: ICourse;
  view: View;
  model: IModelStatus;
  isVisible: boolean;
  onCalibrate: () => void;
  onOpenCall: (id: string) => void;
}

function Content(props: IContentProps): JSX.Element {
  const { client, course, view, onOpenCall } = props;
  switch (view) {
    case 'drafts':
    case 'calibration':
      return <OfAssignment {...props} />;
    case 'settings':
      return <FeedbackSettings client={client} course={course} />;
    case 'spend':
      return <Spend client={client} course={course.name} hasModel={props.model.available} />;
    case 'calls':
      return <ModelCalls client={client} course={course.name} onOpenCall={onOpenCall} />;
  }
}

/** What is about one assignment: the choice of it, then the review or the calibration. */
function OfAssignment(props: IContentProps): JSX.Element {
  const { client, course } = props;
  const ask = React.useCallback(() => client.assignments(course.name), [client, course.name]);
  const [loaded, reload] = useLoaded(ask);
  return (
    <Loaded loaded={loaded} onRetry={reload}>
      {assignments =>
        assignments.length === 0 ? (
          <Empty>There is no assignment yet. Release one under “Assignments”.</Empty>
        ) : (
          <OfAnswer {...props} assignments={assignments} />
        )
      }
    </Loaded>
  );
}

interface IAssignmentsProps extends IContentProps {
  assignments: readonly IAssignmentChoice[];
}

function OfAnswer(props: IAssignmentsProps): JSX.Element {
  const { client, course, assignments } = props;
  const [chosen, setChosen] = React.useState(assignments[0]?.name ?? '');
  const ask = React.useCallback(
    () => client.calibrations(course.name, chosen),
    [client, course.name, chosen]
  );
  const [answers, reload] = useLoaded(ask);
  return (
    <div className="jp-PPO-ofAnswer">
      <div className="jp-PPO-formFields">
        <Field label="Assignment">
          {control => (
            <Choice
              {...control}
              value={chosen}
              options={assignments.map(({ name }) => [name, name] as const)}
              onChange={setChosen}
            />
          )}
        </Field>
      </div>
      <Loaded key={chosen} loaded={answers} onRetry={reload}>
        {items =>
          answers.phase === 'loading' ? null : items.length === 0 ? (
            <Empty>
              {chosen} has no answer in words with a rubric. Only such answers can be drafted; tests
              mark code. Write a rubric for a written answer first, or choose another assignment.
            </Empty>
          ) : (
            <Answers {...props} assignment={chosen} items={items} />
          )
        }
      </Loaded>
    </div>
  );
}

interface IAnswersProps extends IAssignmentsProps {
  assignment: string;
  items: readonly ICalibrationItem[];
}

const ALL = '*';

function Answers(props: IAnswersProps): JSX.Element {
  const { client, course, view, model, assignment, items, isVisible, onOpenCall } = props;
  const [chosen, setChosen] = React.useState(
    items.length === 1 ? (items[0]?.grade_id ?? ALL) : ALL
  );
  const all = view === 'drafts' && items.length > 1 ? ([[ALL, 'All answers']] as const) : [];
  const options = [
    ...all,
    ...items.map(({ grade_id, title }) => [grade_id, answerName(grade_id, title)] as const)
  ];
  const gradeId = options.some(([name]) => name === chosen) ? chosen : (options[0]?.[0] ?? ALL);
  const shared = { client, course: course.name, assignment, isVisible };
  return (
    <>
      <div className="jp-PPO-formFields">
        <Field label="Answer">
          {control => (
            <Choice {...control} value={gradeId} options={options} onChange={setChosen} />
          )}
        </Field>
      </div>
      {view === 'drafts' ? (
        <Drafts
          key={`${assignment} ${gradeId}`}
          {...shared}
          gradeId={gradeId === ALL || gradeId === '' ? null : gradeId}
          mayAuthor={mayAuthor(course.role)}
          hasModel={model.available}
          onCalibrate={props.onCalibrate}
          onOpenCall={onOpenCall}
        />
      ) : (
        <Calibration
          key={`${assignment} ${gradeId}`}
          {...shared}
          gradeId={gradeId}
          mayStart={mayAuthor(course.role) && model.available}
        />
      )}
    </>
  );
}
