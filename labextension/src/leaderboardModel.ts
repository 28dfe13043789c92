/** What the panel knows of a course's leaderboard, without any drawing. */

import type { ILeaderboard } from './types';

/** What the leaderboard asks of the course service. */
export interface ILeaderboardClient {
  /** Every entry, by assignment, environment and rank. */
  leaderboard(course: string): Promise<ILeaderboard>;
  /** Be on it under this name, or change the name. */
  joinLeaderboard(course: string, pseudonym: string): Promise<void>;
  leaveLeaderboard(course: string): Promise<void>;
}

/** Everything that is drawn. A new object for every change. */
export interface ILeaderboardState {
  /** The course that the rest is about. */
  readonly course: string | null;
  readonly board: ILeaderboard | null;
  readonly problem: string | null;
  readonly busy: boolean;
}

const EMPTY: ILeaderboardState = { course: null, board: null, problem: null, busy: false };

/** The state of the leaderboard and the actions of its buttons; no action ever rejects. */
export class LeaderboardModel {
  constructor(private readonly _client: ILeaderboardClient) {}

  /** The state now; for React.useSyncExternalStore. */
  readonly snapshot = (): ILeaderboardState => this._state;

  /** Call `listener` after every change; returns how to stop that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Load the leaderboard of a course. */
  load(course: string): Promise<void> {
    return this._act(course, () => Promise.resolve());
  }

  /** Join under a pseudonym, or change it. */
  join(course: string, pseudonym: string): Promise<void> {
    return this._act(course, () => this._client.joinLeaderboard(course, pseudonym));
  }

  /** Take the person off it. */
  leave(course: string): Promise<void> {
    return this._act(course, () => this._client.leaveLeaderboard(course));
  }

  private async _act(course: string, action: () => Promise<void>): Promise<void> {
    const same = this._state.course === course;
    this._set({ course, board: same ? this._state.board : null, problem: null, busy: true });
    let change: Partial<ILeaderboardState>;
    try {
      await action();
      change = { board: await this._client.leaderboard(course) };
    } catch (error) {
      change = { problem: error instanceof Error ? error.message : String(error) };
    }
    if (this._state.course === course) {
      this._set({ ...change, busy: false });
    }
  }

  private _set(change: Partial<ILeaderboardState>): void {
    this._state = { ...this._state, ...change };
    this._listeners.forEach(listener => listener());
  }

  private readonly _listeners = new Set<() => void>();
  private _state: ILeaderboardState = EMPTY;
}
