/** Which course and which tab the instructor area shows. */

import type { ICourse, IMe } from '../types';
import { messageOf } from './resource';
import type { IInstructorClient } from './types';
import { mayGrade } from './words';

export type Tab =
  | 'assignments'
  | 'gradebook'
  | 'progress'
  | 'marking'
  | 'drafts'
  | 'outcomes'
  | 'queue'
  | 'webhooks'
  | 'people';

export const TABS: readonly (readonly [Tab, string])[] = [
  ['assignments', 'Assignments'],
  ['gradebook', 'Gradebook'],
  ['progress', 'Progress'],
  ['marking', 'Marking'],
  ['drafts', 'Drafts'],
  ['outcomes', 'Outcomes'],
  ['queue', 'Queue'],
  ['webhooks', 'Webhooks'],
  ['people', 'People']
];

/** Everything of the shell that is drawn. A new object for every change. */
export interface IAreaState {
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly problem: string | null;
  readonly me: IMe | null;
  /** The courses in which this person may grade. */
  readonly courses: readonly ICourse[];
  readonly course: ICourse | null;
  readonly tab: Tab;
  /** The batch that the queue opens with. */
  readonly batch: string | null;
  readonly visible: boolean;
  /** Grows with every refresh: what is shown is fetched anew. */
  readonly round: number;
}

/** What a reload brings back. */
export interface IPlace {
  course: string | null;
  tab: Tab;
}

/** The state of the shell; no action ever rejects. */
export class InstructorModel {
  constructor(
    private readonly _client: IInstructorClient,
    place: Partial<IPlace> = {}
  ) {
    this._wanted = place.course ?? null;
    this._state = { ...EMPTY, tab: place.tab ?? 'assignments' };
  }

  readonly snapshot = (): IAreaState => this._state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** What to restore after a reload. */
  get place(): IPlace {
    return { course: this._state.course?.name ?? this._wanted, tab: this._state.tab };
  }

  /** Learn who is here and which courses they run, and fetch anew what is shown. */
  async refresh(): Promise<void> {
    this._set({ phase: 'loading', problem: null });
    try {
      const me = await this._client.me();
      const courses = me.courses.filter(course => mayGrade(course.role));
      const course = courses.find(item => item.name === this._wanted) ?? courses[0] ?? null;
      const round = this._state.round + 1;
      this._set({ phase: 'ready', me, courses, course, round });
    } catch (error) {
      this._set({ phase: 'failed', problem: messageOf(error) });
    }
  }

  /** Show another course; one that is not known yet is shown once it is. */
  selectCourse(name: string): void {
    this._wanted = name;
    const course = this._state.courses.find(item => item.name === name);
    if (course !== undefined) {
      this._set({ course, batch: null });
    }
  }

  selectTab(tab: Tab): void {
    this._set({ tab, batch: null });
  }

  /** Show the queue with one batch opened. */
  showBatch(batch: string): void {
    this._set({ tab: 'queue', batch });
  }

  /** Whether the person can see the area; it is filled when they first do. */
  setVisible(visible: boolean): void {
    this._set({ visible });
    if (visible && this._state.me === null) {
      void this.refresh();
    }
  }

  private _set(change: Partial<IAreaState>): void {
    this._state = { ...this._state, ...change };
    this._listeners.forEach(listener => listener());
  }

  private _state: IAreaState;
  private _wanted: string | null;
  private readonly _listeners = new Set<() => void>();
}

const EMPTY: IAreaState = {
  phase: 'loading',
  problem: null,
  me: null,
  courses: [],
  course: null,
  tab: 'assignments',
  batch: null,
  visible: false,
  round: 0
};

/** Whether a text names a tab. */
export function isTab(text: unknown): text is Tab {
  return TABS.some(([tab]) => tab === text);
}
