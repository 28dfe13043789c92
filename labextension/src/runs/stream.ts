/** A run's stream that goes on after a lost connection, without loss and without repetition. */

import { RequestError } from '../connection';
import type { IRunEvent, IStatusMessage, Item, StreamMessage } from './types';

export const FIRST_WAIT_MS = 500;
export const LONGEST_WAIT_MS = 15_000;
/** A run that trains and says nothing for so long may have a dead connection. */
export const SILENCE_MS = 45_000;

const DELETED = 4404;
const TOO_MANY = 1013;
/** Codes of 4000 and a status say that trying again would be answered the same. */
const REFUSED = 4400;
const SERVER_ERROR = 4500;

/** Who is told what a stream brings. */
export interface IStreamListener {
  onStatus(status: IStatusMessage): void;
  onItems(items: readonly Item[]): void;
  onEvents(events: readonly IRunEvent[]): void;
  /** The run has ended and all of it was told. */
  onEnd(): void;
  /** The run is not there any more, or not for this person. */
  onGone(message: string): void;
  /** The files are others than those of the cursors: what was told does not count any more. */
  onReset(): void;
  /** The connection was lost (true) or is there again (false). */
  onLost(isLost: boolean): void;
}

/** Where to go on. */
export interface ICursors {
  points: number;
  events: number;
}

type Timer = ReturnType<typeof setTimeout>;

/**
 * Follows one run over a WebSocket from `cursors` on, which move with what was told.
 *
 * `open` opens a connection; `check` asks the service over HTTP why one could not be opened: it
 * rejects with the reason, if there is one. Messages of a connection that was given up are dropped.
 */
export class RunStream {
  constructor(
    private readonly _open: (cursors: ICursors) => WebSocket,
    private readonly _check: (cursors: ICursors) => Promise<unknown>,
    private readonly _listener: IStreamListener,
    readonly cursors: ICursors = { points: 0, events: 0 }
  ) {}

  /** Whether it follows, or tries to. */
  get isActive(): boolean {
    return this._isActive;
  }

  /** Begin, unless it follows already. */
  start(): void {
    if (!this._isActive) {
      this._isActive = true;
      this._failures = 0;
      window.addEventListener('online', this._onOnline);
      this._connect();
    }
  }

  /** Let go of the connection; `start` goes on from the same place. */
  stop(): void {
    this._isActive = false;
    window.removeEventListener('online', this._onOnline);
    this._clear();
    const socket = this._socket;
    this._socket = null;
    socket?.close();
  }

  private _connect(): void {
    this._clear();
    this._wasOpen = false;
    const old = this._socket;
    const socket = (this._socket = this._open(this.cursors));
    old?.close();
    socket.onopen = () => {
      if (this._socket === socket) {
        this._wasOpen = true;
      }
    };
    socket.onmessage = event => {
      if (this._socket === socket) {
        this._receive(JSON.parse(String(event.data)) as StreamMessage);
      }
    };
    socket.onclose = event => {
      if (this._socket === socket) {
        this._socket = null;
        void this._closed(event.code, event.reason);
      }
    };
  }

  private _receive(message: StreamMessage): void {
    this._failures = 0;
    this._setLost(false);
    switch (message.type) {
      case 'status':
        this._isTraining = message.state === 'running';
        this._listener.onStatus(message);
        break;
      case 'points':
        // Before it is told: an error of the listener must not have it told twice.
        this.cursors.points = message.cursor;
        this._listener.onItems(message.items);
        break;
      case 'event':
        this.cursors.events = message.cursor;
        this._listener.onEvents(message.items);
        break;
      case 'end':
        this.stop();
        this._listener.onEnd();
        return;
    }
    this._watch();
  }

  private async _closed(code: number, reason: string): Promise<void> {
    this._clear();
    if (code === DELETED || (code > REFUSED && code < SERVER_ERROR)) {
      this.stop();
      this._listener.onGone(reason);
      return;
    }
    this._setLost(true);
    if (code === TOO_MANY) {
      this._failures = Math.max(this._failures, 4);
    } else if (!this._wasOpen && !(await this._mayTryAgain())) {
      return;
    }
    if (this._isActive && this._socket === null) {
      this._wait(() => this._connect(), waitFor(this._failures++));
    }
  }

  /** Ask why no connection came about; whether to try again. */
  private async _mayTryAgain(): Promise<boolean> {
    try {
      await this._check(this.cursors);
    } catch (error) {
      if (!this._isActive) {
        return false;
      }
      if (error instanceof RequestError && error.code === 'not_found') {
        this.stop();
        this._listener.onGone(error.message);
        return false;
      }
      if (error instanceof RequestError && error.field === 'since') {
        this.cursors.points = this.cursors.events = 0;
        this._listener.onReset();
      }
    }
    return true;
  }

  /** Connect anew when nothing comes of a run that trains: sleep and networks cut without a word. */
  private _watch(): void {
    this._clear();
    if (this._isTraining) {
      this._wait(() => this._connect(), SILENCE_MS);
    }
  }

  private readonly _onOnline = (): void => {
    this._failures = 0;
    this._connect();
  };

  private _setLost(isLost: boolean): void {
    if (isLost !== this._isLost) {
      this._isLost = isLost;
      this._listener.onLost(isLost);
    }
  }

  private _wait(then: () => void, milliseconds: number): void {
    this._clear();
    this._timer = setTimeout(then, milliseconds);
  }

  private _clear(): void {
    if (this._timer !== null) {
      clearTimeout(this._timer);
      this._timer = null;
    }
  }

  private _socket: WebSocket | null = null;
  private _timer: Timer | null = null;
  private _isActive = false;
  private _isLost = false;
  private _isTraining = false;
  private _wasOpen = false;
  private _failures = 0;
}

/** The wait before another attempt, in milliseconds, after so many that failed. */
export function waitFor(failures: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
}
