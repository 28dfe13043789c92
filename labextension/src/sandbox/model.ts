/** What the sandbox panel knows and does, without any drawing. */

import { Poller } from '../polling';
import { draftFrom, draftOf, isSmall, isUntouched, restored } from './draft';
import type { IDraft, IDraftStore } from './draft';
import {
  codeProblem,
  emptyRow,
  memoryProblem,
  rowsOf,
  rowsProblem,
  runRequest,
  testsRequest,
  timeoutProblem
} from './form';
import type { CaseKind, ICaseRow, INumbers } from './form';
import { EMPTY, messageOf, problemOf, resultOf, sayOnly, without } from './state';
import type { ISandboxState } from './state';
import type { ICaseRun, IHistoryRecord, ISandboxClient } from './types';
import { healthText, isReady } from './words';

const TICK_MS = 1000;

/** The state of the panel and the actions of its buttons; no action ever rejects. */
export class SandboxModel {
  constructor(
    private readonly _client: ISandboxClient,
    private readonly _store: IDraftStore | null = null
  ) {
    this._poller = new Poller(() => this._askHealth());
  }

  /** The state now; for React.useSyncExternalStore. */
  readonly snapshot = (): ISandboxState => this._state;

  /** Call `listener` after every change; returns how to stop that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** The panel came into sight or went out of it. */
  setVisible(visible: boolean): void {
    this._poller.setVisible(visible);
    if (visible) {
      void this._look();
    }
  }

  /** Bring back what was typed before the page was loaded, unless something is typed already. */
  async restore(): Promise<void> {
    let draft: IDraft | null = null;
    try {
      draft = draftOf(await this._store?.load());
    } catch {
      // There is nothing to bring back then.
    }
    if (draft !== null && isUntouched(this._state)) {
      this._lastRow += draft.rows.length;
      this._set(restored(this._state, draft, this._typed));
      this._replaceCode(draft.code);
    }
    this._isRestored = true;
    this._keep();
  }

  /** The person typed code. */
  setCode(code: string): void {
    this._set({ code });
    this._keep();
  }

  /** The person typed a number. */
  setNumber(name: keyof INumbers, text: string): void {
    this._set({ numbers: { ...this._state.numbers, [name]: text } });
    this._typed.add(name);
    this._keep();
  }

  setShowVariables(showVariables: boolean): void {
    this._set({ showVariables });
    this._keep();
  }

  /** The person typed what the program can read. */
  setStdin(stdin: string): void {
    this._set({ stdin });
    this._keep();
  }

  /** A new row of test cases. */
  addCase(kind: CaseKind): void {
    this._lastRow += 1;
    const { rows } = this._state;
    const callee = rows[rows.length - 1]?.callee ?? '';
    this._set({ rows: [...rows, { ...emptyRow(this._lastRow, kind), callee }], isTried: false });
    this._keep();
  }

  changeCase(id: number, change: Partial<Omit<ICaseRow, 'id'>>): void {
    const rows = this._state.rows.map(row => (row.id === id ? { ...row, ...change } : row));
    this._set({ rows, verdicts: without(this._state.verdicts, id) });
    this._keep();
  }

  removeCase(id: number): void {
    const rows = this._state.rows.filter(row => row.id !== id);
    this._set({ rows, verdicts: without(this._state.verdicts, id) });
    this._keep();
  }

  /** Run the code. */
  run(): Promise<void> {
    const { code, numbers, stdin, showVariables } = this._state;
    return this._execute(this._formProblem(), async () => {
      const run = await this._client.run(runRequest(code, numbers, stdin, showVariables));
      return { result: { kind: 'run', run } };
    });
  }

  /** Run the code against every test case. */
  runTests(): Promise<void> {
    const { code, numbers, rows, limits } = this._state;
    this._set({ isTried: true });
    return this._execute(this._formProblem() ?? rowsProblem(rows, limits), async () => {
      const tests = await this._client.runTests(testsRequest(code, numbers, rows));
      const verdicts = new Map<number, ICaseRun>();
      rows.forEach((row, index) => {
        const run = tests.cases[index];
        // A row that was changed meanwhile is not the one that was judged.
        if (run && this._state.rows.includes(row)) {
          verdicts.set(row.id, run);
        }
      });
      return { result: { kind: 'tests', tests }, verdicts };
    });
  }

  /** End the program under way, and all others of this person. */
  async stop(): Promise<void> {
    if (this._state.busySince !== null && !this._state.isStopping) {
      this._set({ isStopping: true });
      await this._askStop();
    }
  }

  /** Put `code` in place of what is in the editor, and run it. */
  runOther(code: string): Promise<void> {
    if (this._state.busySince !== null) {
      this._set({ problem: sayOnly('A program is running. Try again when it has ended.') });
      return Promise.resolve();
    }
    this._replaceCode(code);
    return this.run();
  }

  /** Bring back the code and the result of an earlier execution. */
  async recall(id: string): Promise<void> {
    let record: IHistoryRecord;
    try {
      record = await this._client.record(id);
    } catch (error) {
      this._set({ problem: problemOf(error, Date.now()) });
      return;
    }
    const { rows, verdicts, left } = rowsOf(record, this._lastRow + 1);
    this._lastRow += rows.length;
    this._replaceCode(record.code);
    this._typed.add('timeout').add('memory');
    this._set({
      numbers: { timeout: String(record.timeout), memory: String(record.memory) },
      stdin: record.stdin ?? this._state.stdin,
      // A run under way has its test cases at its end only.
      ...(record.cases.length === 0 && record.cases_total !== null ? {} : { rows }),
      verdicts,
      problem: left === 0 ? null : sayOnly(`The form has no fields for ${left} of the cases.`),
      result: resultOf(record),
      shownFrom: record.created_at,
      shownError: record.error,
      shownVersion: this._state.shownVersion + 1,
      isTried: false,
      now: Date.now()
    });
    this._keep();
  }

  /** Load the next older executions. */
  async moreHistory(): Promise<void> {
    await this._loadHistory(this._state.history.items.length);
  }

  /** Stop every timer for good. */
  dispose(): void {
    this._isDisposed = true;
    this._poller.dispose();
    this._listeners.clear();
    this._stopTicking();
  }

  private async _execute(
    invalid: string | null,
    action: () => Promise<Partial<ISandboxState>>
  ): Promise<void> {
    if (this._state.busySince !== null) {
      return;
    }
    if (invalid !== null) {
      this._set({ problem: sayOnly(invalid) });
      return;
    }
    if (!(await this._canRun()) || this._state.busySince !== null) {
      return;
    }
    const now = Date.now();
    this._set({
      busySince: now,
      now,
      result: null,
      shownFrom: null,
      shownError: null,
      problem: null,
      verdicts: new Map()
    });
    let change: Partial<ISandboxState>;
    try {
      change = await action();
    } catch (error) {
      change = { problem: problemOf(error, Date.now()) };
    }
    this._isUnheard = false;
    this._set({ ...change, busySince: null, isStopping: false, now: Date.now() });
    await this._look();
  }

  /** Whether a program can run; what is known to be missing may be there by now. */
  private async _canRun(): Promise<boolean> {
    if (this._state.health === null || isReady(this._state.health)) {
      return true;
    }
    await this._askHealth();
    const { health, sandbox } = this._state;
    if (health === null || isReady(health)) {
      return true;
    }
    this._set({ problem: sayOnly(healthText(health, sandbox)) });
    return false;
  }

  private async _askStop(): Promise<void> {
    const since = this._state.busySince;
    this._isUnheard = false;
    try {
      const stopped = await this._client.stop();
      // The wish may come to the server before the program does: then it is said again.
      this._isUnheard = stopped === 0 && this._state.busySince === since;
    } catch (error) {
      if (this._state.busySince === since) {
        this._set({ isStopping: false, problem: problemOf(error, Date.now()) });
      }
    }
  }

  private _formProblem(): string | null {
    const { code, numbers, limits } = this._state;
    return (
      codeProblem(code, limits) ??
      timeoutProblem(numbers.timeout, limits) ??
      memoryProblem(numbers.memory, limits)
    );
  }

  private _replaceCode(code: string): void {
    this._set({ code, codeVersion: this._state.codeVersion + 1 });
    this._keep();
  }

  /** Keep what is typed over a reload of the page. */
  private _keep(): void {
    if (!this._isRestored || this._store === null) {
      return;
    }
    const draft = draftFrom(this._state, this._typed);
    if (isSmall(draft)) {
      // Without it no more is lost than a reload loses.
      this._store.save(draft).catch(() => undefined);
    }
  }

  /** Learn what may have changed: the state of the sandbox and the newest executions. */
  private async _look(): Promise<void> {
    await Promise.all([this._askLimits(), this._lookAtHealth(), this._loadHistory(0)]);
  }

  private async _askLimits(): Promise<void> {
    if (this._state.limits !== null) {
      return;
    }
    try {
      const limits = await this._client.limits();
      const numbers = { ...this._state.numbers };
      for (const name of ['timeout', 'memory'] as const) {
        if (!this._typed.has(name)) {
          numbers[name] = String(limits[name].default);
        }
      }
      this._set({ limits, numbers });
    } catch {
      // The service checks the numbers in any case, and its health says what is wrong.
    }
  }

  private async _lookAtHealth(): Promise<void> {
    if (await this._askHealth()) {
      this._poller.start();
    }
  }

  /** Ask whether code can run; whether to ask again soon. */
  private async _askHealth(): Promise<boolean> {
    try {
      const health = await this._client.health();
      const sandbox = isReady(health) ? null : await this._client.sandbox();
      this._set({ health, sandbox, healthProblem: null, now: Date.now() });
      const isFilling = health.pool.ready < health.pool.size;
      return !isReady(health) || isFilling;
    } catch (error) {
      this._set({ health: null, healthProblem: messageOf(error) });
      return true;
    }
  }

  private async _loadHistory(offset: number): Promise<void> {
    try {
      const page = await this._client.history(offset);
      const fresh = new Set(page.items.map(item => item.id));
      const items = this._state.history.items.filter(item => !fresh.has(item.id));
      // Without an item in common there is a gap between the newest and those that are loaded.
      const isGap = offset === 0 && items.length === this._state.history.items.length;
      items.splice(0, isGap ? items.length : 0);
      items.push(...page.items);
      // Ids are of version 7 and order as the times do.
      items.sort((one, other) => (one.id < other.id ? 1 : -1));
      this._set({ history: { items, total: page.total, problem: null }, now: Date.now() });
    } catch (error) {
      this._set({ history: { ...this._state.history, problem: messageOf(error) } });
    }
  }

  /** Count the seconds for as long as there is something to count. */
  private _tick(): void {
    this._stopTicking();
    const { busySince, problem, now } = this._state;
    const isWaiting = problem !== null && problem.retryAt !== null && problem.retryAt > now;
    if (!this._isDisposed && (busySince !== null || isWaiting)) {
      this._timer = window.setTimeout(() => {
        this._set({ now: Date.now() });
        if (this._isUnheard) {
          void this._askStop();
        }
      }, TICK_MS);
    }
  }

  private _stopTicking(): void {
    if (this._timer !== null) {
      window.clearTimeout(this._timer);
      this._timer = null;
    }
  }

  private _set(change: Partial<ISandboxState>): void {
    this._state = { ...this._state, ...change };
    if ('now' in change) {
      this._tick();
    }
    this._listeners.forEach(listener => listener());
  }

  private readonly _poller: Poller;
  private readonly _listeners = new Set<() => void>();
  private readonly _typed = new Set<keyof INumbers>();
  private _state: ISandboxState = { ...EMPTY, now: Date.now() };
  private _timer: number | null = null;
  private _lastRow = 0;
  private _isRestored = false;
  /** Whether the latest wish to stop found nothing to stop. */
  private _isUnheard = false;
  private _isDisposed = false;
}
