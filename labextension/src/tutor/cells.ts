/** Which answer a cell of a notebook belongs to, and what its outputs say of a failure. */

import { gradeIdOf } from '../notebooks';
import type { IFailure } from './types';

/** What is needed of a cell. */
export interface ICell {
  readonly metadata: unknown;
  readonly source: string;
  /** Outputs as in a notebook file; none for text. */
  readonly outputs: readonly unknown[];
}

/** The answer that a cell belongs to. */
export interface IFoundAnswer {
  gradeId: string;
  isByHand: boolean;
  answer: string;
  failure: IFailure | null;
}

/**
 * The answer that the cell at `index` is about: its own, or that of the nearest answer cell above.
 *
 * A failure is looked for in the cell itself, then in the tests below the answer.
 */
export function answerAt(cells: readonly ICell[], index: number): IFoundAnswer | null {
  for (let place = index; place >= 0; place -= 1) {
    const cell = cells[place];
    const gradeId = cell === undefined ? null : gradeIdOf(cell.metadata);
    if (cell === undefined || gradeId === null || !flag(cell.metadata, 'solution')) {
      continue;
    }
    return {
      gradeId,
      isByHand: flag(cell.metadata, 'grade'),
      answer: cell.source,
      failure: failureIn(cells, place, index)
    };
  }
  return null;
}

/** The failure that the outputs of a cell hold, if any; `check` is the cell's grade_id. */
export function failureOf(cell: ICell): IFailure | null {
  for (const output of cell.outputs) {
    if (text(output, 'output_type') !== 'error') {
      continue;
    }
    const check = gradeIdOf(cell.metadata);
    return {
      ...(check !== null && { check }),
      error_type: text(output, 'ename'),
      message: text(output, 'evalue'),
      traceback: plain(lines(output, 'traceback'))
    };
  }
  return null;
}

function failureIn(cells: readonly ICell[], answer: number, index: number): IFailure | null {
  const own = cells[index];
  const first = own === undefined ? null : failureOf(own);
  if (first !== null) {
    return first;
  }
  for (let place = answer; place < cells.length; place += 1) {
    const cell = cells[place];
    if (cell === undefined || (place > answer && flag(cell.metadata, 'solution'))) {
      return null;
    }
    const failure = failureOf(cell);
    if (failure !== null) {
      return failure;
    }
  }
  return null;
}

function flag(metadata: unknown, name: string): boolean {
  return field(field(metadata, 'nbgrader'), name) === true;
}

function text(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === 'string' ? found : '';
}

function lines(value: unknown, name: string): string {
  const found = field(value, name);
  return Array.isArray(found) ? found.map(String).join('\n') : text(value, name);
}

/** Text without the codes that colour it in a terminal. */
function plain(colored: string): string {
  // eslint-disable-next-line no-control-regex
  return colored.replace(/\u001b\[[0-9;]*m/g, '');
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
