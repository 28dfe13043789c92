/** How states, points and times read. */

import type { ISubmission } from './types';

/** The state of an attempt in a few words. */
export function stateText(submission: ISubmission | null): string {
  switch (submission?.attempt_state) {
    case undefined:
      return 'Not submitted';
    case 'submitted':
      return 'Submitted';
    case 'queued':
      return submission?.queue_position ? `Queued, place ${submission.queue_position}` : 'Queued';
    case 'grading':
      return 'Grading';
    case 'graded':
      return 'Graded, not released yet';
    case 'released':
      return submission?.needs_review ? 'Graded, part awaits review' : 'Graded and released';
    case 'failed':
      return `Failed: ${submission?.error ?? 'ask your instructor to grade it again.'}`;
  }
}

/** `7.5 / 10`, or null until there are points. */
export function scoreText(
  scored: { points: number | null; max_points: number | null } | null
): string | null {
  if (scored === null || scored.points === null || scored.max_points === null) {
    return null;
  }
  return `${pointsText(scored.points)} / ${pointsText(scored.max_points)}`;
}

/** `2 unsealed`: how many points tests in the student's own process gave; null for none. */
export function unsealedText(submission: ISubmission): string | null {
  return submission.unsealed_points > 0
    ? `${pointsText(submission.unsealed_points)} unsealed`
    : null;
}

/** Points with at most two decimals and no trailing zeros. */
export function pointsText(points: number): string {
  return String(Math.round(points * 100) / 100);
}

/** `1 point`, `2.5 points`. */
export function pointsLabel(points: number): string {
  return `${pointsText(points)} ${points === 1 ? 'point' : 'points'}`;
}

/**
 * A server time to the second in the reader's own language and time zone, which is named; what
 * cannot be read is shown as is.
 */
export function timeText(iso: string, locale?: string, timeZone?: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) {
    return iso;
  }
  const format: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'long', timeZone };
  return new Intl.DateTimeFormat(locale, format).format(time);
}

/** That an attempt has arrived and when, and which file it was where that is known. */
export function receiptText(submission: ISubmission, path?: string): string {
  const time = timeText(submission.submitted_at);
  const file = path === undefined ? '' : `: ${path}`;
  return `Attempt ${submission.attempt} received on ${time}${file}`;
}

/** Why the notebook in front is not the one that is sent. */
export function passedOverText(path: string): string {
  return `${path}, which is in front, is not this assignment's notebook.`;
}

/** Whether there are points and feedback that this person may see. */
export function isShown(submission: ISubmission): boolean {
  return submission.state === 'graded' && submission.points !== null;
}

/** Whether grading is still under way. */
export function isPending(submission: ISubmission): boolean {
  return submission.state === 'queued' || submission.state === 'grading';
}
