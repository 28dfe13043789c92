/** What there is to tell a student, without any drawing. */

import { relativeText } from '../course/words';
import { isShown, scoreText } from '../format';
import type { IAchievement } from '../home/types';
import type { IPreferences } from '../preferences/types';
import type { IAssignment, ISubmission } from '../types';

/** What a person may switch off by itself. */
export type NoticeKind = keyof IPreferences['notifications'];

/** Something to tell once; `key` is the same as long as it is the same thing. */
export interface INotice {
  readonly key: string;
  readonly kind: NoticeKind;
  readonly text: string;
  readonly course: string;
}

/** What is needed of an achievement. */
export type IEarned = Pick<IAchievement, 'id' | 'title' | 'awarded_at' | 'revoked_at'>;

/** What is known of the signed-in student in one course. */
export interface ICourseFacts {
  readonly course: string;
  readonly assignments: readonly IAssignment[];
  /** Newest first. */
  readonly submissions: readonly ISubmission[];
  readonly achievements: readonly IEarned[];
}

const DAY_MS = 86_400_000;

/** Everything that could be told of a course now. */
export function noticesOf(facts: ICourseFacts, now: number): INotice[] {
  const { course, assignments, submissions, achievements } = facts;
  const handedIn = new Set(submissions.map(({ assignment }) => assignment));
  const feedback = submissions.filter(isShown).map((submission): INotice => ({
    // Graded again, or by a person, it is another thing to look at.
    key: `feedback ${submission.id} ${submission.points}`,
    kind: 'feedback',
    text: `Feedback on ${submission.assignment} is there: ${scoreText(submission)} points.`,
    course
  }));
  const due = assignments.flatMap(({ name, due_at: at }): INotice[] => {
    const left = at === null ? NaN : Date.parse(at) - now;
    const isNear = left > 0 && left <= DAY_MS && !handedIn.has(name);
    const text = `${name} is due ${at === null ? '' : relativeText(at, now)}.`;
    return isNear ? [{ key: `due ${course} ${name} ${at}`, kind: 'due', text, course }] : [];
  });
  const earned = achievements
    .filter(({ awarded_at: at, revoked_at: until }) => at !== null && until === null)
    .map(({ id, title, awarded_at: at }): INotice => ({
      key: `achievement ${course} ${id} ${at}`,
      kind: 'achievements',
      text: `You have a new achievement: ${title}.`,
      course
    }));
  return [...due, ...feedback, ...earned];
}

/** What was told before, of one person. */
export interface ITold {
  readonly user: string;
  readonly keys: readonly string[];
}

/**
 * What is new among `found`, and what is to be remembered.
 *
 * Who is seen here for the first time is told of due dates only: the rest is news of long ago. What
 * is switched off counts as told, so that switching it on again brings nothing old.
 */
export function newNotices(
  user: string,
  found: readonly INotice[],
  told: ITold | null,
  wanted: IPreferences['notifications']
): { news: INotice[]; told: ITold } {
  const before = told?.user === user ? new Set(told.keys) : null;
  const news = found.filter(
    ({ key, kind }) => wanted[kind] && (before === null ? kind === 'due' : !before.has(key))
  );
  return { news, told: { user, keys: found.map(({ key }) => key) } };
}
