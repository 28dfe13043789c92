import type { ServerConnection } from '@jupyterlab/services';

import { Connection } from '../connection';
import type { IMe, IPage } from '../types';
import type { IApiToken, IMadeToken, INewToken, ITokensClient } from './types';

const LARGEST_PAGE = 200;
const MINE = ['me', 'tokens'];

/** The API tokens at the course service of the server that this page came from. */
export class TokensClient implements ITokensClient {
  constructor(settings?: ServerConnection.ISettings) {
    this._connection = new Connection(settings);
  }

  me(): Promise<IMe> {
    return this._connection.json<IMe>(['me']);
  }

  mine(): Promise<IApiToken[]> {
    return this._all(MINE);
  }

  ofCourse(course: string): Promise<IApiToken[]> {
    return this._all(['courses', course, 'tokens']);
  }

  create(token: INewToken): Promise<IMadeToken> {
    return this._connection.json(MINE, post(token));
  }

  rotate(id: string, overlapHours: number): Promise<IMadeToken> {
    return this._connection.json([...MINE, id, 'rotate'], post({ overlap_hours: overlapHours }));
  }

  revoke(id: string): Promise<IApiToken> {
    return this._connection.json([...MINE, id], { method: 'DELETE' });
  }

  revokeInCourse(course: string, id: string): Promise<IApiToken> {
    return this._connection.json(['courses', course, 'tokens', id], { method: 'DELETE' });
  }

  private async _all(path: string[]): Promise<IApiToken[]> {
    const items: IApiToken[] = [];
    for (;;) {
      const part = { offset: String(items.length), limit: String(LARGEST_PAGE) };
      const page = await this._connection.json<IPage<IApiToken>>(path, {}, part);
      items.push(...page.items);
      if (page.items.length === 0 || items.length >= page.total) {
        return items;
      }
    }
  }

  private readonly _connection: Connection;
}

function post(value: unknown): RequestInit {
  return {
    method: 'POST',
    body: JSON.stringify(value),
    headers: { 'Content-Type': 'application/json' }
  };
}
