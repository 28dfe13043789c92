import * as React from 'react';

import { Field, Outcome } from './parts';
import { useActions } from './resource';
import type { IInstructorClient, IRosterImport } from './types';
import { counted } from './words';

interface IImportProps {
  client: IInstructorClient;
  course: string;
}

/** Reading a list of people: first what it would do, then doing it. */
export function ImportPeople({ client, course }: IImportProps): JSX.Element {
  const [file, setFile] = React.useState<File | null>(null);
  const [trial, setTrial] = React.useState<IRosterImport | null>(null);
  const actions = useActions();
  const look = (chosen: File | null): void => {
    setFile(chosen);
    setTrial(null);
    actions.clear();
    if (chosen !== null) {
      void actions.run(async () => {
        setTrial(await client.importMembers(course, chosen, true));
        return null;
      });
    }
  };
  const apply = (chosen: File): void =>
    void actions.run(async () => {
      const done = await client.importMembers(course, chosen, false);
      if (!done.applied) {
        setTrial(done);
        return { kind: 'problem', text: 'Nothing was changed: the list has problems now.' };
      }
      setTrial(null);
      return `Done: ${changesText(done)}.`;
    });
  return (
    <>
      <p>
        A CSV file with a heading. It needs the column <code>user</code>; <code>role</code>,{' '}
        <code>first_name</code>, <code>last_name</code>, <code>email</code>,{' '}
        <code>lms_user_id</code> and <code>groups</code> (with semicolons between them) may follow.
        Nobody is unenrolled by it.
      </p>
      <div className="jp-PPO-formFields">
        <Field label="File" hint="Choosing one changes nothing yet.">
          {control => (
            <input
              {...control}
              type="file"
              name="people"
              accept=".csv,.tsv,.txt,text/csv"
              disabled={actions.busy}
              onChange={event => look(event.target.files?.[0] ?? null)}
            />
          )}
        </Field>
      </div>
      {actions.busy && <p role="status">Reading…</p>}
      <Outcome actions={actions} />
      {file !== null && trial !== null && (
        <TrialResult
          name={file.name}
          trial={trial}
          busy={actions.busy}
          onApply={() => apply(file)}
        />
      )}
    </>
  );
}

interface ITrialProps {
  name: string;
  trial: IRosterImport;
  busy: boolean;
  onApply: () => void;
}

/** What the list would do, or why it cannot be used. */
function TrialResult({ name, trial, busy, onApply }: ITrialProps): JSX.Element {
  if (trial.problems.length > 0) {
    return (
      <div className="jp-PPO-trial" role="alert">
        <p>
          <strong>{name} cannot be used yet.</strong> Correct these lines and choose it again;
          nothing was changed.
        </p>
        <div className="jp-PPO-scroll">
          <table className="jp-PPO-table jp-PPO-listProblems">
            <thead>
              <tr>
                <th scope="col" className="jp-PPO-figure">
                  Line
                </th>
                <th scope="col">Column</th>
                <th scope="col">Problem</th>
              </tr>
            </thead>
            <tbody>
              {trial.problems.map((problem, index) => (
                <tr key={index}>
                  <td className="jp-PPO-figure">{problem.line}</td>
                  <td>{problem.field}</td>
                  <td className="jp-PPO-words">{problem.message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {trial.problem_count > trial.problems.length && (
          <p>
            These are the first {trial.problems.length} of {trial.problem_count} problems.
          </p>
        )}
      </div>
    );
  }
  const isIdle = trial.added + trial.changed === 0;
  return (
    <div className="jp-PPO-trial" role="status">
      <p>
        <strong>{name}</strong> would do this: {changesText(trial)}.
      </p>
      <div className="jp-PPO-actions">
        <button
          type="button"
          className="jp-PPO-button jp-mod-primary jp-PPO-apply"
          disabled={busy || isIdle}
          onClick={onApply}
        >
          Import {counted(trial.added + trial.changed, 'person', 'people')}
        </button>
      </div>
    </div>
  );
}

function changesText(result: IRosterImport): string {
  return `${result.added} added, ${result.changed} changed, ${result.unchanged} unchanged`;
}
