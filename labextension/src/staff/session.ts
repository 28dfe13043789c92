/** Whether one is still signed in at the service. */

/** How requests are sent; the browser's own, but for tests. */
export type Fetch = (input: RequestInfo, init?: RequestInit) => Promise<Response>;

const REFUSED = new Set([401, 403]);

/**
 * Watches the answers of the service: a 401 or 403 may be about one thing only, so who asks then is
 * asked, too. `ask` asks the service who one is, as the page's other requests are sent, but not by
 * way of `fetch`, which is to be used by everything else on the page. No check ever rejects.
 */
export class Session {
  constructor(
    private readonly _ask: () => Promise<Response>,
    private readonly _fetch: Fetch = (input, init) => fetch(input, init)
  ) {}

  readonly snapshot = (): boolean => this._hasEnded;

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  readonly fetch: Fetch = async (input, init) => {
    const response = await this._fetch(input, init);
    if (REFUSED.has(response.status)) {
      void this.check();
    }
    return response;
  };

  /** Ask who one is; return whether the service knows one. */
  async check(): Promise<boolean> {
    try {
      const response = await this._ask();
      this._set(REFUSED.has(response.status));
    } catch {
      // The service is away: what was asked says so itself.
    }
    return !this._hasEnded;
  }

  private _set(hasEnded: boolean): void {
    if (hasEnded !== this._hasEnded) {
      this._hasEnded = hasEnded;
      this._listeners.forEach(listener => listener());
    }
  }

  private _hasEnded = false;
  private readonly _listeners = new Set<() => void>();
}
