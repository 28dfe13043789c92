/** How the gradebook is asked for and how its cells and its history read. */

import { pointsText } from '../format';
import type {
  CellState,
  GradeChangeKind,
  ICell,
  IColumn,
  IGradebookQuery,
  IGradeChange,
  IRow,
  RowFilter
} from './gradingTypes';
import { durationText } from './words';

export const PAGE_SIZES = [50, 100, 200] as const;

export const FIRST_QUERY: IGradebookQuery = {
  assignment: '',
  search: '',
  group: '',
  state: '',
  sort: 'user',
  order: 'asc',
  offset: 0,
  limit: PAGE_SIZES[0]
};

const STATES: Record<CellState, string> = {
  not_submitted: 'Not submitted',
  submitted: 'Submitted',
  queued: 'Queued',
  grading: 'Grading',
  graded: 'Graded',
  released: 'Released',
  failed: 'Failed'
};

export const FILTERS: readonly (readonly [RowFilter | '', string])[] = [
  ['', 'Any state'],
  ['needs_review', 'Waits for a person'],
  ['late', 'Late'],
  ...(Object.entries(STATES) as [CellState, string][])
];

export function cellStateText(state: CellState): string {
  return STATES[state];
}

/** The query after a click on a heading: names go up first, numbers down, and then they turn. */
export function sortedBy(query: IGradebookQuery, sort: string): IGradebookQuery {
  if (query.sort === sort) {
    return { ...query, order: query.order === 'asc' ? 'desc' : 'asc', offset: 0 };
  }
  const order = sort === 'user' || sort === 'name' ? 'asc' : 'desc';
  return { ...query, sort, order, offset: 0 };
}

/** What `aria-sort` of a heading is. */
export function ariaSort(
  query: IGradebookQuery,
  sort: string
): 'ascending' | 'descending' | 'none' {
  if (query.sort !== sort) {
    return 'none';
  }
  return query.order === 'asc' ? 'ascending' : 'descending';
}

/** What a cell shows: points, or where the attempt is. */
export function cellText(cell: ICell): string {
  if (cell.points !== null) {
    return pointsText(cell.points);
  }
  return cell.state === 'not_submitted' ? '–' : cellStateText(cell.state);
}

/** What is to be known of a cell, as a mark of one letter and in words. */
export function cellMarks(cell: ICell): readonly (readonly [string, string])[] {
  const marks: [string, string][] = [];
  if (cell.late_seconds > 0) {
    marks.push(['L', `late by ${durationText(cell.late_seconds)}`]);
  }
  if (cell.needs_review) {
    marks.push(['R', 'waits for a person']);
  }
  if (cell.unsealed_points > 0) {
    marks.push(['U', `${pointsText(cell.unsealed_points)} unsealed`]);
  }
  if (cell.points !== null && !cell.released) {
    marks.push(['H', 'not released']);
  }
  return marks;
}

/** A whole cell in words, for screen readers and as a tooltip. */
export function cellLabel(row: IRow, column: IColumn, cell: ICell): string {
  const points =
    cell.points === null
      ? cellStateText(cell.state)
      : `${pointsText(cell.points)} of ${pointsText(cell.max_points ?? column.max_points)}`;
  const parts = [points, ...cellMarks(cell).map(([, words]) => words)];
  if (cell.penalty > 0) {
    parts.push(`${pointsText(cell.penalty)} off for lateness`);
  }
  return `${row.user}, ${column.name}: ${parts.join(', ')}`;
}

const KINDS: Record<GradeChangeKind, string> = {
  autograded: 'Graded by tests',
  marked: 'Marked',
  outcome: 'Outcome',
  lateness: 'Lateness',
  released: 'Released',
  withdrawn: 'Taken back',
  imported: 'Imported'
};

export function changeKindText(kind: GradeChangeKind): string {
  return KINDS[kind];
}

const WORDS: Record<string, string> = {
  points: 'points',
  max_points: 'of',
  extra_credit: 'extra credit',
  comment: 'comment',
  version: 'version',
  penalty: 'penalty',
  late_seconds: 'seconds late'
};

/** What changed: `points 2 → 3, comment “good”`; what stayed the same is left out. */
export function changedText({ before, after }: IGradeChange): string {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const parts: string[] = [];
  for (const name of names) {
    const old = valueText(before?.[name]);
    const now = valueText(after?.[name]);
    if (old !== now) {
      const word = WORDS[name] ?? name.replace(/_/g, ' ');
      parts.push(before === null ? `${word} ${now}` : `${word} ${old} → ${now}`);
    }
  }
  return parts.join(', ');
}

function valueText(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return pointsText(value);
    case 'string':
      return value === '' ? '–' : `“${value}”`;
    case 'boolean':
      return value ? 'yes' : 'no';
    case 'object':
      return value === null ? '–' : JSON.stringify(value);
    default:
      return '–';
  }
}
