/** The log of the course service in memory: it takes events by the rules of the real one. */

import { RequestError } from '../connection';
import { MINUTE_MS } from '../events/buffer';
import type { ILabEventsClient } from '../events/client';
import type { ISurroundings } from '../events/sender';
import type { IItems } from '../events/storage';
import type { IBatchAnswer, IPlace, IReceipt, IStudentEvent } from '../events/types';
import type { IAssignment, IMe } from '../types';

export const NOON = Date.parse('2026-11-22T12:00:00Z');
export const GAE: IPlace = { course: 'rl', assignment: 'gae' };
const AHEAD_MS = 5 * MINUTE_MS;
const AGE_MS = 30 * 24 * 60 * MINUTE_MS;

export class MemoryLog implements ILabEventsClient {
  user = 'ada';
  /** How the next requests fail: before the service, behind it, or in it. */
  failures: ('offline' | 'answer lost' | RequestError)[] = [];
  /** The service's clock; null is that of the page. */
  time: number | null = null;
  assignmentsOf: Record<string, Pick<IAssignment, 'name' | 'exercises'>[]> = {
    rl: [{ name: 'gae', exercises: [{ grade_id: 'gae-1', kind: 'tests', points: 1 }] }]
  };
  /** Content by key: what counts. */
  readonly log = new Map<string, IStudentEvent>();
  /** The batches that arrived. */
  readonly batches: (readonly IStudentEvent[])[] = [];
  readonly receipts: IReceipt[] = [];
  /** Whether batches were sent as the last of a page. */
  readonly keepalives: boolean[] = [];
  /** A batch with one of these cannot be read at all. */
  unreadable: (event: IStudentEvent) => boolean = () => false;
  asked = 0;

  async me(): Promise<IMe> {
    this.asked += 1;
    const courses = Object.keys(this.assignmentsOf);
    return {
      user: this.user,
      admin: false,
      courses: courses.map(name => ({ name, title: name, role: 'student' })),
      sandbox: { available: true, engine: null, image: null, problem: null, remedy: null }
    };
  }

  async assignments(course: string): Promise<IAssignment[]> {
    return (this.assignmentsOf[course] ?? []) as IAssignment[];
  }

  async post(
    course: string,
    events: readonly IStudentEvent[],
    user: string,
    keepalive: boolean
  ): Promise<IBatchAnswer> {
    const failure = this.failures.shift();
    if (failure === 'offline') {
      throw new RequestError('The Jupyter server does not answer.', 'network', 0);
    }
    if (failure instanceof RequestError) {
      throw failure;
    }
    expect(events.length).toBeLessThanOrEqual(200);
    expect(new Set(events.map(event => event.course))).toEqual(new Set([course]));
    if (events.some(this.unreadable)) {
      throw new RequestError('events[0]: this cannot be read.', 'invalid_input', 400);
    }
    this.batches.push(events);
    this.keepalives.push(keepalive);
    const time = this.time ?? Date.now();
    const receipts = events.map(event => this._take(event, user, time));
    this.receipts.push(...receipts);
    if (failure === 'answer lost') {
      throw new RequestError('The Jupyter server does not answer.', 'network', 0);
    }
    return { receipts, time };
  }

  /** All minutes that count, of one assignment. */
  minutes(assignment = 'gae'): number[] {
    const events = [...this.log.values()].filter(event => event.assignment === assignment);
    const minutes = events.flatMap(event => (event.data['minutes'] as number[] | undefined) ?? []);
    return [...new Set(minutes)].sort((one, other) => one - other);
  }

  private _take(event: IStudentEvent, user: string, time: number): IReceipt {
    const { key } = event;
    const refusal = user !== this.user ? 'other_person' : this._refusal(event, time);
    if (refusal !== null) {
      return { key, receipt: 'rejected', refusal, message: `It is ${refusal}.` };
    }
    const known = this.log.get(key);
    if (known !== undefined) {
      return JSON.stringify(known) === JSON.stringify(event)
        ? { key, receipt: 'duplicate', refusal: null, message: '' }
        : { key, receipt: 'rejected', refusal: 'different_content', message: 'A new key.' };
    }
    this.log.set(key, event);
    return { key, receipt: 'accepted', refusal: null, message: '' };
  }

  private _refusal(event: IStudentEvent, time: number): string | null {
    const at = Date.parse(event.occurred_at);
    if (at > time + AHEAD_MS) {
      return 'future';
    }
    if (at < time - AGE_MS) {
      return 'too_old';
    }
    if (!this.assignmentsOf[event.course]?.some(({ name }) => name === event.assignment)) {
      return 'unknown_assignment';
    }
    const minutes = event.data['minutes'] as number[] | undefined;
    const inTime = (minute: number): boolean =>
      minute * MINUTE_MS <= time + AHEAD_MS && (minute + 1) * MINUTE_MS > time - AGE_MS;
    return minutes === undefined || (minutes.length <= 120 && minutes.every(inTime))
      ? null
      : 'bad_data';
  }
}

/** A browser's storage with a limit; several tabs may use one. */
export class MemoryItems implements IItems {
  constructor(public room = Infinity) {}

  get length(): number {
    return this.items.size;
  }

  key(at: number): string | null {
    return [...this.items.keys()][at] ?? null;
  }

  getItem(name: string): string | null {
    return this.items.get(name) ?? null;
  }

  setItem(name: string, text: string): void {
    const others = [...this.items].filter(([other]) => other !== name);
    const used = others.reduce((sum, [other, value]) => sum + other.length + value.length, 0);
    if (used + name.length + text.length > this.room) {
      throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    }
    this.items.set(name, text);
  }

  removeItem(name: string): void {
    this.items.delete(name);
  }

  readonly items = new Map<string, string>();
}

/** A browser in which one is online, without locks; what it said is in `said`. */
export class MemoryBrowser implements ISurroundings {
  online = true;
  locks: ISurroundings['locks'] = null;
  readonly said: string[] = [];

  now(): number {
    return Date.now();
  }

  random(): number {
    return 0.5;
  }

  isOnline(): boolean {
    return this.online;
  }

  warn(text: string): void {
    this.said.push(text);
  }
}

/** Locks as browsers have them between tabs: one holder of a name, the others wait. */
export class MemoryLocks {
  held = 0;
  most = 0;
  private _last: Promise<unknown> = Promise.resolve();

  request(...words: unknown[]): Promise<unknown> {
    const act = words[words.length - 1] as () => Promise<unknown>;
    const turn = this._last.then(async () => {
      this.held += 1;
      this.most = Math.max(this.most, this.held);
      try {
        return await act();
      } finally {
        this.held -= 1;
      }
    });
    this._last = turn.catch(() => undefined);
    return turn;
  }
}
