import type { ServerConnection } from '@jupyterlab/services';

import { Connection } from '../connection';
import type { IMe, IPage, ISandbox } from '../types';
import type {
  IExecuteLimits,
  IHealth,
  IHistoryItem,
  IHistoryRecord,
  IRun,
  ISandboxClient,
  ITestRun
} from './types';

const PAGE_SIZE = 20;

/** `/execute` of the Jupyter server that this page came from. */
export class SandboxClient implements ISandboxClient {
  constructor(settings?: ServerConnection.ISettings) {
    this._connection = new Connection(settings);
  }

  run(request: string): Promise<IRun> {
    return this._post<IRun>(['execute'], request);
  }

  runTests(request: string): Promise<ITestRun> {
    return this._post<ITestRun>(['execute', 'tests'], request);
  }

  async stop(): Promise<number> {
    const answer = await this._connection.json<{ stopped: number }>(['execute', 'stop'], {
      method: 'POST'
    });
    return answer.stopped;
  }

  limits(): Promise<IExecuteLimits> {
    return this._connection.json<IExecuteLimits>(['execute', 'limits']);
  }

  health(): Promise<IHealth> {
    return this._connection.json<IHealth>(['execute', 'health']);
  }

  async sandbox(): Promise<ISandbox> {
    return (await this._connection.json<IMe>(['me'])).sandbox;
  }

  history(offset: number): Promise<IPage<IHistoryItem>> {
    const query = { offset: String(offset), limit: String(PAGE_SIZE) };
    return this._connection.json<IPage<IHistoryItem>>(['execute', 'history'], {}, query);
  }

  record(id: string): Promise<IHistoryRecord> {
    return this._connection.json<IHistoryRecord>(['execute', 'history', id]);
  }

  private _post<T>(path: string[], body: string): Promise<T> {
    const headers = { 'Content-Type': 'application/json' };
    // Chromium sends a request again that is answered with 408 on a connection in use, and the
    // program would run twice. The body says the same as the status.
    const query = { always_ok: 'true' };
    return this._connection.json<T>(path, { method: 'POST', body, headers }, query);
  }

  private readonly _connection: Connection;
}
