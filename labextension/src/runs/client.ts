import type { ServerConnection } from '@jupyterlab/services';

import { Connection } from '../connection';
import type { IFile } from '../instructor/gradingTypes';
import type { Plain, RunCommand, Statistic } from '../live/runsSource';
import { attachmentName } from '../request';
import type { IMe, IPage } from '../types';
import type {
  IBand,
  IBatch,
  ICharts,
  IHyperparameters,
  IMadeRuns,
  INewRuns,
  IRun,
  IRunDetail,
  IRunEvent,
  IRunsClient,
  ISeries,
  Item,
  IUsage
} from './types';

const LARGEST_PAGE = 200;
const LARGEST_BATCH = 10_000;

/** The training runs of the Jupyter server that this page came from. */
export class RunsClient implements IRunsClient {
  constructor(settings?: ServerConnection.ISettings) {
    this._connection = new Connection(settings);
  }

  async runs(): Promise<IRun[]> {
    // An admin would be answered with everybody's.
    this._user ??= (await this._connection.json<IMe>(['me'])).user;
    const items: IRun[] = [];
    for (;;) {
      const page = await this._connection.json<IPage<IRun>>(
        ['runs'],
        {},
        { user: this._user, offset: String(items.length), limit: String(LARGEST_PAGE) }
      );
      items.push(...page.items);
      if (page.items.length === 0 || items.length >= page.total) {
        return items;
      }
    }
  }

  run(id: string): Promise<IRunDetail> {
    return this._connection.json(['runs', id]);
  }

  create(asked: INewRuns, key: string): Promise<IMadeRuns> {
    const init = body('POST', asked);
    return this._connection.json(['runs'], {
      ...init,
      headers: { ...init.headers, 'Idempotency-Key': key }
    });
  }

  async command(id: string, command: RunCommand, values: Record<string, Plain>): Promise<void> {
    await this._connection.json(['runs', id, 'commands'], body('POST', { command, values }));
  }

  async rename(id: string, name: string, tags: readonly string[]): Promise<void> {
    await this._connection.json(['runs', id], body('PATCH', { name, tags }));
  }

  async remove(id: string): Promise<void> {
    await this._connection.json(['runs', id], { method: 'DELETE' });
  }

  charts(): Promise<ICharts> {
    return this._connection.json(['runs', 'charts']);
  }

  hyperparameters(envId: string): Promise<IHyperparameters> {
    return this._connection.json(['runs', 'hyperparameters'], {}, { env_id: envId });
  }

  usage(): Promise<IUsage> {
    return this._connection.json(['runs', 'usage']);
  }

  metrics(id: string, since: number, limit = LARGEST_BATCH): Promise<IBatch<Item>> {
    const query = { since: String(since), limit: String(limit) };
    return this._connection.json(['runs', id, 'metrics'], {}, query);
  }

  series(id: string, points: number): Promise<ISeries> {
    return this._connection.json(['runs', id, 'series'], {}, { points: String(points) });
  }

  events(id: string, since: number): Promise<IBatch<IRunEvent>> {
    const query = { since: String(since), limit: '1000' };
    return this._connection.json(['runs', id, 'events'], {}, query);
  }

  async aggregate(
    ids: readonly string[],
    metrics: readonly string[],
    statistic: Statistic
  ): Promise<IBand[]> {
    const query = { ids: ids.join(','), metric: metrics.join(','), statistic };
    return (await this._connection.json<{ items: IBand[] }>(['runs', 'aggregate'], {}, query))
      .items;
  }

  async model(id: string): Promise<IFile> {
    const response = await this._connection.fetch(['runs', id, 'model'], {});
    const name = attachmentName(response.headers.get('Content-Disposition')) ?? `${id}.zip`;
    return { name, data: await response.blob() };
  }

  async log(id: string): Promise<string> {
    return (await this._connection.json<{ text: string }>(['runs', id, 'log'])).text;
  }

  stream(id: string, since: number, eventsSince: number): WebSocket {
    const query = { since: String(since), events_since: String(eventsSince) };
    return this._connection.socket(['runs', id, 'stream'], query);
  }

  private readonly _connection: Connection;
  private _user: string | null = null;
}

function body(method: string, value: unknown): RequestInit {
  return {
    method,
    body: JSON.stringify(value),
    headers: { 'Content-Type': 'application/json' }
  };
}
