/** What `/execute` takes and answers; see jupyter_ppo/web/openapi.json. Times are in seconds. */

import type { IPage, ISandbox } from '../types';

export type Outcome =
  | 'succeeded'
  | 'raised'
  | 'syntax_error'
  | 'timeout'
  | 'memory'
  | 'output_limit'
  | 'died'
  | 'stopped';

export type CaseVerdict = Exclude<Outcome, 'succeeded'> | 'passed' | 'failed';

/** A limit that was hit, with the figure that it stood at. */
export interface ILimitHit {
  name: string;
  value: number;
  unit: string;
}

/** What came of a program. Memory is in MiB. */
export interface IRun {
  success: boolean;
  outcome: Outcome;
  stdout: string;
  stderr: string;
  error_type: string | null;
  error_message: string | null;
  traceback: string | null;
  execution_time: number;
  memory_used_mb: number;
  /** The program's names that hold plain data; null when they were not asked for. */
  locals: Record<string, unknown> | null;
  /** The type of each name that was left out, and why. */
  omitted: Record<string, string>;
  limit: ILimitHit | null;
}

/** What came of one test case; `value` is what the call returned, if `has_value`. */
export interface ICaseRun {
  name: string;
  verdict: CaseVerdict;
  detail: string;
  stdout: string;
  stderr: string;
  value: unknown;
  has_value: boolean;
  error_type: string | null;
  error_message: string | null;
  traceback: string | null;
  execution_time: number;
  memory_used_mb: number;
  limit: ILimitHit | null;
}

/** A test case of an earlier execution: what it asked for, and what came of it. */
export interface IPastCase extends ICaseRun {
  stdin?: string | null;
  call?: { function: string; args?: unknown[]; kwargs?: Record<string, unknown> } | null;
  expected?: unknown;
  tolerance?: number | null;
}

/** What came of code with test cases. */
export interface ITestRun {
  success: boolean;
  passed: number;
  total: number;
  execution_time: number;
  cases: ICaseRun[];
}

/** A number that a request may hold: from, to, and what it is when left out. */
export interface IRange {
  default: number;
  min: number;
  max: number;
  unit: string;
}

/** What a request may ask for. */
export interface IExecuteLimits {
  timeout: IRange;
  memory: IRange;
  max_code_characters: number;
  max_cases: number;
}

/** Whether code can run here, and how many containers wait for it. */
export interface IHealth {
  engine: boolean;
  image: boolean;
  pool: { ready: number; size: number };
}

/** One earlier execution; `cases_total` is null without test cases. */
export interface IHistoryItem {
  id: string;
  created_at: string;
  code_preview: string;
  state: 'running' | 'done' | 'failed';
  outcome: Outcome | null;
  success: boolean;
  execution_time: number;
  cases_passed: number | null;
  cases_total: number | null;
}

/** An earlier execution in full; `error` says why it failed through no fault of the program. */
export interface IHistoryRecord extends IHistoryItem {
  code: string;
  timeout: number;
  memory: number;
  /** What the program could read, where the service kept it. */
  stdin?: string;
  result: IRun | null;
  cases: IPastCase[];
  error: string | null;
}

/** What is shown after a run. */
export type Result = { kind: 'run'; run: IRun } | { kind: 'tests'; tests: ITestRun };

/** What the panel asks of the service. A request is a JSON text, see form.ts. */
export interface ISandboxClient {
  run(request: string): Promise<IRun>;
  runTests(request: string): Promise<ITestRun>;
  /** End all programs of this person, running or waiting; how many there were. */
  stop(): Promise<number>;
  limits(): Promise<IExecuteLimits>;
  health(): Promise<IHealth>;
  /** Why code cannot run here, and what to do about it. */
  sandbox(): Promise<ISandbox>;
  history(offset: number): Promise<IPage<IHistoryItem>>;
  record(id: string): Promise<IHistoryRecord>;
}
