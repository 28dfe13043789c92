/** Which part of the page the address names, so that a reload and a bookmark lead back to it. */

import { isTab } from '../instructor/model';
import type { IPlace } from '../instructor/model';

/** The parts of the page. */
export type Part = 'courses' | 'release' | 'tokens';

const PARTS: Readonly<Record<string, Part>> = { '#release': 'release', '#tokens': 'tokens' };
const COURSE = '#course/';

export interface IPagePlace extends Partial<IPlace> {
  part: Part;
}

export function readPlace(hash: string): IPagePlace {
  if (!hash.startsWith(COURSE)) {
    return { part: PARTS[hash] ?? 'courses' };
  }
  const [course, tab] = hash.slice(COURSE.length).split('/');
  return {
    part: 'courses',
    course: decoded(course ?? ''),
    tab: isTab(tab) ? tab : undefined
  };
}

export function placeHash(place: IPlace, part: Part): string {
  if (part !== 'courses') {
    return `#${part}`;
  }
  return place.course === null ? '' : `${COURSE}${encodeURIComponent(place.course)}/${place.tab}`;
}

/** A name as the address has it; null if it is none. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text) || null;
  } catch {
    return null;
  }
}
