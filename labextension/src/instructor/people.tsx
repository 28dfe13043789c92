import * as React from 'react';

import { timeText } from '../format';
import type { ICourse } from '../types';
import { PEOPLE_PER_PAGE } from './client';
import { Groups } from './groups';
import { ImportPeople } from './importPeople';
import { Check, Choice, Empty, Field, Loaded, Outcome, Pager } from './parts';
import { PersonForm } from './personForm';
import { useActions, useLoaded } from './resource';
import { Tabs } from './tabs';
import { Trash } from './trash';
import type { CourseRole, IGroup, IInstructorClient, IMember, IMemberFilter } from './types';
import { counted, mayAuthor, nameText, ROLES, roleText } from './words';

interface IPeopleProps {
  client: IInstructorClient;
  course: ICourse;
}

type Section = 'members' | 'groups' | 'import' | 'trash';

const SECTIONS: readonly (readonly [Section, string])[] = [
  ['members', 'Members'],
  ['groups', 'Groups'],
  ['import', 'Import a list'],
  ['trash', 'Trash']
];

/** Who is in a course, in which groups, lists of people, and what was deleted. */
export function PeopleTab({ client, course }: IPeopleProps): JSX.Element {
  const [section, setSection] = React.useState<Section>('members');
  const mayEdit = mayAuthor(course.role);
  const place = { client, course: course.name, mayEdit };
  return (
    <Tabs
      label="What to see of the people"
      tabs={mayEdit ? SECTIONS : SECTIONS.slice(0, 2)}
      selected={section}
      onSelect={setSection}
    >
      {section === 'members' && <Members {...place} />}
      {section === 'groups' && <Groups {...place} />}
      {section === 'import' && <ImportPeople client={client} course={course.name} />}
      {section === 'trash' && <Trash client={client} course={course.name} />}
    </Tabs>
  );
}

interface IMembersProps {
  client: IInstructorClient;
  course: string;
  mayEdit: boolean;
}

const EVERYBODY: IMemberFilter = { search: '', role: '', group: '', removed: false, offset: 0 };

/** How long the search waits for the next letter, in milliseconds. */
const PAUSE_MS = 250;

/** The table of the people with its search, its filters and its forms. */
function Members({ client, course, mayEdit }: IMembersProps): JSX.Element {
  const [filter, setFilter] = React.useState(EVERYBODY);
  const ask = React.useCallback(() => client.members(course, filter), [client, course, filter]);
  const [loaded, reload] = useLoaded(ask);
  const askGroups = React.useCallback(() => client.groups(course), [client, course]);
  const [groups, reloadGroups] = useLoaded(askGroups);
  // Whose form is open: a member's, or that of somebody new.
  const [editing, setEditing] = React.useState<IMember | 'new' | null>(null);
  const actions = useActions();
  const unenrol = (member: IMember): void =>
    void actions.run(async () => {
      await client.unenrol(course, member.user);
      await reload();
      return {
        kind: 'done',
        text: `${member.user} is not in the course any more. Their work is kept.`,
        undo: async () => {
          await enrolAgain(client, course, member);
          await reload();
          return `${member.user} is in the course again.`;
        }
      };
    });
  const enrol = (member: IMember): void =>
    void actions.run(async () => {
      await enrolAgain(client, course, member);
      await reload();
      return `${member.user} is in the course again.`;
    });
  return (
    <>
      <div className="jp-PPO-toolbar">
        <Filters
          filter={filter}
          groups={groups.value ?? []}
          onChange={change => setFilter({ ...filter, ...change, offset: 0 })}
        />
        {mayEdit && (
          <button
            type="button"
            className="jp-PPO-button jp-mod-primary jp-PPO-addPerson"
            onClick={() => setEditing('new')}
          >
            Add a person
          </button>
        )}
      </div>
      {editing !== null && (
        <PersonForm
          key={editing === 'new' ? '' : editing.user}
          client={client}
          course={course}
          member={editing === 'new' ? null : editing}
          onCancel={() => setEditing(null)}
          onSaved={user => {
            setEditing(null);
            void reload();
            void reloadGroups();
            void actions.run(() => Promise.resolve(`${user} is saved.`));
          }}
        />
      )}
      <Outcome actions={actions} />
      <Loaded loaded={loaded} onRetry={reload}>
        {page => (
          <>
            {page.items.length === 0 ? (
              <Empty>
                {page.total === 0 && filter === EVERYBODY
                  ? 'Nobody is in this course yet.'
                  : 'Nobody is like this. Change the search or the filters.'}
              </Empty>
            ) : (
              <MemberTable
                members={page.items}
                busy={actions.busy}
                onEdit={mayEdit ? setEditing : null}
                onUnenrol={unenrol}
                onEnrol={enrol}
              />
            )}
            <p className="jp-PPO-remark">{counted(page.total, 'person', 'people')}</p>
            <Pager
              what="the people"
              offset={filter.offset}
              limit={PEOPLE_PER_PAGE}
              total={page.total}
              onMove={offset => setFilter({ ...filter, offset })}
            />
          </>
        )}
      </Loaded>
    </>
  );
}

interface IFiltersProps {
  filter: IMemberFilter;
  groups: readonly IGroup[];
  onChange: (change: Partial<IMemberFilter>) => void;
}

function Filters({ filter, groups, onChange }: IFiltersProps): JSX.Element {
  const [search, setSearch] = React.useState(filter.search);
  const timer = React.useRef<number | undefined>(undefined);
  React.useEffect(() => () => window.clearTimeout(timer.current), []);
  const type = (text: string): void => {
    setSearch(text);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => onChange({ search: text.trim() }), PAUSE_MS);
  };
  const roles: [CourseRole | '', string][] = ROLES.map(role => [role, roleText(role)]);
  return (
    <div className="jp-PPO-formFields" role="search" aria-label="Find people">
      <Field label="Search">
        {control => (
          <input
            {...control}
            type="search"
            name="search"
            placeholder="Username, name or e-mail"
            value={search}
            onChange={event => type(event.target.value)}
          />
        )}
      </Field>
      <Field label="Role">
        {control => (
          <Choice
            {...control}
            value={filter.role}
            options={[['', 'Any role'], ...roles]}
            onChange={role => onChange({ role })}
          />
        )}
      </Field>
      <Field label="Group">
        {control => (
          <Choice
            {...control}
            value={filter.group}
            options={[['', 'Any group'], ...groups.map(each => [each.name, each.name] as const)]}
            onChange={group => onChange({ group })}
          />
        )}
      </Field>
      <Check
        label="Who was unenrolled"
        checked={filter.removed}
        onChange={removed => onChange({ removed })}
      />
    </div>
  );
}

interface ITableProps {
  members: readonly IMember[];
  busy: boolean;
  onEdit: ((member: IMember) => void) | null;
  onUnenrol: (member: IMember) => void;
  onEnrol: (member: IMember) => void;
}

function MemberTable(props: ITableProps): JSX.Element {
  const { members, busy, onEdit, onUnenrol, onEnrol } = props;
  return (
    <div className="jp-PPO-scroll">
      <table className="jp-PPO-table jp-PPO-members">
        <thead>
          <tr>
            <th scope="col">Username</th>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col">Groups</th>
            <th scope="col">E-mail</th>
            {onEdit && (
              <th scope="col">
                <span className="jp-PPO-hidden">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {members.map(member => (
            <tr
              key={member.user}
              data-user={member.user}
              className={member.removed_at === null ? undefined : 'jp-mod-gone'}
            >
              <th scope="row">{member.user}</th>
              <td>{nameText(member)}</td>
              <td>
                {roleText(member.role)}
                {member.removed_at !== null && (
                  <div className="jp-PPO-remark">unenrolled {timeText(member.removed_at)}</div>
                )}
              </td>
              <td className="jp-PPO-words">{member.groups.join(', ')}</td>
              <td className="jp-PPO-words">{member.email}</td>
              {onEdit && (
                <td>
                  <div className="jp-PPO-rowActions">
                    {member.removed_at === null ? (
                      <>
                        <button
                          type="button"
                          className="jp-PPO-button jp-PPO-edit"
                          aria-label={`Edit ${member.user}`}
                          disabled={busy}
                          onClick={() => onEdit(member)}
                        >
                          Edit
                        </button>
                        <button
                          type="button"
                          className="jp-PPO-button jp-PPO-unenrol"
                          aria-label={`Unenrol ${member.user}`}
                          disabled={busy}
                          onClick={() => onUnenrol(member)}
                        >
                          Unenrol
                        </button>
                      </>
                    ) : (
                      <button
                        type="button"
                        className="jp-PPO-button jp-PPO-enrol"
                        aria-label={`Enrol ${member.user} again`}
                        disabled={busy}
                        onClick={() => onEnrol(member)}
                      >
                        Enrol again
                      </button>
                    )}
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

/** The service kept their name, groups and work. */
function enrolAgain(client: IInstructorClient, course: string, member: IMember): Promise<void> {
  return client.saveMember(course, member.user, { role: member.role });
}
