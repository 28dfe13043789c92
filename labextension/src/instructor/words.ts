/** How roles, times, lengths of time and rules read and are typed. */

import { pointsText, timeText } from '../format';
import type { Role } from '../types';
import type {
  BatchItemState,
  BatchScope,
  CourseRole,
  IBatch,
  ICourseAssignment,
  ILatePolicy,
  ITrashed
} from './types';

export const MINUTE = 60;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const ROLES: readonly CourseRole[] = ['student', 'grader', 'instructor'];

const ROLE_NAMES: Record<Role, string> = {
  student: 'Student',
  grader: 'Grader',
  instructor: 'Instructor',
  admin: 'Admin'
};

/** A role as it is shown. */
export function roleText(role: Role): string {
  return ROLE_NAMES[role];
}

/** Whether this role sees everyone's submissions. */
export function mayGrade(role: Role): boolean {
  return role !== 'student';
}

/** Whether this role may change assignments and people. */
export function mayAuthor(role: Role): boolean {
  return role === 'instructor' || role === 'admin';
}

/** A server time, or what to say when there is none. */
export function timeOr(iso: string | null | undefined, none: string): string {
  return iso === null || iso === undefined ? none : timeText(iso);
}

/** `1 person`, `3 people`. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A length of time in its largest whole units: `2 days 3 hours`. */
export function durationText(seconds: number): string {
  if (seconds === 0) {
    return 'no time';
  }
  const parts: string[] = [];
  let rest = Math.abs(seconds);
  for (const [length, one] of [
    [DAY, 'day'],
    [HOUR, 'hour'],
    [MINUTE, 'minute'],
    [1, 'second']
  ] as const) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) {
      parts.push(counted(count, one, `${one}s`));
    }
  }
  return (seconds < 0 ? 'minus ' : '') + parts.join(' ');
}

/** What an extension gives: `2 days, 1 attempt`. */
export function extensionText(seconds: number, attempts: number): string {
  const parts = seconds === 0 ? [] : [durationText(seconds)];
  if (attempts !== 0) {
    parts.push(counted(attempts, 'attempt', 'attempts'));
  }
  return parts.join(', ') || 'nothing';
}

/** What a late policy says, in a sentence without its full stop. */
export function lateText(late: ILatePolicy): string {
  switch (late.rule) {
    case 'none':
      return 'nothing is taken off';
    case 'zero':
      return 'late work scores zero';
    case 'per_day': {
      const least =
        late.at_least_percent > 0 ? `, down to ${pointsText(late.at_least_percent)} %` : '';
      return `${pointsText(late.percent_per_day)} % off for each day begun${least}`;
    }
    case 'custom':
      return late.steps
        .map(
          step =>
            `after ${durationText(step.after_seconds)} ${pointsText(step.keep_percent)} % is kept`
        )
        .join('; ');
  }
}

/** How many attempts one has. */
export function attemptsText(most: number | undefined): string {
  return most === undefined || most === 0 ? 'any number' : String(most);
}

export function kindText(kind: ICourseAssignment['kind']): string {
  return kind === 'entry' ? 'Entry' : 'Notebook';
}

const SCOPES: Record<BatchScope, string> = {
  all: 'All submissions',
  ungraded: 'Ungraded submissions',
  failed: 'Failed submissions',
  listed: 'Chosen submissions'
};

export function scopeText(scope: BatchScope): string {
  return SCOPES[scope];
}

const ITEM_STATES: Record<BatchItemState, string> = {
  waiting: 'Waiting',
  grading: 'Grading',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled'
};

export const BATCH_ITEM_STATES = Object.keys(ITEM_STATES) as BatchItemState[];

export function itemStateText(state: BatchItemState): string {
  return ITEM_STATES[state];
}

/** How many submissions of a batch will not change any more. */
export function settledCount(batch: IBatch): number {
  return batch.total - (batch.counts.waiting ?? 0) - (batch.counts.grading ?? 0);
}

/** The counts of a batch that are not zero: `3 done, 1 failed`. */
export function countsText(batch: IBatch): string {
  const parts = BATCH_ITEM_STATES.map(state => [state, batch.counts[state] ?? 0] as const)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${itemStateText(state).toLowerCase()}`);
  return parts.join(', ') || 'nothing to do';
}

/** `+2`, `−0.5`, or nothing where nothing changed. */
export function changeText(before: number | null, after: number | null): string {
  if (before === null || after === null) {
    return '';
  }
  const change = Math.round((after - before) * 100) / 100;
  if (change === 0) {
    return '';
  }
  return change > 0 ? `+${pointsText(change)}` : `−${pointsText(-change)}`;
}

/** What was deleted, in words. */
export function trashedText(item: ITrashed): string {
  return `${item.kind} ${item.name}`;
}

/** A person's name, or their username where that is all that is known. */
export function nameText(person: { first_name: string; last_name: string }): string {
  return [person.first_name, person.last_name].filter(part => part !== '').join(' ');
}

/** Usernames or groups typed with commas, semicolons or line ends between them. */
export function namesOf(text: string): string[] {
  const names = text.split(/[,;\n]/).map(name => name.trim());
  return [...new Set(names.filter(name => name !== ''))];
}

/**
 * A server time as a datetime-local field wants it, in the browser's zone; empty for none.
 *
 * Seconds are shown only where there are some.
 */
export function localInput(iso: string | null): string {
  if (iso === null) {
    return '';
  }
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) {
    return '';
  }
  const two = (part: number): string => String(part).padStart(2, '0');
  const year = String(time.getFullYear()).padStart(4, '0');
  const date = `${year}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const seconds = time.getSeconds() === 0 ? '' : `:${two(time.getSeconds())}`;
  return `${date}T${two(time.getHours())}:${two(time.getMinutes())}${seconds}`;
}

/**
 * What stands in a datetime-local field as a time in UTC, null for none.
 *
 * `seen` is the time that the field was filled from: it is kept to the last digit when the field
 * still says the same.
 */
export function utcTime(text: string, seen: string | null): string | null {
  if (text === '') {
    return null;
  }
  return seen !== null && text === localInput(seen) ? seen : new Date(text).toISOString();
}

/** The browser's time zone by name. */
export function zoneName(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
