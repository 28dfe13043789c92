/** Sends what waits, one batch at a time, again and again until it has arrived. */

import { RequestError } from '../connection';
import { BATCH_EVENTS, batchOf, settled } from './buffer';
import type { EventStore } from './storage';
import type { IBatchAnswer, IEventsClient, IStudentEvent } from './types';

export const FIRST_WAIT_MS = 2_000;
export const LONGEST_WAIT_MS = 10 * 60_000;
/** What comes together is sent together. */
export const GATHER_MS = 2_000;
/** A request without an answer for so long has none. */
export const ANSWER_MS = 60_000;
/** Browsers take at most 64 KiB when a page is left. */
const LAST_SIZE = 45_000;
/** The service reads 512 KiB. */
const USUAL_SIZE = 400_000;

/** The browser around it. */
export interface ISurroundings {
  now(): number;
  /** 0 up to 1. */
  random(): number;
  isOnline(): boolean;
  /** Locks between tabs, null where there are none. */
  readonly locks: Pick<LockManager, 'request'> | null;
  warn(text: string): void;
}

type Timer = ReturnType<typeof setTimeout>;

/** Sends the events of a store; no action ever rejects. */
export class Sender {
  constructor(
    private readonly _store: EventStore,
    private readonly _client: IEventsClient,
    private readonly _user: string,
    private readonly _around: ISurroundings = surroundings()
  ) {
    window.addEventListener('online', this._onOnline);
  }

  /** Something new waits: send it soon, unless a later time was agreed on after a failure. */
  wake(): void {
    if (this._timer === null && !this._isSending) {
      this._schedule(GATHER_MS);
    }
  }

  /** Send all that waits, now. */
  async send(): Promise<void> {
    if (this._isSending || this._isDisposed) {
      return;
    }
    this._clear();
    if (!this._around.isOnline()) {
      this._later(null);
      return;
    }
    this._isSending = true;
    let problem: unknown = null;
    try {
      await this._alone(() => this._drain());
    } catch (error) {
      problem = error;
    }
    this._isSending = false;
    if (problem !== null) {
      this._later(problem);
      return;
    }
    this._failures = 0;
    if (this._store.all().length > 0) {
      this.wake(); // came meanwhile
    }
  }

  /**
   * The page is left: send what fits into one last request, and do not wait for its answer.
   *
   * Without a lock, which would take a moment that there is not: the keys see to it that nothing
   * counts twice. What does not arrive is sent when a page is opened again.
   */
  flush(): void {
    const limits = { events: BATCH_EVENTS, size: LAST_SIZE };
    const batch = batchOf(this._store.all(), limits);
    if (batch.length > 0 && !this._isDisposed) {
      const { course } = batch[0] as IStudentEvent;
      void this._client.post(course, batch, this._user, true).then(
        answer => this._settle(batch, answer), // the page stayed
        () => undefined
      );
    }
  }

  dispose(): void {
    this._isDisposed = true;
    window.removeEventListener('online', this._onOnline);
    this._clear();
  }

  /** One tab at a time, where the browser has locks; elsewhere a repetition does no harm. */
  private async _alone(act: () => Promise<void>): Promise<void> {
    const { locks } = this._around;
    if (locks === null) {
      await act();
    } else {
      await locks.request('jupyter-ppo:events', act);
    }
  }

  /** Send batch after batch; rejects when what is left has to wait. */
  private async _drain(): Promise<void> {
    const skipped = new Set<string>();
    let problem: unknown = null;
    let most = BATCH_EVENTS;
    for (;;) {
      this._store.tidy(this._around.now());
      const batch = batchOf(this._store.all(), { events: most, size: USUAL_SIZE }, skipped);
      const course = batch[0]?.course;
      if (course === undefined || this._isDisposed) {
        break;
      }
      this._tellLost();
      try {
        const answer = await inTime(this._client.post(course, batch, this._user, false));
        if (!this._settle(batch, answer)) {
          throw new Error(`The service said nothing of what became of events of ${course}.`);
        }
        most = BATCH_EVENTS;
      } catch (error) {
        if (isUnreadable(error)) {
          // One of them spoils the others: halves are tried until it is alone.
          most = Math.ceil(batch.length / 2);
          if (batch.length === 1) {
            this._drop(batch, error);
            most = BATCH_EVENTS;
          }
        } else if (isOfCourse(error)) {
          skipped.add(course);
          problem = error;
        } else {
          throw error;
        }
      }
    }
    if (problem !== null) {
      throw problem;
    }
  }

  /** Keep what the answer leaves; whether it settled anything. */
  private _settle(batch: readonly IStudentEvent[], { receipts, time }: IBatchAnswer): boolean {
    if (this._isDisposed) {
      return true; // what waited may have been forgotten meanwhile
    }
    const ahead = time === null ? null : this._around.now() - time;
    const { gone, again, rejected } = settled(batch, receipts, ahead);
    this._store.replace(gone, again);
    for (const { event, message } of rejected) {
      this._around.warn(`${eventText(event)} was not taken: ${message}`);
    }
    return gone.length > 0;
  }

  private _drop(batch: readonly IStudentEvent[], error: unknown): void {
    this._store.replace(
      batch.map(each => each.key),
      []
    );
    batch.forEach(each => this._around.warn(`${eventText(each)} was not taken: ${String(error)}`));
  }

  private _tellLost(): void {
    const lost = this._store.takeLost();
    if (lost > 0) {
      this._around.warn(
        `${lost} of your events waited too long or were too many, and were dropped or shortened.`
      );
    }
  }

  private _later(problem: unknown): void {
    const asked = problem instanceof RequestError ? (problem.retryAfter ?? 0) * 1_000 : 0;
    this._schedule(Math.max(asked, backOff(this._failures, this._around.random())));
    this._failures += 1;
  }

  private _schedule(milliseconds: number): void {
    this._clear();
    if (!this._isDisposed) {
      this._timer = setTimeout(() => {
        this._timer = null;
        void this.send();
      }, milliseconds);
    }
  }

  private _clear(): void {
    if (this._timer !== null) {
      clearTimeout(this._timer);
      this._timer = null;
    }
  }

  private readonly _onOnline = (): void => {
    this._failures = 0;
    void this.send();
  };

  private _timer: Timer | null = null;
  private _isSending = false;
  private _isDisposed = false;
  private _failures = 0;
}

/** The wait in milliseconds after so many failures; `random` spreads it over its upper half. */
export function backOff(failures: number, random: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 20));
  return longest * (0.5 + random / 2);
}

/** This browser. */
export function surroundings(): ISurroundings {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    // A server on this computer answers without any network.
    isOnline: () => window.navigator.onLine || isThisComputer(window.location.hostname),
    // Missing on pages that are neither https nor of this computer.
    locks: (window.navigator as { locks?: LockManager }).locks ?? null,
    warn: text => console.warn(text)
  };
}

function isThisComputer(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host);
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new RequestError('The server does not answer in time.', 'network', 0);
    timer = setTimeout(() => reject(error), ANSWER_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the service cannot read what was sent, so that sending it again is of no use. */
function isUnreadable(error: unknown): boolean {
  if (!(error instanceof RequestError)) {
    return false;
  }
  return error.status === 413 || (error.code !== 'http' && error.status === 400);
}

/** Whether the service does not take events of this course from this person, now at least. */
function isOfCourse(error: unknown): boolean {
  return (
    error instanceof RequestError &&
    error.code !== 'http' &&
    (error.status === 403 || error.status === 404)
  );
}

function eventText({ kind, course, assignment, occurred_at }: IStudentEvent): string {
  return `The event “${kind}” of ${course}/${assignment} at ${occurred_at}`;
}
