/** Hyperparameters of runs beside each other: which runs belong together, and what differs. */
import { element } from './elements';
import { swatch } from './colours';
import { formatCount } from './format';
import type { Grouping, Plain, RunRow, SettingDescription } from './runsSource';

/** Runs that differ in their seed only. */
export type RowGroup = { readonly key: string; readonly rows: readonly RunRow[] };

/** One setting of several runs; `values` in their order. */
export type SettingLine = {
  readonly name: string;
  readonly title: string;
  readonly values: readonly string[];
  readonly differs: boolean;
};

const LONGEST_VALUE = 60;
const MOST_NAMED = 3;

/** A text that is the same for equal values, whatever the order of their names. */
export function stableText(value: Plain | undefined): string {
  if (value === undefined) {
    return '';
  }
  if (Array.isArray(value)) {
    return `[${value.map(stableText).join(',')}]`;
  }
  if (value !== null && typeof value === 'object') {
    const parts = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${parts.map(([name, part]) => `${name}:${stableText(part)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The same text exactly for runs that are equal in all settings but the seed. */
export function settingKey(row: RunRow): string {
  return stableText({ ...settingsOf(row), seed: null });
}

/** Runs of one setting together, in the order of the first of each. */
export function groupRows(rows: readonly RunRow[]): RowGroup[] {
  const groups = new Map<string, RunRow[]>();
  for (const row of rows) {
    const key = settingKey(row);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [row]);
    } else {
      group.push(row);
    }
  }
  return [...groups].map(([key, group]) => ({ key, rows: group }));
}

/** In what colours runs are drawn: those of one setting alike when settings are drawn. */
export function drawnColours(
  rows: readonly RunRow[],
  colours: ReadonlyMap<string, number>,
  grouping: Grouping
): Map<string, number> {
  const own = (row: RunRow): number => colours.get(row.id) ?? 0;
  const found = new Map(rows.map(row => [row.id, own(row)]));
  for (const group of grouping === 'runs' ? [] : groupRows(rows)) {
    const colour = Math.min(...group.rows.map(own));
    group.rows.forEach(row => found.set(row.id, colour));
  }
  return found;
}

/** A value as it is written in Python, schedules in words. */
export function showValue(value: Plain | undefined): string {
  if (value === undefined) {
    return '–';
  }
  if (value === null) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (typeof value === 'string' || typeof value === 'number') {
    return String(value);
  }
  if (isSchedule(value)) {
    return `${value.kind} ${value.start} to ${value.end}`;
  }
  const text = Array.isArray(value)
    ? `[${value.map(showValue).join(', ')}]`
    : JSON.stringify(value).replaceAll('":', '": ').replaceAll(',"', ', "');
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
}

function isSchedule(value: object): value is { kind: string; start: number; end: number } {
  return 'kind' in value && 'start' in value && 'end' in value;
}

/** What decides a run, the environment first. */
function settingsOf(row: RunRow): Readonly<Record<string, Plain>> {
  return { ...row.hyperparameters, env_id: row.envId };
}

/** Every setting of these runs, in the order of `settings`; names that are not there come last. */
export function settingLines(
  rows: readonly RunRow[],
  settings: readonly SettingDescription[]
): SettingLine[] {
  const known = new Map(settings.map(one => [one.name, one]));
  const names = new Set<string>(['env_id', ...known.keys()]);
  const every = rows.map(settingsOf);
  every.forEach(values => Object.keys(values).forEach(name => names.add(name)));
  const lines: SettingLine[] = [];
  for (const name of names) {
    const values = every.map(values => values[name]);
    if (values.every(value => value === undefined)) {
      continue;
    }
    const described = known.get(name);
    const unit = described?.unit ? ` (${described.unit})` : '';
    lines.push({
      name,
      title: described ? `${described.meaning}${unit}` : '',
      values: values.map(showValue),
      differs: new Set(values.map(stableText)).size > 1
    });
  }
  return lines;
}

/** What each group is called: the settings in which groups differ, and how many seeds it has. */
export function groupLabels(
  groups: readonly RowGroup[],
  settings: readonly SettingDescription[]
): string[] {
  const firsts = groups.flatMap(group => group.rows.slice(0, 1));
  const lines = settingLines(firsts, settings).filter(line => line.differs && line.name !== 'seed');
  return groups.map((group, place) => {
    const named = lines.slice(0, MOST_NAMED).map(({ name, values }) => {
      const value = values[place] ?? '';
      return name === 'env_id' ? value : `${name} ${value}`;
    });
    const more = lines.length > MOST_NAMED ? ', …' : '';
    const what = named.length ? named.join(', ') + more : (group.rows[0]?.envId ?? '');
    const seeds = group.rows.length;
    return `${what} (${seeds} ${seeds === 1 ? 'run' : 'seeds'})`;
  });
}

/** A column of the table: a run with its name and colour. */
export type DiffColumn = { readonly row: RunRow; readonly name: string; readonly colour: number };

/** Return the table of settings; only those that differ unless `all`. */
export function diffTable(
  columns: readonly DiffColumn[],
  settings: readonly SettingDescription[],
  all: boolean
): HTMLElement {
  const lines = settingLines(
    columns.map(column => column.row),
    settings
  );
  const shown = all ? lines : lines.filter(line => line.differs);
  const changed = columns.some(column => column.row.changes.length > 0);
  if (!shown.length && !changed) {
    const text = columns.length < 2 ? 'Check a second run to compare.' : 'All settings are equal.';
    return element('p', { class: 'ppo-note' }, text);
  }
  const head = columns.map(({ name, colour }) => {
    const cell = element('th', { scope: 'col' }, swatch(colour), name);
    return cell;
  });
  const body = shown.map(line =>
    element(
      'tr',
      { class: line.differs ? 'ppo-diff-differs' : undefined },
      element('th', { scope: 'row', title: line.title }, line.name),
      ...line.values.map(value => element('td', {}, value))
    )
  );
  if (changed) {
    body.push(
      element(
        'tr',
        { class: 'ppo-diff-changes' },
        element('th', { scope: 'row' }, 'what happened on the way'),
        ...columns.map(column => element('td', {}, changesOf(column.row)))
      )
    );
  }
  return element(
    'div',
    { class: 'ppo-diff-scroll', role: 'region', 'aria-label': 'Settings', tabindex: 0 },
    element(
      'table',
      { class: 'ppo-diff' },
      element(
        'caption',
        { class: 'ppo-hidden-text' },
        all ? 'All settings of the checked runs' : 'Settings in which the checked runs differ'
      ),
      element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, 'Setting'), ...head)),
      element('tbody', {}, ...body)
    )
  );
}

function changesOf(row: RunRow): HTMLElement | string {
  if (!row.changes.length) {
    return '–';
  }
  const items = row.changes.map(({ step, text }) =>
    element('li', {}, element('span', { class: 'ppo-diff-step' }, formatCount(step)), ` ${text}`)
  );
  return element('ul', {}, ...items);
}
