import type { ServerConnection } from '@jupyterlab/services';

import { Connection } from '../connection';
import type { IDownload, IMe } from '../types';
import type { IAuthorClient, ICheckTrial, IRelease } from './types';

const NOTEBOOK_TYPE = 'application/x-ipynb+json';

/** The course service of the Jupyter server that this page came from, for authors. */
export class AuthorClient implements IAuthorClient {
  constructor(settings?: ServerConnection.ISettings) {
    this._connection = new Connection(settings);
  }

  me(): Promise<IMe> {
    return this._connection.json<IMe>(['me']);
  }

  check(course: string, text: string): Promise<ICheckTrial> {
    return this._connection.json<ICheckTrial>(['courses', course, 'checks'], sent('POST', text));
  }

  trial(id: string): Promise<ICheckTrial> {
    return this._connection.json<ICheckTrial>(['trials', id]);
  }

  async preview(course: string, text: string): Promise<IDownload> {
    const path = ['courses', course, 'previews'];
    const response = await this._connection.fetch(path, sent('POST', text));
    return { name: 'preview.ipynb', text: await response.text() };
  }

  release(course: string, assignment: string, text: string, note: string): Promise<IRelease> {
    return this._connection.json<IRelease>(
      ['courses', course, 'assignments', assignment],
      sent('PUT', text),
      note === '' ? {} : { note }
    );
  }

  private readonly _connection: Connection;
}

function sent(method: string, body: string): RequestInit {
  return { method, body, headers: { 'Content-Type': NOTEBOOK_TYPE } };
}
