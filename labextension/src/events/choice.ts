/** Whether a person lets the course know of their activity: their preference `privacy.activity`. */

import type { PreferencesModel } from '../preferences/model';
import type { IActivityChoice } from './lab';
import { backOff } from './sender';

/** A tab that is shown again asks at most this often: the choice may be changed elsewhere. */
const AGAIN_MS = 5 * 60_000;

/** Follows the preference, and asks again until the service says it. */
export class ActivityChoice implements IActivityChoice {
  constructor(
    private readonly _model: Pick<PreferencesModel, 'snapshot' | 'subscribe' | 'ready' | 'load'>
  ) {
    document.addEventListener('visibilitychange', this._onVisibility);
    void this._ask(0);
  }

  /** Null until it is known: the default of the service is not the choice of a person. */
  allowed(): boolean | null {
    const { phase, preferences } = this._model.snapshot();
    return phase === 'ready' ? preferences.privacy.activity : null;
  }

  subscribe(listener: () => void): () => void {
    return this._model.subscribe(listener);
  }

  dispose(): void {
    this._isDisposed = true;
    document.removeEventListener('visibilitychange', this._onVisibility);
    clearTimeout(this._timer);
  }

  private async _ask(failures: number): Promise<void> {
    const isKnown = await this._model.ready();
    this._asked = Date.now();
    if (!isKnown && !this._isDisposed) {
      const wait = backOff(failures, Math.random());
      this._timer = setTimeout(() => void this._ask(failures + 1), wait);
    }
  }

  private readonly _onVisibility = (): void => {
    if (document.visibilityState === 'visible' && Date.now() - this._asked >= AGAIN_MS) {
      this._asked = Date.now();
      void this._model.load();
    }
  };

  private _asked = Date.now();
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
