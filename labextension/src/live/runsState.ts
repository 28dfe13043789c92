/** How a list of runs is shown. */
import type { Filter, Sort } from './runFilter';
import type { Grouping } from './runsSource';
import type { BoardSettings } from './types';

/** How the list is shown: plain data that the host keeps. */
export type RunsViewState = {
  /** Ids of the runs that are drawn. */
  readonly checked: readonly string[];
  /** Colours that runs have had: a run keeps its own while it is free. */
  readonly colours: Readonly<Record<string, number>>;
  /** Ids of the runs whose panels are open. */
  readonly open: readonly string[];
  readonly sort: Sort;
  readonly filter: Filter;
  readonly grouping: Grouping;
  readonly board: BoardSettings;
};

/** More runs than this are not drawn together. */
export const MOST_CHECKED = 40;

export const INITIAL: RunsViewState = {
  checked: [],
  colours: {},
  open: [],
  sort: { column: 'startedAt', descending: true },
  filter: { text: '', state: '', tag: '' },
  grouping: 'runs',
  board: { smoothing: 1, logScale: false, hidden: [] }
};

/** Return colours for all checked runs: their own if no other has it, else the lowest free one. */
export function withColours(
  checked: readonly string[],
  colours: Readonly<Record<string, number>>
): Record<string, number> {
  const found: Record<string, number> = { ...colours };
  const used = new Set<number>();
  const without: string[] = [];
  for (const id of checked) {
    const own = found[id];
    if (own === undefined || used.has(own)) {
      without.push(id);
    } else {
      used.add(own);
    }
  }
  for (const id of without) {
    let free = 0;
    while (used.has(free)) {
      free += 1;
    }
    found[id] = free;
    used.add(free);
  }
  return found;
}
