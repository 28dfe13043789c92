/** Turns what happens in JupyterLab into events that wait for the service. */

import { isRunning, placeOf } from '../course/validationModel';
import type { ValidationModel } from '../course/validationModel';
import { ActivityWatcher } from './activity';
import { activeEvents, checkedEvent, openedEvent } from './buffer';
import type { Sender } from './sender';
import type { EventStore } from './storage';
import type { IPlace, IStudentEvent } from './types';

/** Minutes of work are handed on this often; what a crash may cost. */
export const FLUSH_MS = 3 * 60_000;

/** What is needed of a page. */
export interface IRecorded {
  /** The assignments of the notebook that holds this element. */
  placesAt(element: Element): readonly IPlace[];
  /** Whether a person made an event, and no program. */
  isByHand(event: Event): boolean;
  now(): number;
}

/** Records the work of one person from when it is made until it is disposed. */
export class Recorder {
  constructor(
    private readonly _store: EventStore,
    private readonly _sender: Sender,
    private readonly _validation: Pick<ValidationModel, 'snapshot' | 'subscribe'>,
    private readonly _recorded: IRecorded
  ) {
    this._watcher = new ActivityWatcher({
      placesAt: element => this._recorded.placesAt(element),
      isByHand: event => this._recorded.isByHand(event),
      now: () => this._recorded.now(),
      onMinutes: () => {
        this._timer ??= setTimeout(() => this.keepMinutes(), FLUSH_MS);
      }
    });
    for (const { trial } of this._validation.snapshot().values()) {
      if (!isRunning(trial)) {
        this._told.add(trial.id); // from before
      }
    }
    this._unsubscribe = this._validation.subscribe(() => this._lookAtTrials());
    window.addEventListener('pagehide', this._onLeave);
    document.addEventListener('visibilitychange', this._onVisibility);
    this._sender.wake(); // what an earlier page left behind
  }

  /** A notebook of an assignment is open; told once in the life of a page. */
  opened(place: IPlace): void {
    const name = placeOf(place.course, place.assignment);
    if (!this._opened.has(name)) {
      this._opened.add(name);
      this._keep([openedEvent(place, this._recorded.now())]);
    }
  }

  /** Put the minutes of work that were noted where they outlive the page. */
  keepMinutes(): void {
    this._clear();
    const now = this._recorded.now();
    this._keep(
      this._watcher.take().flatMap(({ place, minutes }) => activeEvents(place, minutes, now))
    );
  }

  dispose(): void {
    this._clear();
    this._watcher.dispose();
    this._unsubscribe();
    this._sender.dispose();
    window.removeEventListener('pagehide', this._onLeave);
    document.removeEventListener('visibilitychange', this._onVisibility);
  }

  /** Tell of each validation once, when its result has come. */
  private _lookAtTrials(): void {
    for (const [place, { trial }] of this._validation.snapshot()) {
      const [course, assignment] = place.split('/');
      if (isRunning(trial) || this._told.has(trial.id) || !course || !assignment) {
        continue;
      }
      this._told.add(trial.id);
      if (trial.result !== null) {
        const { passed, total } = trial.result;
        const now = this._recorded.now();
        this._keep([checkedEvent({ course, assignment }, passed, total - passed, now)]);
      }
    }
  }

  private _keep(events: readonly IStudentEvent[]): void {
    if (events.length > 0) {
      this._store.add(events, this._recorded.now());
      this._sender.wake();
    }
  }

  private _clear(): void {
    if (this._timer !== null) {
      clearTimeout(this._timer);
      this._timer = null;
    }
  }

  private readonly _onVisibility = (): void => {
    if (document.visibilityState === 'hidden') {
      this.keepMinutes(); // the last moment that every browser tells
    }
  };

  private readonly _onLeave = (): void => {
    this.keepMinutes();
    this._sender.flush();
  };

  private readonly _watcher: ActivityWatcher;
  private readonly _unsubscribe: () => void;
  private readonly _told = new Set<string>();
  private readonly _opened = new Set<string>();
  private _timer: ReturnType<typeof setTimeout> | null = null;
}
