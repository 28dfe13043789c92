/** How the progress of a class is asked for and how it reads. */

import { STATE_WORDS } from '../home/words';
import type { WorkState } from '../home/types';
import { pointsText } from '../format';
import { PAGE_SIZES } from './gradebookModel';
import type {
  IAchievementRule,
  IChapterState,
  IProgressQuery,
  IProgressRow,
  IRecomputed,
  ISavedRules
} from './progressTypes';
import { counted } from './words';

export const FIRST_PROGRESS: IProgressQuery = {
  search: '',
  sort: 'name',
  offset: 0,
  limit: PAGE_SIZES[0]
};

/** The chapters of a page of students, in the order in which the service names them. */
export function chaptersOf(rows: readonly IProgressRow[]): string[] {
  return [...new Set(rows.flatMap(row => row.chapters.map(({ assignment }) => assignment)))];
}

/** A chapter of a student in words: `gae: partly solved, 4 of 6 points`. */
export function chapterText(chapter: IChapterState): string {
  const state = STATE_WORDS[chapter.state].toLowerCase();
  const points =
    chapter.points === null
      ? ''
      : `, ${pointsText(chapter.points)} of ${pointsText(chapter.max_points)} points`;
  return `${chapter.assignment}: ${state}${points}`;
}

/** What share of its points a chapter has, for drawing. */
export function shareOf({ points, max_points }: IChapterState): number {
  return max_points === 0 ? 0 : (points ?? 0) / max_points;
}

export const STATES = Object.keys(STATE_WORDS) as WorkState[];

/** What recomputing did. */
export function recomputedText({ students, events, changed }: IRecomputed): string {
  const count = new Intl.NumberFormat('en');
  const result =
    changed === 0
      ? 'Everything was as the log says.'
      : `${counted(changed, 'student', 'students')} had another state before.`;
  return (
    `The progress of ${counted(students, 'student', 'students')} was computed from ` +
    `${count.format(events)} ${events === 1 ? 'event' : 'events'}. ${result}`
  );
}

/** What a new edition did. */
export function savedRulesText({ number, awarded, revoked }: ISavedRules): string {
  return (
    `Edition ${number} holds from now on: ${counted(awarded, 'achievement', 'achievements')} ` +
    `awarded, ${revoked} revoked.`
  );
}

/** The rules as they are edited: the service numbers the versions itself. */
export function rulesText(rules: readonly IAchievementRule[]): string {
  const edited = rules.map(({ id, title, description, criteria }) => ({
    id,
    title,
    description,
    criteria
  }));
  return JSON.stringify(edited, null, 2);
}
