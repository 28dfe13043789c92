/** Words and figures of "My course", without any drawing. */

import { isPast, relativeText } from '../course/words';
import { pointsText } from '../format';
import { counted } from '../instructor/words';
import { formatCount, formatValue } from '../live/format';
import type { IRun } from '../runs/types';
import type { ILeaderboardEntry } from '../types';
import type { IAchievement, IChapterProgress, IProgress, ReasonKind, WorkState } from './types';

const HOUR = 60;
const DAY_MS = 86_400_000;

/** The states in words; colour and icon only repeat them. */
export const STATE_WORDS: Readonly<Record<WorkState, string>> = {
  not_started: 'Not started',
  started: 'Started',
  handed_in: 'Handed in',
  partly: 'Partly solved',
  done: 'Done'
};

/** What the states mean, for the legend. */
export const STATE_MEANINGS: Readonly<Record<WorkState, string>> = {
  not_started: 'nothing was opened yet',
  started: 'opened, checked or worked at',
  handed_in: 'received; no grade is released yet',
  partly: 'graded, some points are missing',
  done: 'graded, all points'
};

export const REASON_WORDS: Readonly<Record<ReasonKind, string>> = {
  due_soon: 'Due soon',
  missing_points: 'Points to gain',
  continue: 'Go on',
  next_chapter: 'Next chapter'
};

/** How time on task is counted; it says what it does not measure, too. */
export const TIME_ON_TASK =
  'A minute counts if you pressed a key, clicked or scrolled in a notebook of the chapter during ' +
  'it, with the page in sight. Minutes in two notebooks count in both and once in the total. It ' +
  'shows presence, not thought, and plays no part in grades or achievements.';

export const EVIDENCE_WEEKS =
  'A week counts when you handed something in or a grade was released (Monday to Sunday, UTC).';

/** `45 min`, `1 h`, `6 h 20 min`. */
export function minutesText(minutes: number): string {
  const hours = Math.floor(minutes / HOUR);
  const rest = minutes % HOUR;
  if (hours === 0) {
    return `${rest} min`;
  }
  return rest === 0 ? `${formatCount(hours)} h` : `${formatCount(hours)} h ${rest} min`;
}

/** Minutes of work on the last seven days in UTC, today with them. */
export function recentMinutes(byDay: Readonly<Record<string, number>>, now: number): number {
  const first = new Date(now - 6 * DAY_MS).toISOString().slice(0, 10);
  return Object.entries(byDay)
    .filter(([day]) => day >= first)
    .reduce((sum, [, minutes]) => sum + minutes, 0);
}

/** `3 weeks in a row, 5 in all`: what there is, and never what is missing. */
export function weeksText({ current, total }: IProgress['weeks']): string {
  if (total === 0) {
    return 'None yet';
  }
  return current === 0
    ? counted(total, 'week', 'weeks')
    : `${counted(current, 'week', 'weeks')} in a row, ${total} in all`;
}

/** `7.5 / 10`, or `10 points` while nothing is graded. */
export function pointsOf(item: { points: number | null; max_points: number }): string {
  return item.points === null
    ? `${pointsText(item.max_points)} ${item.max_points === 1 ? 'point' : 'points'}`
    : `${pointsText(item.points)} / ${pointsText(item.max_points)}`;
}

/** Where a chapter of the course is numbered, its number. */
export function chapterName(chapter: IChapterProgress): string {
  return chapter.number === null ? chapter.title : `${chapter.number}. ${chapter.title}`;
}

/** A day and a time to the minute, in the reader's own language and time zone, which is named. */
export function exactText(iso: string, locale?: string, timeZone?: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) {
    return iso;
  }
  return new Intl.DateTimeFormat(locale, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZoneName: 'short',
    timeZone
  }).format(time);
}

/** A day in the reader's own language and time zone. */
export function dayText(iso: string, locale?: string, timeZone?: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime())
    ? iso
    : new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone }).format(time);
}

/** What a chapter's dates mean for this person now. */
export interface IMoment {
  text: string;
  /** The time it speaks of. */
  at: string;
}

/**
 * The one date of a chapter that matters now: when it opens, is due, or closes.
 *
 * Null when there is none, and for a chapter with all points.
 */
export function momentOf(chapter: IChapterProgress, now: number): IMoment | null {
  const { opens_at, due_at, closes_at } = chapter;
  const say = (word: string, at: string): IMoment => ({
    text: `${word} ${relativeText(at, now)}`,
    at
  });
  if (opens_at !== null && !isPast(opens_at, now)) {
    return say('Opens', opens_at);
  }
  if (chapter.state === 'done') {
    return null;
  }
  if (closes_at !== null && isPast(closes_at, now)) {
    return say('Closed', closes_at);
  }
  if (due_at !== null && !isPast(due_at, now)) {
    return say('Due', due_at);
  }
  if (closes_at !== null) {
    return say('Closes', closes_at);
  }
  return due_at === null ? null : say('Was due', due_at);
}

/** Whether it may be opened: its time has come. */
export function isOpenNow(chapter: IChapterProgress, now: number): boolean {
  return chapter.opens_at === null || isPast(chapter.opens_at, now);
}

/** Chapters that are due from now on and not handed in or done, the first one first. */
export function dueNext(chapters: readonly IChapterProgress[], now: number): IChapterProgress[] {
  const timeOf = (chapter: IChapterProgress): number => Date.parse(chapter.due_at ?? '');
  return chapters
    .filter(
      chapter =>
        (chapter.state === 'not_started' || chapter.state === 'started') && timeOf(chapter) >= now
    )
    .sort((one, other) => timeOf(one) - timeOf(other));
}

/** Achievements that the person has (newest first), then the others by how near they are. */
export function inOrder(items: readonly IAchievement[]): IAchievement[] {
  const share = ({ progress }: IAchievement): number =>
    progress.of === 0 ? 0 : progress.met / progress.of;
  return [...items].sort((one, other) => {
    if (isHeld(one) !== isHeld(other)) {
      return isHeld(one) ? -1 : 1;
    }
    return isHeld(one)
      ? (other.awarded_at ?? '').localeCompare(one.awarded_at ?? '')
      : share(other) - share(one);
  });
}

/** Whether the person has it now. */
export function isHeld(item: IAchievement): boolean {
  return item.awarded_at !== null && item.revoked_at === null;
}

/** `2 of 4 checks`, `1 of 1 chapter`, `0 of 2 conditions`. */
export function needsText({ met, of, unit }: IAchievement['progress']): string {
  const many = unit === 'criteria' ? 'conditions' : unit;
  return `${met} of ${counted(of, many.replace(/s$/, ''), many)}`;
}

/** How a run stands, in one line. */
export function runText(run: IRun): string {
  const steps =
    run.total_steps > 0
      ? `${formatCount(run.step)} of ${formatCount(run.total_steps)} steps`
      : `${formatCount(run.step)} steps`;
  const result = run.eval_return ?? run.mean_return;
  return result === null ? steps : `${steps}, return ${formatValue(result)}`;
}

/** `2nd` as a plain `place 2 of 7`, with the examined policy's return. */
export function placeText(entry: ILeaderboardEntry, of: number): string {
  return `Place ${entry.rank} of ${of}, mean return ${entry.mean.toFixed(1)}`;
}

/** What a screen reader hears once everything is there. */
export function summaryText(progress: IProgress): string {
  const done = progress.chapters.filter(({ state }) => state === 'done').length;
  return (
    `${pointsText(progress.points)} of ${pointsText(progress.max_points)} points, ` +
    `${done} of ${counted(progress.chapters.length, 'chapter', 'chapters')} done.`
  );
}
