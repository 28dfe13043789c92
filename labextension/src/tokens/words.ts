/** How tokens read, and what may be asked for. */

import { mayAuthor, mayGrade } from '../instructor/words';
import type { ICourse, Role } from '../types';
import type { IApiToken, TokenAccess } from './types';

export const MOST_DAYS = 365;
export const USUAL_DAYS = 90;
export const MOST_OVERLAP_HOURS = 168;
export const USUAL_OVERLAP_HOURS = 24;

export const ACCESS: readonly (readonly [TokenAccess, string])[] = [
  ['read', 'Look only'],
  ['write', 'Look and change']
];

/** The most that a token may be used for, by somebody of this role; a token is never an admin. */
export function rolesUpTo(role: Role): readonly (readonly [Role, string])[] {
  const all: (readonly [Role, string])[] = [['student', 'Student']];
  if (mayGrade(role)) {
    all.push(['grader', 'Grader']);
  }
  if (mayAuthor(role)) {
    all.push(['instructor', 'Instructor']);
  }
  return all;
}

/** Why a token is no longer good, or null while it is. */
export function endText(token: IApiToken, now: Date): string | null {
  if (token.revoked_at !== null && new Date(token.revoked_at) <= now) {
    return 'revoked';
  }
  return new Date(token.expires_at) <= now ? 'expired' : null;
}

/** Whether a token can be rotated: it is good, and no newer one took its place. */
export function canRotate(token: IApiToken, all: readonly IApiToken[], now: Date): boolean {
  return endText(token, now) === null && all.every(other => other.rotated_from !== token.id);
}

/** What keeps a token from being made. */
export function daysProblem(text: string): string | null {
  const days = Number(text);
  return text.trim() !== '' && Number.isInteger(days) && days >= 1 && days <= MOST_DAYS
    ? null
    : `Use 1 to ${MOST_DAYS} days.`;
}

export function hoursProblem(text: string): string | null {
  const hours = Number(text);
  return text.trim() !== '' && hours >= 0 && hours <= MOST_OVERLAP_HOURS
    ? null
    : `Use 0 to ${MOST_OVERLAP_HOURS} hours.`;
}

/** Whose tokens may be looked at: one's own (''), and those for courses that one teaches. */
export function lists(courses: readonly ICourse[]): readonly (readonly [string, string])[] {
  const taught = courses.filter(({ role }) => mayAuthor(role));
  return [['', 'Yours'], ...taught.map(({ name }) => [name, `Everybody’s for ${name}`] as const)];
}
