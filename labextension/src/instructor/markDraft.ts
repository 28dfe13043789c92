/** A mark as it is typed. */

import { pointsText } from '../format';
import type { IMark, INewMark } from './gradingTypes';

/** What stands in the fields; an empty text of points leaves those of the tests. */
export interface IMarkDraft {
  points: string;
  extra: string;
  comment: string;
}

export const EMPTY_DRAFT: IMarkDraft = { points: '', extra: '', comment: '' };
const MAX_COMMENT = 20_000;

export function draftOf(mark: IMark | null): IMarkDraft {
  if (mark === null) {
    return EMPTY_DRAFT;
  }
  return {
    points: mark.points === null ? '' : String(mark.points),
    extra: mark.extra_credit === 0 ? '' : String(mark.extra_credit),
    comment: mark.comment
  };
}

/** The number that was typed, with a point or a comma; null for none, NaN for what is none. */
export function numberOf(text: string): number | null {
  const trimmed = text.trim().replace(',', '.').replace('−', '-');
  if (trimmed === '') {
    return null;
  }
  return /^-?(\d+\.?\d*|\.\d+)$/.test(trimmed) ? Number(trimmed) : NaN;
}

/** What keeps a draft from being saved, and in which field. */
export function problemOf(
  draft: IMarkDraft,
  max: number
): { field: keyof IMarkDraft; text: string } | null {
  const points = numberOf(draft.points);
  if (points !== null && !(points >= 0 && points <= max)) {
    return { field: 'points', text: `Use 0 to ${pointsText(max)}; more is extra credit.` };
  }
  const extra = numberOf(draft.extra);
  if (extra !== null && !(Math.abs(extra) <= 1_000_000)) {
    return { field: 'extra', text: 'Use a number, such as 1.5 or -2.' };
  }
  return draft.comment.length > MAX_COMMENT
    ? { field: 'comment', text: `Use at most ${MAX_COMMENT} characters.` }
    : null;
}

export function markOf(draft: IMarkDraft, revision: number): INewMark {
  return {
    points: numberOf(draft.points),
    extra_credit: numberOf(draft.extra) ?? 0,
    comment: draft.comment,
    reason: '',
    revision
  };
}

export function sameDraft(one: IMarkDraft, other: IMarkDraft): boolean {
  return one.points === other.points && one.extra === other.extra && one.comment === other.comment;
}
