import type { ServerConnection } from '@jupyterlab/services';

import { Connection } from '../connection';
import type { IAssignment, IMe, IPage } from '../types';
import type { IBatchAnswer, IEventsClient, IReceipt, IStudentEvent } from './types';

const PAGE_SIZE = 200;

/** What following a person's work asks of the course service. */
export interface ILabEventsClient extends IEventsClient {
  me(): Promise<IMe>;
  assignments(course: string): Promise<IAssignment[]>;
}

/** The course service of the Jupyter server that this page came from. */
export class EventsClient implements ILabEventsClient {
  constructor(settings?: ServerConnection.ISettings) {
    this._connection = new Connection(settings);
  }

  me(): Promise<IMe> {
    return this._connection.json<IMe>(['me']);
  }

  async assignments(course: string): Promise<IAssignment[]> {
    const items: IAssignment[] = [];
    for (;;) {
      const page = await this._connection.json<IPage<IAssignment>>(
        ['courses', course, 'assignments'],
        {},
        { offset: String(items.length), limit: String(PAGE_SIZE) }
      );
      items.push(...page.items);
      if (page.items.length === 0 || items.length >= page.total) {
        return items;
      }
    }
  }

  async post(
    course: string,
    events: readonly IStudentEvent[],
    user: string,
    keepalive: boolean
  ): Promise<IBatchAnswer> {
    const response = await this._connection.fetch(['courses', course, 'progress', 'events'], {
      method: 'POST',
      body: JSON.stringify({ events: events.map(event => sentEvent(event, user)) }),
      headers: { 'Content-Type': 'application/json' },
      keepalive
    });
    const { receipts } = (await response.json()) as { receipts: IReceipt[] };
    const time = Date.parse(response.headers.get('Date') ?? '');
    return { receipts, time: Number.isNaN(time) ? null : time };
  }

  private readonly _connection: Connection;
}

/** An event as the service wants it; `user` lets it see when somebody else has signed in since. */
function sentEvent(event: IStudentEvent, user: string): object {
  const { key, kind, assignment, occurred_at, data } = event;
  return { key, kind, assignment, occurred_at, data, user };
}
