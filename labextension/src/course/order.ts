/** In which order assignments are shown, and which of them the notebook in front belongs to. */

import { belongs } from '../notebooks';
import type { ICandidate } from '../notebooks';
import type { IAssignment } from '../types';
import { gradeIdsWanted } from './finding';

// Digits by what they count: week-2 comes before week-10.
const natural = new Intl.Collator('en', { numeric: true });

/** By due date, those without one at the end, then by name. */
export function inOrder(assignments: readonly IAssignment[]): IAssignment[] {
  return [...assignments].sort(
    (one, other) => dueTime(one) - dueTime(other) || natural.compare(one.name, other.name)
  );
}

function dueTime(assignment: IAssignment): number {
  const time = assignment.due_at === null ? NaN : new Date(assignment.due_at).getTime();
  // A number, since the difference of two infinities is none.
  return Number.isNaN(time) ? Number.MAX_SAFE_INTEGER : time;
}

/**
 * The name of the assignment to which the notebook in front belongs, or null.
 *
 * Of several that share exercises it is the one with the most in the notebook, and of equals the
 * one that the file is named after; nothing is guessed beyond that.
 */
export function currentAssignment(
  assignments: readonly IAssignment[],
  notebooks: readonly ICandidate[]
): string | null {
  const front = notebooks.find(({ current }) => current);
  if (front === undefined) {
    return null;
  }
  const counted = assignments
    .map(assignment => ({ name: assignment.name, wanted: gradeIdsWanted(assignment) }))
    .filter(({ wanted }) => belongs(front.gradeIds, wanted))
    .map(({ name, wanted }) => ({
      name,
      count: [...wanted].filter(id => front.gradeIds.has(id)).length
    }));
  const most = Math.max(0, ...counted.map(({ count }) => count));
  const best = counted.filter(({ count }) => count === most).map(({ name }) => name);
  const stem = (front.path.split('/').pop() ?? '').replace(/(-\d+)?\.ipynb$/, '');
  const named = best.filter(name => stem === name);
  const [only, ...others] = best.length > 1 ? named : best;
  return only !== undefined && others.length === 0 ? only : null;
}
