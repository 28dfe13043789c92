import * as React from 'react';

import { Check, Choice, Field, Outcome } from './parts';
import { useActions } from './resource';
import type { BatchScope, IInstructorClient } from './types';
import { counted } from './words';

interface IGradeTasksProps {
  client: IInstructorClient;
  course: string;
  assignment: string;
  /** Entries are judged by people, so there is nothing to run. */
  isNotebook: boolean;
  mayRelease: boolean;
  onBatch: (batch: string) => void;
}

const SCOPES: readonly (readonly [BatchScope, string])[] = [
  ['ungraded', 'What was never graded'],
  ['failed', 'What failed'],
  ['all', 'Everything that counts, again']
];

/** Grading a whole class, and showing its grades. */
export function GradeTasks(props: IGradeTasksProps): JSX.Element {
  const { client, course, assignment, isNotebook, mayRelease } = props;
  const actions = useActions();
  const release = (): void =>
    void actions.run(async () => {
      const count = await client.releaseGrades(course, assignment);
      return count === 0
        ? 'Students see every grade already.'
        : `Students see the grades of ${submissions(count)} more.`;
    });
  const withdraw = (): void =>
    void actions.run(async () => {
      const count = await client.withdrawGrades(course, assignment);
      return `Students do not see the grades of ${submissions(count)} any more.`;
    });
  return (
    <>
      {isNotebook ? (
        <BatchForm
          client={client}
          course={course}
          assignment={assignment}
          title="Grade together"
          scope="ungraded"
          onNewest={false}
          onBatch={props.onBatch}
        />
      ) : (
        <p className="jp-PPO-remark">Entries are judged in the tab Outcomes.</p>
      )}
      <div className="jp-PPO-formGroup" role="group" aria-label="What students see">
        <h4>What students see</h4>
        {mayRelease ? (
          <>
            <p className="jp-PPO-remark">
              A student never sees points, feedback, comments or history before they are released.
            </p>
            <div className="jp-PPO-actions">
              <button
                type="button"
                className="jp-PPO-button jp-PPO-releaseGrades"
                disabled={actions.busy}
                onClick={release}
              >
                Release all grades
              </button>
              <button
                type="button"
                className="jp-PPO-button jp-PPO-withdrawGrades"
                disabled={actions.busy}
                onClick={withdraw}
              >
                Withdraw all grades
              </button>
            </div>
          </>
        ) : (
          <p className="jp-PPO-remark">Only an instructor can release grades.</p>
        )}
        <Outcome actions={actions} />
      </div>
    </>
  );
}

interface IBatchFormProps {
  client: IInstructorClient;
  course: string;
  assignment: string;
  title: string;
  /** What is chosen at first. */
  scope: BatchScope;
  onNewest: boolean;
  onBatch: (batch: string) => void;
}

/** Queueing many submissions, with the reason that their history will give. */
export function BatchForm(props: IBatchFormProps): JSX.Element {
  const { client, course, assignment, title, onBatch } = props;
  const [scope, setScope] = React.useState(props.scope);
  const [newest, setNewest] = React.useState(props.onNewest);
  const [reason, setReason] = React.useState('');
  const actions = useActions();
  const submit = (event: React.FormEvent): void => {
    event.preventDefault();
    void actions.run(async () => {
      const wanted = { scope, newest_version: newest, reason: reason.trim() };
      onBatch((await client.startBatch(course, assignment, wanted)).id);
      return null;
    });
  };
  return (
    <form className="jp-PPO-form jp-PPO-batchForm" aria-label={title} onSubmit={submit}>
      <h4>{title}</h4>
      <div className="jp-PPO-formFields">
        <Field label="What to grade">
          {control => (
            <Choice
              {...control}
              value={scope}
              options={SCOPES}
              onChange={setScope}
              disabled={actions.busy}
            />
          )}
        </Field>
        <Field label="Reason" hint="It stays in the history of every grade.">
          {control => (
            <input
              {...control}
              type="text"
              name="reason"
              autoComplete="off"
              value={reason}
              onChange={event => setReason(event.target.value)}
            />
          )}
        </Field>
      </div>
      <Check
        label="On the newest version, whatever version it was made on"
        checked={newest}
        onChange={setNewest}
      />
      <p className="jp-PPO-remark">
        Of each student the attempt that counts is taken. Marks, comments and extensions stay as
        they are. The queue shows progress, and then what changed.
      </p>
      <Outcome actions={actions} />
      <div className="jp-PPO-actions">
        <button type="submit" className="jp-PPO-button jp-mod-primary" disabled={actions.busy}>
          Grade
        </button>
      </div>
    </form>
  );
}

function submissions(count: number): string {
  return counted(count, 'submission', 'submissions');
}
