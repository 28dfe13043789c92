/** Which runs of a list are shown, and in what order. */
import type { Plain, RunRow, RunState } from './runsSource';
import { showValue } from './settingsDiff';

export type Column =
  | 'name'
  | 'envId'
  | 'seed'
  | 'state'
  | 'step'
  | 'meanReturn'
  | 'evalReturn'
  | 'startedAt'
  | 'tags'
  | 'sizeBytes';

export type Sort = { readonly column: Column; readonly descending: boolean };

/** `state`: one state, 'active' (not ended), 'ended', or '' for all; `tag`: '' for all. */
export type Filter = { readonly text: string; readonly state: string; readonly tag: string };

/** States in the order in which a list sorts them. */
export const STATES: readonly RunState[] = [
  'running',
  'starting',
  'paused',
  'queued',
  'finished',
  'stopped',
  'interrupted',
  'failed'
];

/** Whether no worker is at a run or will be, unless somebody resumes it. */
export function hasEnded(state: RunState): boolean {
  return STATES.indexOf(state) >= STATES.indexOf('finished');
}

/** What a run is called in the list. */
export function nameOf(row: RunRow): string {
  return row.name || row.label;
}

const COMPARISON = /^([a-z_]\w*)(<=|>=|=|<|>)(.+)$/i;

/** Whether a run is shown. Words must all be found; `gamma>0.95` compares a setting or column. */
export function matches(row: RunRow, filter: Filter): boolean {
  if (filter.tag && !row.tags.includes(filter.tag)) {
    return false;
  }
  const { state } = filter;
  const stateFits =
    !state ||
    (state === 'active' || state === 'ended'
      ? hasEnded(row.state) === (state === 'ended')
      : row.state === state);
  if (!stateFits) {
    return false;
  }
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) {
    return true;
  }
  const text = [row.name, row.label, row.envId, row.state, `seed-${row.seed}`, ...row.tags];
  const all = text.join(' ').toLowerCase();
  return words.every(word => all.includes(word) || fits(row, word));
}

/** Columns by the names that people type, beside the names of settings. */
const COLUMN_NAMES: Readonly<Record<string, Column>> = {
  return: 'meanReturn',
  mean_return: 'meanReturn',
  evaluation: 'evalReturn',
  eval_return: 'evalReturn',
  step: 'step',
  steps: 'step',
  size: 'sizeBytes'
};

/** What a comparison compares; of a schedule its start. */
function compared(row: RunRow, name: string): Plain | undefined {
  const column = COLUMN_NAMES[name];
  const found = column === undefined ? row.hyperparameters[name] : value(row, column);
  return found !== null && typeof found === 'object' && !Array.isArray(found) && 'start' in found
    ? found.start
    : found;
}

/** A name in a filter's comparisons that no run has, so that a slip is not an empty list. */
export function unknownName(rows: readonly RunRow[], text: string): string | null {
  for (const word of text.toLowerCase().split(/\s+/)) {
    const name = COMPARISON.exec(word)?.[1];
    if (name !== undefined && rows.every(row => compared(row, name) === undefined)) {
      return name;
    }
  }
  return null;
}

function fits(row: RunRow, word: string): boolean {
  const [, name = '', sign = '', wanted = ''] = COMPARISON.exec(word) ?? [];
  const found = compared(row, name);
  if (found === undefined) {
    return false;
  }
  const bound = Number(wanted);
  if (typeof found === 'number' && !Number.isNaN(bound)) {
    switch (sign) {
      case '<':
        return found < bound;
      case '>':
        return found > bound;
      case '<=':
        return found <= bound;
      case '>=':
        return found >= bound;
      default:
        return found === bound;
    }
  }
  const shown = showValue(row.hyperparameters[name] ?? found);
  return sign === '=' && shown.toLowerCase().replaceAll(' ', '').includes(wanted);
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

function value(row: RunRow, column: Column): string | number | null {
  switch (column) {
    case 'name':
      return nameOf(row);
    case 'state':
      return STATES.indexOf(row.state);
    case 'startedAt':
      return row.startedAt === null ? null : Date.parse(row.startedAt);
    case 'tags':
      return row.tags.length ? row.tags.join(', ') : null;
    default:
      return row[column];
  }
}

function compare(a: RunRow, b: RunRow, column: Column, descending: boolean): number {
  const one = value(a, column);
  const other = value(b, column);
  const isMissing = (found: string | number | null): boolean =>
    found === null || (typeof found === 'number' && Number.isNaN(found));
  if (isMissing(one) || isMissing(other)) {
    return Number(isMissing(one)) - Number(isMissing(other)); // last, in both directions
  }
  const order =
    typeof one === 'number' && typeof other === 'number'
      ? one - other
      : collator.compare(String(one), String(other));
  return descending ? -order : order;
}

/** Runs in order; those that are equal in a column have the newest first. */
export function sorted(rows: readonly RunRow[], sort: Sort): RunRow[] {
  return [...rows].sort(
    (a, b) =>
      compare(a, b, sort.column, sort.descending) ||
      compare(a, b, 'startedAt', true) ||
      collator.compare(a.id, b.id)
  );
}

/** Names for a legend: with the seed, or the label, where a name alone would fit several runs. */
export function distinctNames(rows: readonly RunRow[]): string[] {
  const count = (texts: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>();
    texts.forEach(text => counts.set(text, (counts.get(text) ?? 0) + 1));
    return counts;
  };
  const names = rows.map(nameOf);
  const alike = count(names);
  const seeded = rows.map((row, place) =>
    (alike.get(names[place] ?? '') ?? 0) > 1 && row.seed !== null
      ? `${names[place]}, seed ${row.seed}`
      : (names[place] ?? '')
  );
  const still = count(seeded);
  return rows.map((row, place) => {
    const text = seeded[place] ?? '';
    return (still.get(text) ?? 0) > 1 && row.label !== names[place]
      ? `${text} (${row.label})`
      : text;
  });
}
