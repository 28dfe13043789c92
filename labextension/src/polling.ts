/** Asks again while something is under way, less and less often. */

export const FIRST_DELAY_MS = 1_000;
export const LONGEST_DELAY_MS = 15_000;
const GROWTH = 1.5;

/** The wait before poll number `count` (from 0), in milliseconds. */
export function pollDelay(count: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * GROWTH ** count);
}

/**
 * Calls `poll` with growing pauses for as long as it answers true ("still under way").
 *
 * It rests while the panel is hidden, and for good once disposed. A poll that fails counts as
 * "still under way": the server may be back later.
 */
export class Poller {
  constructor(private readonly _poll: () => Promise<boolean>) {}

  /** Start, or start over with short pauses, because something new is under way. */
  start(): void {
    this._wanted = true;
    this._count = 0;
    this._schedule();
  }

  /** Nothing is under way any more. */
  stop(): void {
    this._wanted = false;
    this._clear();
  }

  /** Rest while hidden, go on when shown. */
  setVisible(visible: boolean): void {
    this._visible = visible;
    if (visible) {
      this._count = 0;
      this._schedule();
    } else {
      this._clear();
    }
  }

  /** Stop for good. */
  dispose(): void {
    this._disposed = true;
    this.stop();
  }

  private _schedule(): void {
    this._clear();
    if (this._wanted && this._visible && !this._disposed) {
      this._timer = window.setTimeout(() => void this._tick(), pollDelay(this._count));
    }
  }

  private async _tick(): Promise<void> {
    this._timer = null;
    this._count += 1;
    const count = this._count;
    const goOn = await this._poll().catch(() => true);
    // A start() or stop() during the poll has decided already.
    if (this._timer === null && this._count === count && this._wanted) {
      this._wanted = goOn;
      this._schedule();
    }
  }

  private _clear(): void {
    if (this._timer !== null) {
      window.clearTimeout(this._timer);
      this._timer = null;
    }
  }

  private _timer: number | null = null;
  private _count = 0;
  private _wanted = false;
  private _visible = false;
  private _disposed = false;
}
