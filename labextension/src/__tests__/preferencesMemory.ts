/** Preferences on a server in memory, with another device that changes them. */

import { RequestError } from '../connection';
import { patched } from '../preferences/model';
import { DEFAULTS } from '../preferences/types';
import type {
  IPreferences,
  IPreferencesClient,
  IStoredPreferences,
  PreferencesPatch
} from '../preferences/types';

export class MemoryPreferences implements IPreferencesClient {
  stored: IPreferences = DEFAULTS;
  revision = 0;
  /** What is thrown next, in place of an answer. */
  refusal: Error | null = null;
  /** Every change that came, with the revision that it was made from. */
  readonly received: [PreferencesPatch, number | null][] = [];

  async load(): Promise<IStoredPreferences> {
    this._refuse();
    return this._answer();
  }

  async patch(patch: PreferencesPatch, revision: number | null): Promise<IStoredPreferences> {
    this._refuse();
    this.received.push([patch, revision]);
    if (revision !== null && revision !== this.revision) {
      const yours = { revision, updated_at: null, preferences: patched(this.stored, patch) };
      const conflict = JSON.parse(JSON.stringify({ yours, theirs: this._answer() }));
      throw new RequestError('saved in between', 'edit_conflict', 409, 'If-Match', null, conflict);
    }
    this.elsewhere(patch);
    return this._answer();
  }

  /** Another device changes some. */
  elsewhere(patch: PreferencesPatch): void {
    this.stored = patched(this.stored, patch);
    this.revision += 1;
  }

  private _refuse(): void {
    const { refusal } = this;
    if (refusal !== null) {
      this.refusal = null;
      throw refusal;
    }
  }

  private _answer(): IStoredPreferences {
    return { revision: this.revision, updated_at: null, preferences: this.stored };
  }
}
