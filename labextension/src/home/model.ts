/** What "My course" knows and does, without any drawing. */

import { messageOf } from '../instructor/resource';
import type { IMe } from '../types';
import type { IHomeClient, IProgress } from './types';

/** How often it is fetched anew while it is in sight, in milliseconds. */
export const RENEWAL_MS = 120_000;

/** Everything that is drawn. A new object for every change. */
export interface IHomeState {
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly problem: string | null;
  readonly me: IMe | null;
  readonly course: string | null;
  /** Null until it is there: nothing is drawn as zero before. */
  readonly progress: IProgress | null;
  /** Grows with every refresh: what is shown beside the progress is fetched anew. */
  readonly round: number;
}

const EMPTY: IHomeState = {
  phase: 'loading',
  problem: null,
  me: null,
  course: null,
  progress: null,
  round: 0
};

/** The state of the page; no action ever rejects. */
export class HomeModel {
  constructor(
    private readonly _client: IHomeClient,
    course: string | null = null
  ) {
    this._state = { ...EMPTY, course };
  }

  /** The state now; for React.useSyncExternalStore. */
  readonly snapshot = (): IHomeState => this._state;

  /** Call `listener` after every change; returns how to stop that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Fetch everything again; what is shown stays until the answer is there. */
  async refresh(): Promise<void> {
    const asked = ++this._asked;
    const wanted = this._state.course;
    this._set({ phase: 'loading', round: this._state.round + 1 });
    try {
      const me = await this._client.me();
      const known = me.courses.some(({ name }) => name === wanted);
      const course = known ? wanted : (me.courses[0]?.name ?? null);
      if (asked === this._asked) {
        const kept = course === wanted ? this._state.progress : null;
        this._set({ me, course, progress: kept });
      }
      const progress = course === null ? null : await this._client.progress(course);
      if (asked === this._asked) {
        this._set({ phase: 'ready', problem: null, progress });
      }
    } catch (error) {
      if (asked === this._asked) {
        this._set({ phase: 'failed', problem: messageOf(error) });
      }
    }
  }

  /** Show another course. */
  async selectCourse(name: string): Promise<void> {
    if (name !== this._state.course) {
      this._set({ course: name, progress: null, problem: null });
      await this.refresh();
    }
  }

  /** Whether the person can see it: it is fetched when they do, and now and then from there on. */
  setVisible(visible: boolean): void {
    if (this._timer !== null) {
      window.clearInterval(this._timer);
      this._timer = null;
    }
    if (visible) {
      this._timer = window.setInterval(() => void this.refresh(), RENEWAL_MS);
      void this.refresh();
    }
  }

  /** Ask for nothing any more. */
  dispose(): void {
    this.setVisible(false);
    this._asked += 1;
    this._listeners.clear();
  }

  private _set(change: Partial<IHomeState>): void {
    this._state = { ...this._state, ...change };
    this._listeners.forEach(listener => listener());
  }

  private readonly _listeners = new Set<() => void>();
  private _state: IHomeState;
  private _asked = 0;
  private _timer: number | null = null;
}
