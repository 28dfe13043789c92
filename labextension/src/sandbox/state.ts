/** What the sandbox panel shows, as one object. */

import { RequestError } from '../connection';
import type { ISandbox } from '../types';
import type { ICaseRow, INumbers } from './form';
import type {
  ICaseRun,
  IExecuteLimits,
  IHealth,
  IHistoryItem,
  IHistoryRecord,
  Result
} from './types';

/** Something that went wrong; with `retryAt` (ms since 1970) it is worth trying again then. */
export interface IProblem {
  readonly text: string;
  readonly retryAt: number | null;
}

/** The part of the history that is loaded, newest first. */
export interface IHistory {
  readonly items: readonly IHistoryItem[];
  readonly total: number;
  readonly problem: string | null;
}

/** Everything that is drawn. A new object for every change. */
export interface ISandboxState {
  readonly code: string;
  /** Counts how often the code was replaced from outside the editor. */
  readonly codeVersion: number;
  readonly numbers: INumbers;
  readonly showVariables: boolean;
  /** What the program can read. */
  readonly stdin: string;
  readonly rows: readonly ICaseRow[];
  /** What the latest run of the test cases gave, by row; a row that is changed loses it. */
  readonly verdicts: ReadonlyMap<number, ICaseRun>;
  /** Whether also what is still empty is marked as missing. */
  readonly isTried: boolean;
  /** When the program under way was sent (ms since 1970), else null. */
  readonly busySince: number | null;
  /** Whether the program under way was asked to end. */
  readonly isStopping: boolean;
  readonly now: number;
  readonly result: Result | null;
  /** When an earlier execution is shown: its time. */
  readonly shownFrom: string | null;
  /** Why that execution failed through no fault of the program. */
  readonly shownError: string | null;
  /** Counts how often an earlier execution was brought back. */
  readonly shownVersion: number;
  readonly problem: IProblem | null;
  readonly limits: IExecuteLimits | null;
  readonly health: IHealth | null;
  readonly sandbox: ISandbox | null;
  /** Why the state of the sandbox is not known. */
  readonly healthProblem: string | null;
  readonly history: IHistory;
}

/** The state before anything is known. */
export const EMPTY: Omit<ISandboxState, 'now'> = {
  code: '',
  codeVersion: 0,
  numbers: { timeout: '30', memory: '512' },
  showVariables: false,
  stdin: '',
  rows: [],
  verdicts: new Map(),
  isTried: false,
  busySince: null,
  isStopping: false,
  result: null,
  shownFrom: null,
  shownError: null,
  shownVersion: 0,
  problem: null,
  limits: null,
  health: null,
  sandbox: null,
  healthProblem: null,
  history: { items: [], total: 0, problem: null }
};

/** What an earlier execution gave, as it is shown. */
export function resultOf(record: IHistoryRecord): Result | null {
  if (record.result !== null) {
    return { kind: 'run', run: record.result };
  }
  if (record.cases.length === 0) {
    return null;
  }
  const tests = {
    success: record.success,
    passed: record.cases_passed ?? 0,
    total: record.cases_total ?? 0,
    execution_time: record.execution_time,
    cases: record.cases
  };
  return { kind: 'tests', tests };
}

/** The verdicts but for one row's. */
export function without(
  verdicts: ReadonlyMap<number, ICaseRun>,
  id: number
): ReadonlyMap<number, ICaseRun> {
  return new Map([...verdicts].filter(([row]) => row !== id));
}

/** A problem that waiting does not solve. */
export function sayOnly(text: string): IProblem {
  return { text, retryAt: null };
}

/** A problem, with the time to try again where the service named one. */
export function problemOf(error: unknown, now: number): IProblem {
  const wait = error instanceof RequestError ? error.retryAfter : null;
  return { text: messageOf(error), retryAt: wait === null ? null : now + wait * 1000 };
}

/** What a failure says to people. */
export function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}
