import type { ServerConnection } from '@jupyterlab/services';

import { Connection } from '../connection';
import type { IPreferencesClient, IStoredPreferences, PreferencesPatch } from './types';

const PATH = ['me', 'preferences'];

/** `/me/preferences` of the Jupyter server that this page came from. */
export class PreferencesClient implements IPreferencesClient {
  constructor(settings?: ServerConnection.ISettings) {
    this._connection = new Connection(settings);
  }

  load(): Promise<IStoredPreferences> {
    return this._connection.json<IStoredPreferences>(PATH);
  }

  patch(patch: PreferencesPatch, revision: number | null): Promise<IStoredPreferences> {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (revision !== null) {
      headers['If-Match'] = `"${revision}"`;
    }
    const body = JSON.stringify(patch);
    return this._connection.json<IStoredPreferences>(PATH, { method: 'PATCH', body, headers });
  }

  private readonly _connection: Connection;
}
