/** Notebooks that are tried in the background, without any drawing. */

import { Poller } from '../polling';
import type { IStudentClient, IValidationTrial } from './types';

/** A notebook that is tried, or was. */
export interface IWatched {
  readonly path: string;
  readonly trial: IValidationTrial;
  /** Why its state could not be asked for the last time. */
  readonly problem: string | null;
}

/** Whether its result is still to come. */
export function isRunning(trial: IValidationTrial): boolean {
  return trial.state === 'queued' || trial.state === 'running';
}

/** The validations by course and assignment; only `start` rejects. */
export class ValidationModel {
  constructor(private readonly _client: IStudentClient) {
    this._poller = new Poller(() => this._poll());
  }

  /** The state now; for React.useSyncExternalStore. */
  readonly snapshot = (): ReadonlyMap<string, IWatched> => this._state;

  /** Call `listener` after every change; returns how to stop that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Have a notebook tried, in the place of an earlier one. */
  async start(course: string, assignment: string, path: string, text: string): Promise<void> {
    const trial = await this._client.validate(course, assignment, text);
    this._put(placeOf(course, assignment), { path, trial, problem: null });
    this._poller.start();
  }

  /** Stop watching it and forget its result; the service ends it by itself. */
  forget(course: string, assignment: string): void {
    const state = new Map(this._state);
    state.delete(placeOf(course, assignment));
    this._set(state);
  }

  /** Asking rests while the panel is hidden. */
  setVisible(visible: boolean): void {
    this._poller.setVisible(visible);
  }

  /** Stop for good. */
  dispose(): void {
    this._poller.dispose();
    this._listeners.clear();
  }

  /** Ask for each that runs; whether one still does. */
  private async _poll(): Promise<boolean> {
    const running = [...this._state].filter(([, watched]) => isRunning(watched.trial));
    await Promise.all(running.map(([place, watched]) => this._ask(place, watched)));
    return [...this._state.values()].some(watched => isRunning(watched.trial));
  }

  private async _ask(place: string, watched: IWatched): Promise<void> {
    let next: IWatched;
    try {
      next = { ...watched, trial: await this._client.trial(watched.trial.id), problem: null };
    } catch (error) {
      next = { ...watched, problem: error instanceof Error ? error.message : String(error) };
    }
    // Meanwhile it may have been forgotten, or another one started.
    if (this._state.get(place)?.trial.id === watched.trial.id) {
      this._put(place, next);
    }
  }

  private _put(place: string, watched: IWatched): void {
    this._set(new Map([...this._state, [place, watched]]));
  }

  private _set(state: ReadonlyMap<string, IWatched>): void {
    this._state = state;
    this._listeners.forEach(listener => listener());
  }

  private readonly _poller: Poller;
  private readonly _listeners = new Set<() => void>();
  private _state: ReadonlyMap<string, IWatched> = new Map();
}

/** What stands for an assignment of a course: names hold no slash. */
export function placeOf(course: string, assignment: string): string {
  return `${course}/${assignment}`;
}
