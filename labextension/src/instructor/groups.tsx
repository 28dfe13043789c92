import * as React from 'react';

import { Empty, Field, Loaded, Outcome } from './parts';
import { useActions, useLoaded } from './resource';
import type { IGroup, IInstructorClient } from './types';
import { counted, namesOf } from './words';

interface IGroupsProps {
  client: IInstructorClient;
  course: string;
  mayEdit: boolean;
}

/** The groups of a course: who is in them, making, changing and deleting them. */
export function Groups({ client, course, mayEdit }: IGroupsProps): JSX.Element {
  const ask = React.useCallback(() => client.groups(course), [client, course]);
  const [loaded, reload] = useLoaded(ask);
  const [editing, setEditing] = React.useState<IGroup | null>(null);
  const [saved, setSaved] = React.useState(0);
  const actions = useActions();
  const save = async (group: IGroup): Promise<void> => {
    const done = await actions.run(async () => {
      await client.saveGroup(course, group.name, group.users);
      await reload();
      return `${group.name} has ${counted(group.users.length, 'member', 'members')}.`;
    });
    if (done) {
      setEditing(null);
      setSaved(count => count + 1);
    }
  };
  const remove = (group: IGroup): void =>
    void actions.run(async () => {
      await client.deleteGroup(course, group.name);
      await reload();
      return {
        kind: 'done',
        text: `The group ${group.name} is deleted. Its members stay in the course.`,
        undo: async () => {
          await client.saveGroup(course, group.name, group.users);
          await reload();
          return `The group ${group.name} is back.`;
        }
      };
    });
  return (
    <>
      <Outcome actions={actions} />
      <Loaded loaded={loaded} onRetry={reload}>
        {groups => (
          <>
            {groups.length === 0 && <Empty>There are no groups yet.</Empty>}
            {groups.length > 0 && (
              <GroupTable
                groups={groups}
                busy={actions.busy}
                onEdit={mayEdit ? setEditing : null}
                onDelete={remove}
              />
            )}
          </>
        )}
      </Loaded>
      {mayEdit && (
        <GroupForm
          key={`${saved} ${editing?.name ?? ''}`}
          group={editing}
          busy={actions.busy}
          onSave={group => void save(group)}
          onCancel={() => setEditing(null)}
        />
      )}
    </>
  );
}

interface ITableProps {
  groups: readonly IGroup[];
  busy: boolean;
  onEdit: ((group: IGroup) => void) | null;
  onDelete: (group: IGroup) => void;
}

function GroupTable({ groups, busy, onEdit, onDelete }: ITableProps): JSX.Element {
  return (
    <div className="jp-PPO-scroll">
      <table className="jp-PPO-table jp-PPO-groups">
        <thead>
          <tr>
            <th scope="col">Group</th>
            <th scope="col" className="jp-PPO-figure">
              Members
            </th>
            <th scope="col">Usernames</th>
            {onEdit && (
              <th scope="col">
                <span className="jp-PPO-hidden">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {groups.map(group => (
            <tr key={group.name} data-group={group.name}>
              <th scope="row">{group.name}</th>
              <td className="jp-PPO-figure">{group.users.length}</td>
              <td className="jp-PPO-words">{fewOf(group.users)}</td>
              {onEdit && (
                <td>
                  <div className="jp-PPO-rowActions">
                    <button
                      type="button"
                      className="jp-PPO-button"
                      aria-label={`Edit group ${group.name}`}
                      disabled={busy}
                      onClick={() => onEdit(group)}
                    >
                      Edit
                    </button>
                    <button
                      type="button"
                      className="jp-PPO-button"
                      aria-label={`Delete group ${group.name}`}
                      disabled={busy}
                      onClick={() => onDelete(group)}
                    >
                      Delete
                    </button>
                  </div>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface IFormProps {
  /** What is edited; null for a new group. */
  group: IGroup | null;
  busy: boolean;
  onSave: (group: IGroup) => void;
  onCancel: () => void;
}

function GroupForm({ group, busy, onSave, onCancel }: IFormProps): JSX.Element {
  const [name, setName] = React.useState(group?.name ?? '');
  const [users, setUsers] = React.useState(group?.users.join('\n') ?? '');
  const title = group === null ? 'New group' : `Edit group ${group.name}`;
  return (
    <form
      className="jp-PPO-form jp-PPO-groupForm"
      aria-label={title}
      onSubmit={event => {
        event.preventDefault();
        onSave({ name: name.trim(), users: namesOf(users) });
      }}
    >
      <h4>{title}</h4>
      <div className="jp-PPO-formFields">
        <Field label="Name">
          {control => (
            <input
              {...control}
              name="group"
              type="text"
              required
              autoComplete="off"
              readOnly={group !== null}
              value={name}
              onChange={event => setName(event.target.value)}
            />
          )}
        </Field>
        <Field
          label="Usernames"
          hint={`${counted(namesOf(users).length, 'person', 'people')}; one on each line, or with commas.`}
        >
          {control => (
            <textarea
              {...control}
              name="users"
              rows={4}
              spellCheck={false}
              value={users}
              onChange={event => setUsers(event.target.value)}
            />
          )}
        </Field>
      </div>
      <div className="jp-PPO-actions">
        <button type="submit" className="jp-PPO-button jp-mod-primary" disabled={busy}>
          Save group
        </button>
        {group !== null && (
          <button type="button" className="jp-PPO-button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}

const MOST_NAMES = 12;

function fewOf(users: readonly string[]): string {
  const few = users.slice(0, MOST_NAMES).join(', ');
  return users.length > MOST_NAMES ? `${few} and ${users.length - MOST_NAMES} more` : few;
}
