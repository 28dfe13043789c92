/** What a person typed, kept over a reload of the page. */

import { emptyRow } from './form';
import type { ICaseRow, INumbers } from './form';
import type { ISandboxState } from './state';

/** Where a draft is kept. What comes back may be anything. */
export interface IDraftStore {
  load(): Promise<unknown>;
  save(draft: IDraft): Promise<unknown>;
}

/** A number that was not typed is null: the service's default is taken. */
export interface IDraft {
  readonly code: string;
  readonly stdin: string;
  readonly timeout: string | null;
  readonly memory: string | null;
  readonly showVariables: boolean;
  readonly rows: readonly ICaseRow[];
}

// More cannot be run, and would make JupyterLab's own state slow to save.
const MAX_CHARACTERS = 300_000;

/** What is typed now; `typed` holds which numbers a person gave. */
export function draftFrom(state: ISandboxState, typed: ReadonlySet<keyof INumbers>): IDraft {
  const { code, stdin, numbers, showVariables, rows } = state;
  const timeout = typed.has('timeout') ? numbers.timeout : null;
  const memory = typed.has('memory') ? numbers.memory : null;
  return { code, stdin, timeout, memory, showVariables, rows };
}

/** Whether nothing is typed that a draft would replace. */
export function isUntouched({ code, stdin, rows }: ISandboxState): boolean {
  return code === '' && stdin === '' && rows.length === 0;
}

/** What a draft changes but for the code; the numbers that it gives are added to `typed`. */
export function restored(
  state: ISandboxState,
  draft: IDraft,
  typed: Set<keyof INumbers>
): Partial<ISandboxState> {
  const numbers = { ...state.numbers };
  for (const name of ['timeout', 'memory'] as const) {
    const text = draft[name];
    if (text !== null && !typed.has(name)) {
      numbers[name] = text;
      typed.add(name);
    }
  }
  const showVariables = state.showVariables || draft.showVariables;
  return { numbers, stdin: draft.stdin, rows: draft.rows, showVariables };
}

/** Whether a draft is small enough to keep. */
export function isSmall(draft: IDraft): boolean {
  return JSON.stringify(draft).length <= MAX_CHARACTERS;
}

/** What was saved, as far as it can be used; null when there is nothing. */
export function draftOf(saved: unknown): IDraft | null {
  if (!isRecord(saved)) {
    return null;
  }
  const rows = Array.isArray(saved.rows) ? saved.rows.map(item => rowOf(item)) : [];
  return {
    code: textOf(saved.code) ?? '',
    stdin: textOf(saved.stdin) ?? '',
    timeout: textOf(saved.timeout),
    memory: textOf(saved.memory),
    showVariables: saved.showVariables === true,
    rows: rows.filter(row => row !== null).map((row, index) => ({ ...row, id: index + 1 }))
  };
}

function rowOf(saved: unknown): ICaseRow | null {
  if (!isRecord(saved) || (saved.kind !== 'stdin' && saved.kind !== 'call')) {
    return null;
  }
  return {
    ...emptyRow(0, saved.kind),
    stdin: textOf(saved.stdin) ?? '',
    callee: textOf(saved.callee) ?? '',
    args: textOf(saved.args) ?? '',
    expected: textOf(saved.expected) ?? '',
    name: textOf(saved.name) ?? '',
    tolerance: typeof saved.tolerance === 'number' ? saved.tolerance : null
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
