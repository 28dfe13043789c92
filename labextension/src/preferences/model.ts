/** What is known of the person's preferences, and changing them; without any drawing. */

import { RequestError } from '../connection';
import { messageOf } from '../instructor/resource';
import { DEFAULTS } from './types';
import type {
  IPreferences,
  IPreferencesClient,
  IStoredPreferences,
  Mode,
  PreferencesPatch
} from './types';

/** A change that met one of another device or tab. */
export interface IPreferencesConflict {
  /** What was to be changed here. */
  patch: PreferencesPatch;
  /** What is stored now. */
  theirs: IPreferences;
}

/** Everything that is drawn. A new object for every change. */
export interface IPreferencesState {
  readonly phase: 'loading' | 'ready' | 'failed';
  /** What is stored, with what is on its way; the defaults until it is known. */
  readonly preferences: IPreferences;
  /** Why they are not known. */
  readonly problem: string | null;
  readonly isSaving: boolean;
  /** How many changes were saved here; for saying so each time. */
  readonly saved: number;
  /** Why the last change was not saved; `field` is its name, such as `chart.smoothing`. */
  readonly refusal: { text: string; field: string | null } | null;
  readonly conflict: IPreferencesConflict | null;
}

/** So often a change is sent again that only met changes of other preferences. */
const MOST_TRIES = 5;

/**
 * The preferences of the signed-in person; no action ever rejects.
 *
 * One for the whole page: see `preferencesOf`.
 */
export class PreferencesModel {
  constructor(private readonly _client: IPreferencesClient) {}

  /** The state now; for React.useSyncExternalStore. */
  readonly snapshot = (): IPreferencesState => this._state;

  /** Call `listener` after every change; returns how to stop that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** What is stored, with what is on its way; the defaults until it is known. */
  get preferences(): IPreferences {
    return this._state.preferences;
  }

  get mode(): Mode {
    return this._state.preferences.mode;
  }

  /** Ask for them once; whether they are known then. */
  async ready(): Promise<boolean> {
    if (this._stored === null) {
      await (this._loading ??= this.load().finally(() => {
        this._loading = null;
      }));
    }
    return this._stored !== null;
  }

  /** Ask for them again: another device may have changed some. */
  async load(): Promise<void> {
    try {
      const stored = await this._client.load();
      if (this._stored === null || stored.revision >= this._stored.revision) {
        this._stored = stored;
      }
      this._show({ phase: 'ready', problem: null });
    } catch (error) {
      const phase = this._stored === null ? 'failed' : 'ready';
      this._show({ phase, problem: messageOf(error) });
    }
  }

  /** Change some; it is shown at once, and taken back when it cannot be saved. */
  change(patch: PreferencesPatch): Promise<void> {
    this._waiting = [...this._waiting, patch];
    this._show({ isSaving: true, refusal: null });
    // One after another: what is pressed quickly is no conflict with itself.
    this._chain = this._chain.then(() => this._save(patch));
    return this._chain;
  }

  /** After a conflict: save what was to be changed here all the same. */
  async keepMine(): Promise<void> {
    const { conflict } = this._state;
    this._show({ conflict: null });
    if (conflict !== null) {
      await this.change(conflict.patch);
    }
  }

  /** After a conflict: leave what is stored. */
  takeTheirs(): void {
    this._show({ conflict: null });
  }

  private async _save(patch: PreferencesPatch): Promise<void> {
    let refusal: IPreferencesState['refusal'] = null;
    let conflict = this._state.conflict;
    let saved = this._state.saved;
    try {
      conflict = await this._send(patch);
      saved += conflict === null ? 1 : 0;
    } catch (error) {
      refusal = {
        text: messageOf(error),
        field: error instanceof RequestError ? error.field : null
      };
    }
    this._waiting = this._waiting.filter(waiting => waiting !== patch);
    this._show({ refusal, conflict, saved, isSaving: this._waiting.length > 0 });
  }

  /** Send a change; what it contradicts, if another device changed the same in between. */
  private async _send(patch: PreferencesPatch): Promise<IPreferencesConflict | null> {
    for (let tries = 1; ; tries += 1) {
      try {
        this._stored = await this._client.patch(patch, this._stored?.revision ?? null);
        return null;
      } catch (error) {
        const theirs = storedIn(error);
        if (theirs === null) {
          throw error;
        }
        const before = this._stored?.preferences ?? DEFAULTS;
        this._stored = theirs;
        if (tries >= MOST_TRIES || contradicts(patch, before, theirs.preferences)) {
          return { patch, theirs: theirs.preferences };
        }
      }
    }
  }

  private _show(change: Partial<Omit<IPreferencesState, 'preferences'>>): void {
    const stored = this._stored?.preferences ?? DEFAULTS;
    const preferences = this._waiting.reduce(patched, stored);
    const same = JSON.stringify(preferences) === JSON.stringify(this._state.preferences);
    this._state = {
      ...this._state,
      ...change,
      preferences: same ? this._state.preferences : preferences
    };
    this._listeners.forEach(listener => listener());
  }

  private _state: IPreferencesState = {
    phase: 'loading',
    preferences: DEFAULTS,
    problem: null,
    isSaving: false,
    saved: 0,
    refusal: null,
    conflict: null
  };
  private _stored: IStoredPreferences | null = null;
  private _loading: Promise<void> | null = null;
  private _waiting: readonly PreferencesPatch[] = [];
  private _chain: Promise<void> = Promise.resolve();
  private readonly _listeners = new Set<() => void>();
}

/** Preferences after some of them were changed. */
export function patched(before: IPreferences, patch: PreferencesPatch): IPreferences {
  return {
    ...before,
    ...patch,
    chart: { ...before.chart, ...patch.chart },
    notifications: { ...before.notifications, ...patch.notifications },
    privacy: { ...before.privacy, ...patch.privacy }
  };
}

/** Every single value by its dotted name. */
export function flat(preferences: IPreferences): Map<string, string | number | boolean> {
  const found = new Map<string, string | number | boolean>();
  for (const [name, value] of Object.entries(preferences)) {
    if (typeof value === 'object') {
      for (const [inner, each] of Object.entries(value as Record<string, never>)) {
        found.set(`${name}.${inner}`, each);
      }
    } else {
      found.set(name, value);
    }
  }
  return found;
}

/** The names of what differs, such as `chart.axis`. */
export function differing(one: IPreferences, other: IPreferences): string[] {
  const values = flat(other);
  return [...flat(one)].filter(([name, value]) => values.get(name) !== value).map(([name]) => name);
}

/** Whether another device gave one of the patched preferences another value than the patch does. */
function contradicts(patch: PreferencesPatch, before: IPreferences, now: IPreferences): boolean {
  const wanted = new Set(differing(now, patched(now, patch)));
  return differing(before, now).some(name => wanted.has(name));
}

/** What is stored now, if the error says that somebody saved in between. */
function storedIn(error: unknown): IStoredPreferences | null {
  const isConflict = error instanceof RequestError && error.code === 'edit_conflict';
  return isConflict && error.conflict !== null
    ? (error.conflict.theirs as unknown as IStoredPreferences)
    : null;
}
