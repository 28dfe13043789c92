import * as React from 'react';

import { RequestError } from '../connection';
import { Choice, Field, Loaded, Outcome } from '../instructor/parts';
import { useActions, useLoaded } from '../instructor/resource';
import { mayAuthor } from '../instructor/words';
import type { ICourse } from '../types';
import { SettingsFields } from './settingsFields';
import { formOf, isStored, problemsOf, settingsOf } from './settingsModel';
import type { Problems } from './settingsModel';
import type { IFeedbackClient, IFeedbackSettings, IStoredSettings } from './types';

interface ISettingsProps {
  client: IFeedbackClient;
  course: ICourse;
}

const COURSE = '';

/** What models and hints may do: for the course, or for one assignment of it. */
export function FeedbackSettings({ client, course }: ISettingsProps): JSX.Element {
  const [scope, setScope] = React.useState(COURSE);
  const askAll = React.useCallback(() => client.assignments(course.name), [client, course.name]);
  const [assignments, reloadAll] = useLoaded(askAll);
  const ask = React.useCallback(
    async () => ({ scope, stored: await client.settings(course.name, scope || null) }),
    [client, course.name, scope]
  );
  const [loaded, reload] = useLoaded(ask);
  return (
    <Loaded loaded={assignments} onRetry={reloadAll}>
      {items => (
        <>
          <div className="jp-PPO-formFields">
            <Field label="Settings of">
              {control => (
                <Choice
                  {...control}
                  value={scope}
                  options={[
                    [COURSE, 'the whole course'] as const,
                    ...items.map(({ name }) => [name, name] as const)
                  ]}
                  onChange={setScope}
                />
              )}
            </Field>
          </div>
          <Loaded loaded={loaded} onRetry={reload}>
            {known =>
              known.scope === scope && (
                <SettingsForm
                  key={scope}
                  client={client}
                  course={course.name}
                  assignment={scope || null}
                  stored={known.stored}
                  mayEdit={mayAuthor(course.role)}
                />
              )
            }
          </Loaded>
        </>
      )}
    </Loaded>
  );
}

interface IFormProps {
  client: IFeedbackClient;
  course: string;
  assignment: string | null;
  stored: IStoredSettings;
  mayEdit: boolean;
}

function SettingsForm({ client, course, assignment, stored, mayEdit }: IFormProps): JSX.Element {
  const [seen, setSeen] = React.useState(stored);
  const [form, setForm] = React.useState(() => formOf(stored.settings));
  const [problems, setProblems] = React.useState<Problems>({});
  const [theirs, setTheirs] = React.useState<IStoredSettings | null>(null);
  const actions = useActions();
  const fill = (answer: IStoredSettings): void => {
    setSeen(answer);
    setForm(formOf(answer.settings));
    setProblems({});
    setTheirs(null);
  };
  const save = async (
    wanted: Partial<IFeedbackSettings>,
    revision: number
  ): Promise<string | null> => {
    try {
      fill(await client.saveSettings(course, assignment, wanted, revision));
      return 'Saved.';
    } catch (error) {
      if (error instanceof RequestError && error.status === 409) {
        const found = error.conflict?.theirs ?? {};
        setTheirs(
          isStored(found)
            ? (found as unknown as IStoredSettings)
            : await client.settings(course, assignment)
        );
        return null;
      }
      if (error instanceof RequestError && error.field !== null) {
        setProblems({ [error.field]: error.message });
      }
      throw error;
    }
  };
  const submit = (event: React.FormEvent): void => {
    event.preventDefault();
    const found = problemsOf(form, seen.ceilings);
    setProblems(found);
    if (Object.keys(found).length === 0) {
      void actions.run(() => save(settingsOf(form), seen.revision));
    }
  };
  const what = assignment ?? 'the course';
  return (
    <form
      className="jp-PPO-form jp-PPO-feedbackSettings"
      noValidate
      aria-label={`Settings of ${what}`}
      onSubmit={submit}
    >
      <p className="jp-PPO-remark">
        An empty field takes what holds for {assignment === null ? 'the server' : 'the course'}.
      </p>
      <fieldset disabled={!mayEdit || actions.busy}>
        <SettingsFields form={form} stored={seen} problems={problems} onChange={setForm} />
      </fieldset>
      {theirs !== null && (
        <Conflict
          theirs={theirs}
          busy={actions.busy}
          onMine={() => void actions.run(() => save(settingsOf(form), theirs.revision))}
          onTheirs={() => fill(theirs)}
        />
      )}
      {Object.keys(problems).length > 0 && actions.outcome === null && (
        <p className="jp-PPO-notice jp-mod-problem" role="alert">
          Nothing was saved: look at the marked fields.
        </p>
      )}
      <Outcome actions={actions} />
      {mayEdit ? (
        <div className="jp-PPO-actions">
          <button
            type="submit"
            className="jp-PPO-button jp-mod-primary"
            disabled={actions.busy || theirs !== null}
          >
            Save settings
          </button>
        </div>
      ) : (
        <p className="jp-PPO-remark">Only an instructor can change the settings.</p>
      )}
    </form>
  );
}

interface IConflictProps {
  theirs: IStoredSettings;
  busy: boolean;
  onMine: () => void;
  onTheirs: () => void;
}

/** Somebody else saved in between: nothing that was typed is lost. */
function Conflict({ theirs, busy, onMine, onTheirs }: IConflictProps): JSX.Element {
  return (
    <div className="jp-PPO-conflict" role="alert">
      <p>
        <strong>Somebody saved other settings meanwhile</strong> (revision {theirs.revision}):
      </p>
      <pre className="jp-PPO-answerText">{JSON.stringify(theirs.settings, null, 2)}</pre>
      <div className="jp-PPO-actions">
        <button
          type="button"
          className="jp-PPO-button jp-PPO-mine"
          disabled={busy}
          onClick={onMine}
        >
          Keep mine
        </button>
        <button type="button" className="jp-PPO-button jp-PPO-theirs" onClick={onTheirs}>
          Keep theirs
        </button>
      </div>
    </div>
  );
}
