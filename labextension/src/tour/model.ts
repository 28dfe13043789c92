/** Where the tour is, without any drawing. */

import { STEPS } from './steps';
import type { ITourStep } from './steps';

/** How a tour ended: all of it was seen, or it was left. */
export type TourEnd = 'done' | 'later';

/** From the first step to the last, or to where it is left. */
export class TourModel {
  constructor(
    private readonly _onEnd: (end: TourEnd) => void,
    readonly steps: readonly ITourStep[] = STEPS
  ) {}

  /** Which step it is, counted from 0; null when it has ended. For React.useSyncExternalStore. */
  readonly snapshot = (): number | null => this._at;

  /** Call `listener` after every change; returns how to stop that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  get isLast(): boolean {
    return this._at === this.steps.length - 1;
  }

  next(): void {
    if (this._at === null) {
      return;
    }
    if (this.isLast) {
      this._end('done');
    } else {
      this._go(this._at + 1);
    }
  }

  back(): void {
    if (this._at !== null && this._at > 0) {
      this._go(this._at - 1);
    }
  }

  /** Leave it where it is; it can be begun again. */
  leave(): void {
    if (this._at !== null) {
      this._end(this.isLast ? 'done' : 'later');
    }
  }

  private _end(end: TourEnd): void {
    this._go(null);
    this._onEnd(end);
  }

  private _go(at: number | null): void {
    this._at = at;
    this._listeners.forEach(listener => listener());
  }

  private _at: number | null = 0;
  private readonly _listeners = new Set<() => void>();
}
