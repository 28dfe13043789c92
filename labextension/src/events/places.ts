/** Which assignments a notebook belongs to. */

import { belongs } from '../notebooks';
import type { IPlace } from './types';

/** An assignment with the exercises that its notebook holds. */
export interface IKnownAssignment extends IPlace {
  readonly gradeIds: ReadonlySet<string>;
}

/**
 * The assignment of each course that a notebook belongs to.
 *
 * Where several of one course could be, it is the one that shares most exercises with it, then the
 * one that the file is named after; what is still undecided is not guessed.
 */
export function placesOf(
  path: string,
  gradeIds: ReadonlySet<string>,
  known: readonly IKnownAssignment[]
): IPlace[] {
  const courses = new Set(known.map(({ course }) => course));
  return [...courses].flatMap(course => {
    const fitting = known
      .filter(each => each.course === course && belongs(gradeIds, each.gradeIds))
      .map(each => [score(path, gradeIds, each), each] as const)
      .sort(([one], [other]) => other - one);
    const [first, second] = fitting;
    if (first === undefined || first[0] === second?.[0]) {
      return [];
    }
    return [{ course, assignment: first[1].assignment }];
  });
}

/** The share of common exercises among all of both; beyond 1 with the assignment's own name. */
function score(path: string, gradeIds: ReadonlySet<string>, each: IKnownAssignment): number {
  const common = [...gradeIds].filter(id => each.gradeIds.has(id)).length;
  const all = gradeIds.size + each.gradeIds.size - common;
  const stem = path.slice(path.lastIndexOf('/') + 1).replace(/\.ipynb$/, '');
  // A second copy is called name-1; see freeName. Names never outweigh exercises.
  const isNamed = stem === each.assignment || stem.replace(/-\d+$/, '') === each.assignment;
  const exact = stem === each.assignment ? 2e-6 : isNamed ? 1e-6 : 0;
  return common / all + exact;
}
