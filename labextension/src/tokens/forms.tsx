import * as React from 'react';

import { Choice, Field } from '../instructor/parts';
import type { ICourse, Role } from '../types';
import type { IApiToken, INewToken, TokenAccess } from './types';
import {
  ACCESS,
  daysProblem,
  hoursProblem,
  MOST_DAYS,
  MOST_OVERLAP_HOURS,
  rolesUpTo,
  USUAL_DAYS,
  USUAL_OVERLAP_HOURS
} from './words';

interface INewProps {
  courses: readonly ICourse[];
  busy: boolean;
  onMake: (token: INewToken) => void;
  onCancel: () => void;
}

/** What a new token is for, and for how long. */
export function NewTokenForm({ courses, busy, onMake, onCancel }: INewProps): JSX.Element {
  const [name, setName] = React.useState('');
  const [course, setCourse] = React.useState(courses[0]?.name ?? '');
  const [role, setRole] = React.useState<Role>('student');
  const [access, setAccess] = React.useState<TokenAccess>('read');
  const [days, setDays] = React.useState(String(USUAL_DAYS));
  const roles = rolesUpTo(courses.find(each => each.name === course)?.role ?? 'student');
  const usable = roles.some(([each]) => each === role) ? role : 'student';
  const problem = daysProblem(days);
  return (
    <form
      className="jp-PPO-form jp-PPO-newToken"
      aria-label="New API token"
      onSubmit={event => {
        event.preventDefault();
        if (problem === null) {
          onMake({ course, name: name.trim(), role: usable, access, days: Number(days) });
        }
      }}
    >
      <div className="jp-PPO-formFields">
        <Field label="Name" hint="What will use it, such as “nightly export”.">
          {control => (
            <input
              {...control}
              type="text"
              name="name"
              required
              maxLength={100}
              autoComplete="off"
              autoFocus
              value={name}
              onChange={event => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Course">
          {control => (
            <Choice
              {...control}
              value={course}
              options={courses.map(each => [each.name, each.name] as const)}
              onChange={setCourse}
            />
          )}
        </Field>
        <Field label="Acts as" hint="Never more than you may do yourself.">
          {control => <Choice {...control} value={usable} options={roles} onChange={setRole} />}
        </Field>
        <Field label="May">
          {control => <Choice {...control} value={access} options={ACCESS} onChange={setAccess} />}
        </Field>
        <Field label="Days" hint={`1 to ${MOST_DAYS}`} problem={problem}>
          {control => (
            <input
              {...control}
              type="number"
              name="days"
              min={1}
              max={MOST_DAYS}
              step={1}
              value={days}
              onChange={event => setDays(event.target.value)}
            />
          )}
        </Field>
      </div>
      <div className="jp-PPO-actions">
        <button type="submit" className="jp-PPO-button jp-mod-primary" disabled={busy}>
          Make token
        </button>
        <button type="button" className="jp-PPO-button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

interface ITokenProps {
  token: IApiToken;
  busy: boolean;
  onCancel: () => void;
}

/** For how long the old token stays good beside the new one. */
export function RotateForm(
  props: ITokenProps & { onRotate: (hours: number) => void }
): JSX.Element {
  const { token, busy, onRotate, onCancel } = props;
  const [hours, setHours] = React.useState(String(USUAL_OVERLAP_HOURS));
  const problem = hoursProblem(hours);
  return (
    <form
      className="jp-PPO-form jp-PPO-rotate"
      aria-label={`Rotate ${token.name}`}
      onSubmit={event => {
        event.preventDefault();
        if (problem === null) {
          onRotate(Number(hours));
        }
      }}
    >
      <Field
        label="Hours for which the old token stays good"
        hint="So long its program may go on until it has the new secret."
        problem={problem}
      >
        {control => (
          <input
            {...control}
            type="number"
            name="hours"
            min={0}
            max={MOST_OVERLAP_HOURS}
            step="any"
            autoFocus
            value={hours}
            onChange={event => setHours(event.target.value)}
          />
        )}
      </Field>
      <div className="jp-PPO-actions">
        <button type="submit" className="jp-PPO-button jp-mod-primary" disabled={busy}>
          Make the new token
        </button>
        <button type="button" className="jp-PPO-button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** Asks once more: a token that is revoked never comes back. */
export function RevokeForm(props: ITokenProps & { onRevoke: () => void }): JSX.Element {
  const { token, busy, onRevoke, onCancel } = props;
  const first = React.useRef<HTMLButtonElement>(null);
  React.useEffect(() => first.current?.focus(), []);
  return (
    <div className="jp-PPO-form jp-PPO-revoke" role="group" aria-label={`Revoke ${token.name}`}>
      <p>What uses “{token.name}” stops working at once, for good.</p>
      <div className="jp-PPO-actions">
        <button
          ref={first}
          type="button"
          className="jp-PPO-button jp-mod-warn jp-PPO-revokeNow"
          disabled={busy}
          onClick={onRevoke}
        >
          Revoke it
        </button>
        <button type="button" className="jp-PPO-button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </div>
  );
}
