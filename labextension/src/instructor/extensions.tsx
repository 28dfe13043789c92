import * as React from 'react';

import { timeText } from '../format';
import { Choice, Empty, Field, Loaded, Outcome } from './parts';
import { useActions, useLoaded } from './resource';
import type { IActions } from './resource';
import type { IExtension, IInstructorClient, INewExtension } from './types';
import { DAY, extensionText, HOUR } from './words';

interface IExtensionsProps {
  client: IInstructorClient;
  course: string;
  assignment: string;
  mayEdit: boolean;
}

/** Who has more time or attempts, giving more, and taking it back. */
export function Extensions({ client, course, assignment, mayEdit }: IExtensionsProps): JSX.Element {
  const ask = React.useCallback(
    () => client.extensions(course, assignment),
    [client, course, assignment]
  );
  const [loaded, reload] = useLoaded(ask);
  const actions = useActions();
  const revoke = (extension: IExtension): void =>
    void actions.run(async () => {
      await client.revoke(course, assignment, extension.id);
      await reload();
      return {
        kind: 'done',
        text: `The extension of ${holder(extension)} is revoked.`,
        undo: async () => {
          await client.grant(course, assignment, sameAgain(extension));
          await reload();
          return `${holder(extension)} has the extension again.`;
        }
      };
    });
  return (
    <>
      <p className="jp-PPO-remark">
        Extensions add up: those of a person and of every group that the person is in. They move the
        due date and the closing time.
      </p>
      <Outcome actions={actions} />
      <Loaded loaded={loaded} onRetry={reload}>
        {extensions =>
          extensions.length === 0 ? (
            <Empty>Nobody has an extension.</Empty>
          ) : (
            <ExtensionTable
              extensions={extensions}
              busy={actions.busy || !mayEdit}
              onRevoke={revoke}
            />
          )
        }
      </Loaded>
      {mayEdit ? (
        <GrantForm
          actions={actions}
          onGrant={async extension => {
            await client.grant(course, assignment, extension);
            await reload();
          }}
        />
      ) : (
        <p className="jp-PPO-remark">Only an instructor can give extensions.</p>
      )}
    </>
  );
}

interface ITableProps {
  extensions: readonly IExtension[];
  busy: boolean;
  onRevoke: (extension: IExtension) => void;
}

function ExtensionTable({ extensions, busy, onRevoke }: ITableProps): JSX.Element {
  return (
    <div className="jp-PPO-scroll">
      <table className="jp-PPO-table jp-PPO-extensions">
        <thead>
          <tr>
            <th scope="col">For</th>
            <th scope="col">More</th>
            <th scope="col">Reason</th>
            <th scope="col">Given</th>
            <th scope="col">
              <span className="jp-PPO-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {extensions.map(extension => (
            <tr
              key={extension.id}
              className={extension.revoked_at === null ? undefined : 'jp-mod-gone'}
            >
              <th scope="row">{holder(extension)}</th>
              <td>{extensionText(extension.seconds, extension.attempts)}</td>
              <td className="jp-PPO-words">{extension.reason}</td>
              <td>
                {timeText(extension.created_at)} by {extension.created_by}
              </td>
              <td>
                {extension.revoked_at === null ? (
                  <button
                    type="button"
                    className="jp-PPO-button"
                    aria-label={`Revoke the extension of ${holder(extension)}`}
                    disabled={busy}
                    onClick={() => onRevoke(extension)}
                  >
                    Revoke
                  </button>
                ) : (
                  `Revoked ${timeText(extension.revoked_at)}`
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface IGrantProps {
  actions: IActions;
  onGrant: (extension: INewExtension) => Promise<void>;
}

const BLANK = { name: '', days: '', hours: '', attempts: '', reason: '' };

/** Giving more time or attempts to a person or a group. */
function GrantForm({ actions, onGrant }: IGrantProps): JSX.Element {
  const [holds, setHolds] = React.useState<'user' | 'group'>('user');
  const [form, setForm] = React.useState(BLANK);
  const [problem, setProblem] = React.useState<string | null>(null);
  const submit = async (event: React.FormEvent): Promise<void> => {
    event.preventDefault();
    const seconds = Math.round(Number(form.days) * DAY + Number(form.hours) * HOUR);
    const attempts = Number(form.attempts);
    const wrong = problemOf(form.name, seconds, attempts);
    setProblem(wrong);
    if (wrong !== null) {
      return;
    }
    const name = form.name.trim();
    const done = await actions.run(async () => {
      await onGrant({ [holds]: name, seconds, attempts, reason: form.reason.trim() });
      return `${name} has ${extensionText(seconds, attempts)} more.`;
    });
    if (done) {
      setForm(BLANK);
    }
  };
  const number = (name: 'days' | 'hours' | 'attempts', label: string): JSX.Element => (
    <Field label={label}>
      {control => (
        <input
          {...control}
          type="number"
          name={name}
          min={0}
          step={name === 'attempts' ? 1 : 'any'}
          value={form[name]}
          onChange={event => setForm({ ...form, [name]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <form
      className="jp-PPO-form jp-PPO-grant"
      aria-label="New extension"
      noValidate
      onSubmit={event => void submit(event)}
    >
      <h4>New extension</h4>
      <div className="jp-PPO-formFields">
        <Field label="For">
          {control => (
            <Choice
              {...control}
              value={holds}
              options={[
                ['user', 'One person'],
                ['group', 'A group']
              ]}
              onChange={setHolds}
            />
          )}
        </Field>
        <Field label={holds === 'user' ? 'Username' : 'Group'}>
          {control => (
            <input
              {...control}
              name="holder"
              type="text"
              autoComplete="off"
              value={form.name}
              onChange={event => setForm({ ...form, name: event.target.value })}
            />
          )}
        </Field>
        {number('days', 'Days')}
        {number('hours', 'Hours')}
        {number('attempts', 'Attempts')}
        <Field label="Reason">
          {control => (
            <input
              {...control}
              name="reason"
              type="text"
              autoComplete="off"
              value={form.reason}
              onChange={event => setForm({ ...form, reason: event.target.value })}
            />
          )}
        </Field>
      </div>
      {problem !== null && (
        <p className="jp-PPO-notice jp-mod-problem" role="alert">
          {problem}
        </p>
      )}
      <div className="jp-PPO-actions">
        <button type="submit" className="jp-PPO-button jp-mod-primary" disabled={actions.busy}>
          Give extension
        </button>
      </div>
    </form>
  );
}

function problemOf(name: string, seconds: number, attempts: number): string | null {
  if (name.trim() === '') {
    return 'Say for whom the extension is.';
  }
  if (!(seconds >= 0) || !(attempts >= 0) || !Number.isInteger(attempts)) {
    return 'Use numbers from 0 on, and whole attempts.';
  }
  return seconds === 0 && attempts === 0 ? 'Give days, hours or attempts.' : null;
}

function holder(extension: IExtension): string {
  return extension.user ?? `group ${extension.group ?? ''}`;
}

/** What gives this extension once more. */
function sameAgain(extension: IExtension): INewExtension {
  const { user, group, seconds, attempts, reason } = extension;
  const holds = user === null ? { group: group ?? '' } : { user };
  return { ...holds, seconds, attempts, reason };
}
