/** Looks for news from time to time, as long as the page can be seen. */

import type { PreferencesModel } from '../preferences/model';
import type { IAssignment, IMe, ISubmission } from '../types';
import { newNotices, noticesOf } from './notices';
import type { ICourseFacts, IEarned, INotice, ITold } from './notices';

/** Milliseconds between two looks. */
export const EVERY_MS = 10 * 60_000;

/** What looking asks of the course service. */
export interface INoticesClient {
  me(): Promise<IMe>;
  assignments(course: string): Promise<IAssignment[]>;
  submissions(course: string, user: string): Promise<ISubmission[]>;
  achievements(course: string): Promise<{ items: readonly IEarned[] }>;
}

/** Where it is kept what was told: a reload of the page tells nothing twice. */
export interface IToldStore {
  load(): Promise<unknown>;
  save(told: ITold): Promise<unknown>;
}

/** Tells students what is new to them; it asks nothing while everything is switched off. */
export class NoticeWatcher {
  constructor(
    private readonly _client: INoticesClient,
    private readonly _preferences: Pick<PreferencesModel, 'ready' | 'preferences'>,
    private readonly _store: IToldStore,
    private readonly _tell: (notice: INotice) => void
  ) {}

  /** Look now, and go on. */
  start(): void {
    document.addEventListener('visibilitychange', this._onVisibility);
    this._timer = setInterval(() => void this.look(), EVERY_MS);
    void this.look();
  }

  dispose(): void {
    document.removeEventListener('visibilitychange', this._onVisibility);
    clearInterval(this._timer);
  }

  /** Tell what is new; never rejects. What cannot be had now is told by a later look. */
  async look(): Promise<void> {
    if (document.visibilityState === 'hidden' || this._isLooking) {
      return;
    }
    this._isLooking = true;
    this._at = Date.now();
    try {
      await this._look();
    } catch {
      // The panels say what is wrong with the server; here it would only be in the way.
    } finally {
      this._isLooking = false;
    }
  }

  private async _look(): Promise<void> {
    const isKnown = await this._preferences.ready();
    const wanted = this._preferences.preferences.notifications;
    if (!isKnown || !Object.values(wanted).some(Boolean)) {
      return;
    }
    const me = await this._client.me();
    const courses = me.courses.filter(({ role }) => role === 'student');
    if (courses.length === 0) {
      return;
    }
    const facts = await Promise.all(courses.map(({ name }) => this._facts(name, me.user)));
    const found = facts.flatMap(each => noticesOf(each, Date.now()));
    const before = await this._store.load();
    const { news, told } = newNotices(me.user, found, isTold(before) ? before : null, wanted);
    await this._store.save(told); // first: what cannot be kept would be told again and again
    news.forEach(this._tell);
  }

  private async _facts(course: string, user: string): Promise<ICourseFacts> {
    const [assignments, submissions, achievements] = await Promise.all([
      this._client.assignments(course),
      this._client.submissions(course, user),
      this._client.achievements(course)
    ]);
    return { course, assignments, submissions, achievements: achievements.items };
  }

  private readonly _onVisibility = (): void => {
    // A timer of a page that was hidden for long may be far behind.
    if (Date.now() - this._at >= EVERY_MS) {
      void this.look();
    }
  };

  private _timer: ReturnType<typeof setInterval> | undefined;
  private _isLooking = false;
  private _at = -Infinity;
}

function isTold(value: unknown): value is ITold {
  const told = value as Partial<ITold> | null;
  return typeof told === 'object' && typeof told?.user === 'string' && Array.isArray(told.keys);
}
