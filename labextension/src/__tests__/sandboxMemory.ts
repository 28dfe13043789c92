/** `/execute` and an editor, small and in memory, for tests of the sandbox panel. */

import type { EditorFactory } from '../sandbox/editor';
import type {
  ICaseRun,
  IExecuteLimits,
  IHealth,
  IHistoryItem,
  IHistoryRecord,
  IRun,
  ISandboxClient,
  ITestRun
} from '../sandbox/types';
import type { IPage, ISandbox } from '../types';

export const LIMITS: IExecuteLimits = {
  timeout: { default: 20, min: 1, max: 300, unit: 's' },
  memory: { default: 256, min: 64, max: 2048, unit: 'MiB' },
  max_code_characters: 1000,
  max_cases: 3
};

/** A program that ran to its end and printed nothing. */
export function programRun(change: Partial<IRun> = {}): IRun {
  return {
    success: true,
    outcome: 'succeeded',
    stdout: '',
    stderr: '',
    error_type: null,
    error_message: null,
    traceback: null,
    execution_time: 0.0123,
    memory_used_mb: 20.25,
    locals: null,
    omitted: {},
    limit: null,
    ...change
  };
}

/** A test case that passed. */
export function caseRun(change: Partial<ICaseRun> = {}): ICaseRun {
  return {
    name: 'Case 1',
    verdict: 'passed',
    detail: 'The value is as expected.',
    stdout: '',
    stderr: '',
    value: 6,
    has_value: true,
    error_type: null,
    error_message: null,
    traceback: null,
    execution_time: 0.5,
    memory_used_mb: 20,
    limit: null,
    ...change
  };
}

/** An entry of the history; a larger number is newer. */
export function historyItem(number: number, change: Partial<IHistoryItem> = {}): IHistoryItem {
  return {
    id: String(number).padStart(4, '0'),
    created_at: '2026-01-02T03:04:05+00:00',
    code_preview: `x = ${number}\nprint(x)`,
    state: 'done',
    outcome: 'succeeded',
    success: true,
    execution_time: 1,
    cases_passed: null,
    cases_total: null,
    ...change
  };
}

/** A service in memory. A program runs until `finish` is called. */
export class MemorySandbox implements ISandboxClient {
  requests: Record<string, unknown>[] = [];
  texts: string[] = [];
  state: IHealth = { engine: true, image: true, pool: { ready: 1, size: 1 } };
  reason: ISandbox = { available: true, engine: 'e', image: 'i', problem: null, remedy: null };
  past: IHistoryItem[] = [];
  pageSize = 2;
  records = new Map<string, Partial<IHistoryRecord>>();
  /** How many programs each `stop` finds, in turn; then one. */
  found: number[] = [];
  stops = 0;
  stopProblem: Error | null = null;
  limitsProblem: Error | null = null;
  healthProblem: Error | null = null;

  run(request: string): Promise<IRun> {
    return this._admit(request);
  }

  runTests(request: string): Promise<ITestRun> {
    return this._admit(request);
  }

  async limits(): Promise<IExecuteLimits> {
    if (this.limitsProblem) {
      throw this.limitsProblem;
    }
    return LIMITS;
  }

  async stop(): Promise<number> {
    this.stops += 1;
    if (this.stopProblem) {
      throw this.stopProblem;
    }
    return this.found.shift() ?? 1;
  }

  async health(): Promise<IHealth> {
    if (this.healthProblem) {
      throw this.healthProblem;
    }
    return this.state;
  }

  async sandbox(): Promise<ISandbox> {
    return this.reason;
  }

  async history(offset: number): Promise<IPage<IHistoryItem>> {
    const items = this.past.slice(offset, offset + this.pageSize);
    return { items, total: this.past.length, offset, limit: this.pageSize };
  }

  async record(id: string): Promise<IHistoryRecord> {
    const record = this.records.get(id);
    if (record === undefined) {
      throw new Error('There is no such execution.');
    }
    const item = historyItem(Number(id));
    return {
      ...item,
      code: item.code_preview,
      timeout: 5,
      memory: 128,
      result: null,
      cases: [],
      error: null,
      ...record
    };
  }

  /** The program under way ends with this, and is in the history. */
  finish(result: IRun | ITestRun): void {
    this.past.unshift(historyItem(this.past.length + 1));
    this._end(result);
  }

  /** The request under way is refused. */
  refuse(error: Error): void {
    this._fail(error);
  }

  private _admit<T>(request: string): Promise<T> {
    this.texts.push(request);
    this.requests.push(JSON.parse(request) as Record<string, unknown>);
    return new Promise<T>((resolve, reject) => {
      this._end = result => resolve(result as T);
      this._fail = reject;
    });
  }

  private _end: (result: IRun | ITestRun) => void = () => undefined;
  private _fail: (error: Error) => void = () => undefined;
}

/** A plain text area in the editor's place. */
export const textArea: EditorFactory = (host, code, changed) => {
  const area = document.createElement('textarea');
  area.value = code;
  area.addEventListener('input', () => changed(area.value));
  host.appendChild(area);
  return {
    setCode: text => {
      area.value = text;
      changed(text);
    },
    dispose: () => area.remove()
  };
};
