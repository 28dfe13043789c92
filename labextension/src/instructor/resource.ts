/** Something that is fetched: what is known of it, and fetching it again. */

import * as React from 'react';

/** What is known now. An earlier value stays while it is fetched again. */
export interface ILoaded<T> {
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly value: T | null;
  readonly problem: string | null;
}

/** Holds the answer to the question that was asked last; answers to earlier ones are dropped. */
export class Resource<T> {
  readonly snapshot = (): ILoaded<T> => this._state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Ask; never rejects. */
  async load(ask: () => Promise<T>): Promise<void> {
    const number = ++this._asked;
    this._set({ ...this._state, phase: 'loading' });
    try {
      const value = await ask();
      if (number === this._asked) {
        this._set({ phase: 'ready', value, problem: null });
      }
    } catch (error) {
      if (number === this._asked) {
        this._set({ ...this._state, phase: 'failed', problem: messageOf(error) });
      }
    }
  }

  private _set(state: ILoaded<T>): void {
    this._state = state;
    this._listeners.forEach(listener => listener());
  }

  private _state: ILoaded<T> = { phase: 'loading', value: null, problem: null };
  private _asked = 0;
  private readonly _listeners = new Set<() => void>();
}

/** Fetch at once, and again whenever `ask` is another function; and a way to fetch again. */
export function useLoaded<T>(ask: () => Promise<T>): [ILoaded<T>, () => Promise<void>] {
  const [resource] = React.useState(() => new Resource<T>());
  const reload = React.useCallback(() => resource.load(ask), [resource, ask]);
  React.useEffect(() => void reload(), [reload]);
  return [React.useSyncExternalStore(resource.subscribe, resource.snapshot), reload];
}

/** The outcome of the last action; with `undo` it can be taken back. */
export interface IOutcome {
  kind: 'done' | 'problem';
  text: string;
  undo?: () => Promise<string | IOutcome>;
}

/** Actions of buttons, one at a time: whether one is under way, and how the last one ended. */
export interface IActions {
  busy: boolean;
  outcome: IOutcome | null;
  /** Act and say what happened; null says nothing. Answers whether it went well. */
  run: (act: () => Promise<string | IOutcome | null>) => Promise<boolean>;
  clear: () => void;
}

/** A place for actions; none of them ever rejects. */
export function useActions(): IActions {
  const [busy, setBusy] = React.useState(false);
  const [outcome, setOutcome] = React.useState<IOutcome | null>(null);
  const run = React.useCallback(async (act: () => Promise<string | IOutcome | null>) => {
    setBusy(true);
    setOutcome(null);
    try {
      const said = await act();
      setOutcome(typeof said === 'string' ? { kind: 'done', text: said } : said);
      return true;
    } catch (error) {
      setOutcome({ kind: 'problem', text: messageOf(error) });
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  const clear = React.useCallback(() => setOutcome(null), []);
  return { busy, outcome, run, clear };
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
