import * as React from 'react';

import { Choice, Field, Outcome } from './parts';
import { useActions } from './resource';
import type { CourseRole, IInstructorClient, IMember } from './types';
import { namesOf, ROLES, roleText } from './words';

interface IPersonProps {
  client: IInstructorClient;
  course: string;
  /** Who is edited; null to add somebody. */
  member: IMember | null;
  onSaved: (user: string) => void;
  onCancel: () => void;
}

type TextField = 'user' | 'first_name' | 'last_name' | 'email' | 'lms_user_id' | 'groups';

/** A person's username, role, name and groups. */
export function PersonForm({
  client,
  course,
  member,
  onSaved,
  onCancel
}: IPersonProps): JSX.Element {
  const [role, setRole] = React.useState<CourseRole>(
    ROLES.find(each => each === member?.role) ?? 'student'
  );
  const [form, setForm] = React.useState(() => ({
    user: member?.user ?? '',
    first_name: member?.first_name ?? '',
    last_name: member?.last_name ?? '',
    email: member?.email ?? '',
    lms_user_id: member?.lms_user_id ?? '',
    groups: member?.groups.join(', ') ?? ''
  }));
  const [missing, setMissing] = React.useState(false);
  const actions = useActions();
  const submit = async (event: React.FormEvent): Promise<void> => {
    event.preventDefault();
    const { user, groups, ...person } = form;
    const name = user.trim();
    setMissing(name === '');
    if (name === '') {
      return;
    }
    const saved = await actions.run(async () => {
      await client.saveMember(course, name, { role, ...person, groups: namesOf(groups) });
      return null;
    });
    if (saved) {
      onSaved(name);
    }
  };
  const text = (name: TextField, label: string, hint?: string, type = 'text'): JSX.Element => (
    <Field
      label={label}
      hint={hint}
      problem={name === 'user' && missing ? 'Give a username.' : null}
    >
      {control => (
        <input
          {...control}
          type={type}
          name={name}
          autoComplete="off"
          readOnly={name === 'user' && member !== null}
          autoFocus={name === (member === null ? 'user' : 'first_name')}
          value={form[name]}
          onChange={event => setForm({ ...form, [name]: event.target.value })}
        />
      )}
    </Field>
  );
  const title = member === null ? 'Add a person' : `Edit ${member.user}`;
  return (
    <form
      className="jp-PPO-form jp-PPO-person"
      aria-label={title}
      noValidate
      onSubmit={event => void submit(event)}
      onKeyDown={event => event.key === 'Escape' && onCancel()}
    >
      <h4>{title}</h4>
      <div className="jp-PPO-formFields">
        {text('user', 'Username', 'As they sign in to this Jupyter server.')}
        <Field label="Role">
          {control => (
            <Choice
              {...control}
              value={role}
              options={ROLES.map(each => [each, roleText(each)] as const)}
              onChange={setRole}
            />
          )}
        </Field>
        {text('first_name', 'First name')}
        {text('last_name', 'Last name')}
        {text('email', 'E-mail', undefined, 'email')}
        {text('lms_user_id', 'Id in the learning platform')}
        {text('groups', 'Groups', 'With commas between them.')}
      </div>
      <Outcome actions={actions} />
      <div className="jp-PPO-actions">
        <button type="submit" className="jp-PPO-button jp-mod-primary" disabled={actions.busy}>
          Save
        </button>
        <button type="button" className="jp-PPO-button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
