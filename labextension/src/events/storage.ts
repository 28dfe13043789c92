/** Where events wait for the service: the browser's own storage, which outlives the page. */

import { inOrder, isEvent, merged, MOST_EVENTS, tidied } from './buffer';
import type { IStudentEvent } from './types';

/** What the browser's storage is asked. */
export type IItems = Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem'>;

/**
 * The events of one person on one server.
 *
 * Each event is an item of its own, so that several tabs add and remove without overwriting each
 * other. What the browser has no room for is kept in memory, as long as the page is there.
 */
export class EventStore {
  constructor(
    server: string,
    user: string,
    private readonly _items: IItems | null = browserItems(),
    private readonly _warn: (text: string) => void = text => console.warn(text)
  ) {
    const [where, who] = [server, user].map(encodeURIComponent);
    this._prefix = `jupyter-ppo:events:${where}:${who}:`;
    this._lostName = `jupyter-ppo:events-lost:${where}:${who}`;
  }

  /** All events that wait, oldest first. */
  all(): IStudentEvent[] {
    const events = new Map(this._memory);
    for (const name of this._names()) {
      const found = this._read(name);
      if (found !== null) {
        events.set(found.key, found);
      }
    }
    return inOrder([...events.values()]);
  }

  /** Keep more events. */
  add(events: readonly IStudentEvent[], now: number): void {
    const failed = [...this._memory.values(), ...events].filter(each => !this._write(each));
    this._memory.clear();
    if (failed.length > 0) {
      this._makeRoom();
      failed.filter(each => !this._write(each)).forEach(each => this._remember(each));
    }
    this.tidy(now);
  }

  /** Remove some, and keep others in their place; first these, so that nothing is ever missing. */
  replace(gone: readonly string[], added: readonly IStudentEvent[]): void {
    for (const each of added) {
      if (!this._write(each)) {
        this._remember(each);
      }
    }
    for (const key of gone) {
      this._memory.delete(key);
      this._try(items => items.removeItem(this._prefix + key));
    }
  }

  /** Drop what is too old, and what is too much; how many is told by `takeLost`. */
  tidy(now: number, most = MOST_EVENTS): void {
    const before = this.all();
    const { kept, lost } = tidied(before, now, most);
    const keys = new Set(kept.map(each => each.key));
    const known = new Set(before.map(each => each.key));
    this.replace(
      before.map(each => each.key).filter(key => !keys.has(key)),
      kept.filter(each => !known.has(each.key))
    );
    this.lose(lost);
  }

  /** Note that so many events were dropped. */
  lose(count: number): void {
    if (count > 0) {
      const before = this._lost();
      this._lostHere = before + count;
      this._try(items => items.setItem(this._lostName, String(before + count)));
    }
  }

  /** How many events were dropped since this was asked last. */
  takeLost(): number {
    const lost = this._lost();
    if (lost > 0) {
      this._lostHere = 0;
      this._try(items => items.removeItem(this._lostName));
    }
    return lost;
  }

  /** Forget all: the person does not want to be reported. */
  clear(): void {
    this.replace(
      this.all().map(each => each.key),
      []
    );
    this.takeLost();
  }

  private _names(): string[] {
    const names: string[] = [];
    this._try(items => {
      for (let at = 0; at < items.length; at += 1) {
        const name = items.key(at);
        if (name?.startsWith(this._prefix)) {
          names.push(name);
        }
      }
    });
    return names;
  }

  private _read(name: string): IStudentEvent | null {
    const text = this._try(items => items.getItem(name)) ?? null;
    if (text === null) {
      return null; // another tab was quicker
    }
    let found: unknown = null;
    try {
      found = JSON.parse(text);
    } catch {
      // Not ours, or written by half.
    }
    if (isEvent(found) && name === this._prefix + found.key) {
      return found;
    }
    this._try(items => items.removeItem(name));
    this.lose(1);
    return null;
  }

  private _write(event: IStudentEvent): boolean {
    const text = JSON.stringify(event);
    return (
      this._try(items => {
        items.setItem(this._prefix + event.key, text);
        return true;
      }) ?? false
    );
  }

  /** Merge what can be merged: fewer items take less room. */
  private _makeRoom(): void {
    const before = this.all();
    const after = merged(before);
    const keys = new Set(after.map(each => each.key));
    const known = new Set(before.map(each => each.key));
    // Removed first: there is no room for both.
    this.replace(
      before.map(each => each.key).filter(key => !keys.has(key)),
      []
    );
    this.replace(
      [],
      after.filter(each => !known.has(each.key))
    );
  }

  private _remember(event: IStudentEvent): void {
    this._memory.set(event.key, event);
    if (!this._hasWarned) {
      this._hasWarned = true;
      this._warn(
        'The browser has no room to keep events of the course. They are kept until this page is ' +
          'closed. Free some of its storage, or stay connected.'
      );
    }
  }

  private _lost(): number {
    const stored = Number(this._try(items => items.getItem(this._lostName)) ?? 0);
    return Math.max(Number.isSafeInteger(stored) ? stored : 0, this._lostHere);
  }

  /** Undefined where the browser refuses. */
  private _try<T>(act: (items: IItems) => T): T | undefined {
    try {
      return this._items === null ? undefined : act(this._items);
    } catch {
      return undefined; // no right, or no room
    }
  }

  private readonly _prefix: string;
  private readonly _lostName: string;
  private readonly _memory = new Map<string, IStudentEvent>();
  private _lostHere = 0;
  private _hasWarned = false;
}

/** The browser's storage; null where it may not be used. */
function browserItems(): IItems | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
