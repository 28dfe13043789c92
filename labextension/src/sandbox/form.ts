/** What a person types, whether it can be sent, and the request that it makes. */

import type { ICaseRun, IExecuteLimits, IHistoryRecord, IPastCase, IRange } from './types';
import { jsonText } from './words';

/** How a test case is given: text to read and text to print, or a call and its value. */
export type CaseKind = 'stdin' | 'call';

/** One row of the test cases, as it was typed. */
export interface ICaseRow {
  readonly id: number;
  readonly kind: CaseKind;
  readonly stdin: string;
  readonly callee: string;
  /** A JSON list, or an object for named arguments; empty means no arguments. */
  readonly args: string;
  /** Text for `stdin`, JSON for `call`. */
  readonly expected: string;
  /** The name that an earlier execution gave it; empty where it is called by its number. */
  readonly name: string;
  /** How far numbers may differ, where an earlier execution said so. */
  readonly tolerance: number | null;
}

export type CaseField = 'stdin' | 'callee' | 'args' | 'expected';

/** The numbers of the form, as they were typed. */
export interface INumbers {
  readonly timeout: string;
  readonly memory: string;
}

/** What is wrong with a row, by field. */
export type CaseProblems = Partial<Record<CaseField, string>>;

/** What is wrong with the timeout, or null. */
export function timeoutProblem(text: string, limits: IExecuteLimits | null): string | null {
  const isNumber = /^\s*\d+(\.\d+)?\s*$/.test(text);
  return rangeProblem('Timeout', isNumber, text, limits?.timeout, 'a number');
}

/** What is wrong with the memory, or null. */
export function memoryProblem(text: string, limits: IExecuteLimits | null): string | null {
  const isNumber = /^\s*\d+\s*$/.test(text);
  return rangeProblem('Memory', isNumber, text, limits?.memory, 'a whole number');
}

function rangeProblem(
  name: string,
  isNumber: boolean,
  text: string,
  range: IRange | undefined,
  kind: string
): string | null {
  const value = Number(text);
  if (range === undefined) {
    return isNumber ? null : `${name}: type ${kind}.`;
  }
  const fits = isNumber && value >= range.min && value <= range.max;
  return fits ? null : `${name}: type ${kind} from ${range.min} to ${range.max} ${range.unit}.`;
}

/** What is wrong with the code, or null. */
export function codeProblem(code: string, limits: IExecuteLimits | null): string | null {
  if (code.trim() === '') {
    return 'There is no code. Type some first.';
  }
  // The service counts characters as Python does.
  const length = Array.from(code).length;
  const most = limits?.max_code_characters ?? Infinity;
  return length > most ? `The code has ${length} characters; at most ${most} can be run.` : null;
}

/** What is wrong with a row; empty when it can be sent. */
export function caseProblems(row: ICaseRow): CaseProblems {
  if (row.kind === 'stdin') {
    return {};
  }
  const problems: CaseProblems = {};
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(row.callee.trim())) {
    problems.callee = 'Function: type the name of a function of the code, like solve.';
  }
  const args = jsonOf(row.args.trim() || '[]');
  if (args === undefined || typeof args.value !== 'object' || args.value === null) {
    problems.args = 'Arguments: type a JSON list, like [1, "a"], or {"name": 1}.';
  }
  if (jsonOf(row.expected) === undefined) {
    problems.expected = 'Expected: type JSON, like 6, "text", [1, 2], true or null.';
  }
  return problems;
}

/** What is wrong with the rows, or null. */
export function rowsProblem(
  rows: readonly ICaseRow[],
  limits: IExecuteLimits | null
): string | null {
  if (limits !== null && rows.length > limits.max_cases) {
    return `There are ${rows.length} test cases; at most ${limits.max_cases} can be run.`;
  }
  for (const [index, row] of rows.entries()) {
    const problem = Object.values(caseProblems(row))[0];
    if (problem !== undefined) {
      return `${row.name || caseName(index)}. ${problem}`;
    }
  }
  return null;
}

function jsonOf(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** The body of `POST /execute`. */
export function runRequest(
  code: string,
  numbers: INumbers,
  stdin: string,
  captureLocals: boolean
): string {
  const input = stdin === '' ? '' : `,"stdin":${JSON.stringify(stdin)}`;
  return `{${common(code, numbers)}${input},"capture_locals":${captureLocals}}`;
}

/** The body of `POST /execute/tests`. */
export function testsRequest(code: string, numbers: INumbers, rows: readonly ICaseRow[]): string {
  return `{${common(code, numbers)},"cases":[${rows.map(caseText).join(',')}]}`;
}

function common(code: string, numbers: INumbers): string {
  const { timeout, memory } = numbers;
  return `"code":${JSON.stringify(code)},"timeout":${Number(timeout)},"memory":${Number(memory)}`;
}

// What was typed as JSON is sent as it is: reading and writing it again would round large numbers.
function caseText(row: ICaseRow, index: number): string {
  const name = `"name":${JSON.stringify(row.name || caseName(index))}`;
  if (row.kind === 'stdin') {
    const { stdin, expected } = row;
    return `{${name},"stdin":${JSON.stringify(stdin)},"expected":${JSON.stringify(expected)}}`;
  }
  const args = row.args.trim() || '[]';
  const sent = `"${args.startsWith('{') ? 'kwargs' : 'args'}":${args}`;
  const call = `{"function":${JSON.stringify(row.callee.trim())},${sent}}`;
  const tolerance = row.tolerance === null ? '' : `,"tolerance":${row.tolerance}`;
  return `{${name},"call":${call},"expected":${row.expected}${tolerance}}`;
}

/** What a row is called, in the form and in the result. */
export function caseName(index: number): string {
  return `Case ${index + 1}`;
}

/** A row in which nothing is typed yet. */
export function emptyRow(id: number, kind: CaseKind): ICaseRow {
  return { id, kind, stdin: '', callee: '', args: '', expected: '', name: '', tolerance: null };
}

/** The test cases of an earlier execution as rows, the first with `id`, and what came of them. */
export function rowsOf(
  record: IHistoryRecord,
  id: number
): { rows: ICaseRow[]; verdicts: Map<number, ICaseRun>; left: number } {
  const rows: ICaseRow[] = [];
  const verdicts = new Map<number, ICaseRun>();
  for (const item of record.cases) {
    const row = rowOf(id + rows.length, item);
    if (row !== null) {
      rows.push(row);
      verdicts.set(row.id, item);
    }
  }
  return { rows, verdicts, left: record.cases.length - rows.length };
}

/** A test case as a row; null when the form has no fields for it. */
function rowOf(id: number, item: IPastCase): ICaseRow | null {
  // A name that is only a number would be wrong once rows come or go.
  const name = /^Case \d+$/.test(item.name) ? '' : item.name;
  if (item.call) {
    const { args = [], kwargs = {}, function: callee } = item.call;
    const isNamed = Object.keys(kwargs).length > 0;
    if (isNamed && args.length > 0) {
      return null;
    }
    return {
      ...emptyRow(id, 'call'),
      callee,
      args: jsonText(isNamed ? kwargs : args),
      expected: jsonText(item.expected),
      name,
      tolerance: item.tolerance ?? null
    };
  }
  return typeof item.stdin === 'string' && typeof item.expected === 'string'
    ? { ...emptyRow(id, 'stdin'), stdin: item.stdin, expected: item.expected, name }
    : null;
}
