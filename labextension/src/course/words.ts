/** How due dates, lateness and what is left of the attempts read. */

import { pointsLabel, timeText } from '../format';
import { counted, durationText, lateText } from '../instructor/words';
import type { IAssignment, ISubmission } from '../types';
import type { IStudentTerms } from './types';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `in 3 days`, `2 hours ago`, `now`, `just now`: never more time than there is. */
export function relativeText(iso: string, now: number, locale?: string): string {
  const distance = new Date(iso).getTime() - now;
  if (Number.isNaN(distance)) {
    return '';
  }
  const size = Math.abs(distance);
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'always' });
  const sign = distance < 0 ? -1 : 1;
  if (size >= 2 * DAY_MS) {
    return format.format(sign * Math.floor(size / DAY_MS), 'day');
  }
  if (size >= 2 * HOUR_MS) {
    return format.format(sign * Math.floor(size / HOUR_MS), 'hour');
  }
  if (size >= MINUTE_MS) {
    return format.format(sign * Math.floor(size / MINUTE_MS), 'minute');
  }
  if (sign < 0) {
    return 'just now';
  }
  return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(0, 'second');
}

/** A time, exact and relative: `28 Nov 2026, 23:59:00 GMT+1 (in 3 days)`. */
export function whenText(iso: string, now: number): string {
  return `${timeText(iso)} (${relativeText(iso, now)})`;
}

export function isPast(iso: string | null, now: number): boolean {
  return iso !== null && new Date(iso).getTime() < now;
}

/** When the assignment is due for this person. */
export function dueText(assignment: IAssignment, now: number): string {
  const due = assignment.due_at;
  if (due === null) {
    return 'No due date';
  }
  return `${isPast(due, now) ? 'Was due' : 'Due'} ${whenText(due, now)}`;
}

/** When it opens or closes, as far as there is something to say. */
export function openText(
  assignment: IAssignment,
  terms: IStudentTerms | undefined,
  now: number
): string | null {
  const opens = terms?.opens_at ?? null;
  if (opens !== null && !isPast(opens, now)) {
    return `Opens ${whenText(opens, now)}; students do not see it before`;
  }
  const closes = assignment.closes_at;
  if (closes === null) {
    return null;
  }
  return isPast(closes, now)
    ? `Closed since ${whenText(closes, now)}: nothing is taken any more`
    : `Closes ${whenText(closes, now)}`;
}

/** What this person was given beyond the others, or null. */
export function extensionLine(terms: IStudentTerms): string | null {
  const { own } = terms;
  const parts: string[] = [];
  if (own.due_at !== terms.due_at && terms.due_at !== null) {
    parts.push(`for the others it is due ${timeText(terms.due_at)}`);
  } else if (own.closes_at !== terms.closes_at && terms.closes_at !== null) {
    parts.push(`for the others it closes ${timeText(terms.closes_at)}`);
  }
  if (own.max_attempts !== terms.max_attempts) {
    parts.push(`for the others there are ${counted(terms.max_attempts, 'attempt', 'attempts')}`);
  }
  return parts.length === 0 ? null : `You have an extension: ${parts.join(', ')}`;
}

/** What handing in late costs, in a sentence without its full stop; null without a due date. */
export function lateLine(terms: IStudentTerms): string | null {
  if (terms.due_at === null) {
    return null;
  }
  const grace =
    terms.grace_seconds === 0
      ? ''
      : `; the first ${durationText(terms.grace_seconds)} are not counted as late`;
  return `If late: ${lateText(terms.late)}${grace}`;
}

/** How many attempts were made, are left, and which of them counts. */
export function attemptsLine(
  assignment: IAssignment,
  terms: IStudentTerms | undefined,
  made: number
): string {
  const used = terms?.own.attempts_used ?? made;
  const { max_attempts: most, attempts_left: left } = terms?.own ?? assignment;
  const count =
    most === 0 || left === null
      ? `${counted(used, 'attempt', 'attempts')} used, any number may be made`
      : `${used} of ${counted(most, 'attempt', 'attempts')} used, ${left} left`;
  const counting = { latest: 'the last one counts', best: 'the best one counts' };
  return terms === undefined ? count : `${count}; ${counting[terms.counting]}`;
}

/** What is unusual about the grading of this assignment. */
export function gradingLines(terms: IStudentTerms): string[] {
  const lines: string[] = [];
  if (!terms.autograde) {
    lines.push('Attempts are graded when your instructor starts it');
  }
  if (terms.grades === 'by_hand') {
    lines.push('Points and feedback are shown once your instructor releases them');
  }
  return lines;
}

/** Why nothing can be handed in now, or null. */
export function closedText(terms: IStudentTerms | undefined): string | null {
  if (terms === undefined || terms.own.is_open) {
    return null;
  }
  return terms.own.attempts_left === 0
    ? 'You have no attempts left.'
    : 'Nothing is taken for this assignment now.';
}

/** `2 hours late, 1.5 points off`; null when it was in time. */
export function latenessText(submission: ISubmission): string | null {
  if (submission.late_seconds <= 0) {
    return null;
  }
  // Seconds only where there is nothing larger.
  const seconds = submission.late_seconds;
  const shown = seconds >= 60 ? Math.floor(seconds / 60) * 60 : Math.ceil(seconds);
  const late = `${durationText(shown)} late`;
  return submission.penalty > 0 ? `${late}, ${pointsLabel(submission.penalty)} off` : late;
}

/** The receipt as it is copied: all that proves that this attempt arrived. */
export function receiptLines(submission: ISubmission): string {
  return [
    `course ${submission.course}, assignment ${submission.assignment}`,
    `attempt ${submission.attempt} of ${submission.user}`,
    `id ${submission.id}`,
    `received ${submission.submitted_at}`,
    `sha256 ${submission.digest}`
  ].join('\n');
}
