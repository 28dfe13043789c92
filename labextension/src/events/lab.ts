import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { gradeIdsWanted } from '../course/finding';
import type { ValidationModel } from '../course/validationModel';
import { gradeIdsIn } from '../notebooks';
import type { ILabEventsClient } from './client';
import { placesOf } from './places';
import type { IKnownAssignment } from './places';
import { Recorder } from './recorder';
import { backOff, Sender, surroundings } from './sender';
import type { ISurroundings } from './sender';
import { EventStore } from './storage';
import type { IPlace } from './types';

/** Whether the person lets the course know of their activity. */
export interface IActivityChoice {
  /** Null until it is known. */
  allowed(): boolean | null;
  /** Call `listener` after every change; returns how to stop that. */
  subscribe(listener: () => void): () => void;
}

/** What the events of a page need around them. */
export interface ILabEventsOptions {
  notebooks: INotebookTracker;
  client: ILabEventsClient;
  validation: Pick<ValidationModel, 'snapshot' | 'subscribe'>;
  choice: IActivityChoice;
  /** The address of the server: each has events of its own in the browser. */
  server: string;
  around?: ISurroundings;
  /** Whether a person made an event of the page; a program's do not count. */
  isByHand?: (event: Event) => boolean;
}

/**
 * Follows the work in the notebooks of the person's courses, as long as they allow it.
 *
 * Until it is known that they do nothing is noted; once they do not, what waits is forgotten.
 */
export class LabEvents {
  constructor(private readonly _options: ILabEventsOptions) {
    this._around = _options.around ?? surroundings();
    _options.notebooks.forEach(panel => this._follow(panel));
    _options.notebooks.widgetAdded.connect(this._onAdded);
    this._unsubscribe = _options.choice.subscribe(() => this._decide());
    void this._begin(0);
  }

  /** Stop for good. */
  dispose(): void {
    this._isDisposed = true;
    this._options.notebooks.widgetAdded.disconnect(this._onAdded);
    this._unsubscribe();
    this._recorder?.dispose();
    this._recorder = null;
    clearTimeout(this._timer);
  }

  /** Learn who is here; again and again until the service says it. */
  private async _begin(failures: number): Promise<void> {
    try {
      this._user = await this._learn();
    } catch {
      this._user = null;
      if (!this._isDisposed) {
        const wait = backOff(failures, this._around.random());
        this._timer = setTimeout(() => void this._begin(failures + 1), wait);
      }
      return;
    }
    this._decide();
  }

  /** Record or not, as the person wants it. */
  private _decide(): void {
    const allowed = this._options.choice.allowed();
    if (this._user === null || this._isDisposed || allowed === null) {
      return;
    }
    if (!allowed) {
      this._recorder?.dispose();
      this._recorder = null;
      this._storeOf(this._user).clear();
    } else if (this._recorder === null) {
      const { client, notebooks, validation, isByHand } = this._options;
      const store = this._storeOf(this._user);
      const sender = new Sender(store, client, this._user, this._around);
      this._recorder = new Recorder(store, sender, validation, {
        placesAt: element => {
          const panel = notebooks.find(each => each.node.contains(element));
          return (panel && this._places.get(panel)) ?? [];
        },
        isByHand: isByHand ?? (event => event.isTrusted),
        now: () => this._around.now()
      });
      notebooks.forEach(panel => void this._look(panel));
    }
  }

  private _storeOf(user: string): EventStore {
    return new EventStore(this._options.server, user, undefined, text => this._around.warn(text));
  }

  private readonly _onAdded = (_: INotebookTracker, panel: NotebookPanel): void =>
    this._follow(panel);

  private _follow(panel: NotebookPanel): void {
    void panel.context.ready.then(() => this._look(panel));
    panel.context.pathChanged.connect(() => void this._look(panel));
  }

  /** Find out what a notebook belongs to, and tell that it is open. */
  private async _look(panel: NotebookPanel): Promise<void> {
    if (this._recorder === null || panel.isDisposed || !panel.context.isReady) {
      return; // it is looked at again once recording begins, or the notebook is there
    }
    const gradeIds = gradeIdsIn(panel);
    let places = this._placesOf(panel, gradeIds);
    if (places.length === 0 && gradeIds.size > 0 && !this._asked.has(panel)) {
      this._asked.add(panel);
      try {
        await this._learn(); // perhaps it was released a moment ago
      } catch {
        return;
      }
      places = this._placesOf(panel, gradeIds);
    }
    this._places.set(panel, places);
    for (const place of places) {
      this._recorder?.opened(place);
    }
  }

  private _placesOf(panel: NotebookPanel, gradeIds: ReadonlySet<string>): IPlace[] {
    return placesOf(panel.context.path, gradeIds, this._known);
  }

  /** Ask who is here, and for the assignments of all of their courses. */
  private async _learn(): Promise<string> {
    const { client } = this._options;
    const { user, courses } = await client.me();
    const known = await Promise.all(
      courses.map(async ({ name: course }) =>
        (await client.assignments(course)).map(each => ({
          course,
          assignment: each.name,
          gradeIds: gradeIdsWanted(each)
        }))
      )
    );
    this._known = known.flat();
    return user;
  }

  private readonly _around: ISurroundings;
  private readonly _unsubscribe: () => void;
  private readonly _places = new WeakMap<NotebookPanel, readonly IPlace[]>();
  private readonly _asked = new WeakSet<NotebookPanel>();
  private _known: readonly IKnownAssignment[] = [];
  private _user: string | null = null;
  private _recorder: Recorder | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
