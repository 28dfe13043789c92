/** Webhooks of a course, as the service tells of them; see docs/webhooks.md. */

import type { ServerConnection } from '@jupyterlab/services';

import { Connection } from '../connection';
import type { IPage } from '../types';

export type WebhookEvent =
  'submission.received' | 'submission.graded' | 'outcome.released' | 'batch.finished' | 'ping';

export type DeliveryState = 'waiting' | 'sending' | 'delivered' | 'given_up';

/** An address that is told of a course, without its secret. */
export interface IWebhook {
  id: string;
  name: string;
  url: string;
  events: WebhookEvent[];
  is_active: boolean;
  created_by: string;
  created_at: string;
  /** Two secrets sign until then. */
  overlap_until: string | null;
}

/** A message to a webhook, and how its last try ended. */
export interface IDelivery {
  id: string;
  event: WebhookEvent;
  state: DeliveryState;
  created_at: string;
  tries: number;
  due_at: string | null;
  status: number | null;
  reason: string;
}

export interface INewWebhook {
  name: string;
  url: string;
  events: WebhookEvent[];
}

/** A webhook and its new secret, which is told this once. */
export interface IMadeWebhook {
  webhook: IWebhook;
  secret: string;
}

/** What the tab asks of the service. */
export interface IWebhooksClient {
  webhooks(course: string): Promise<IWebhook[]>;
  create(course: string, webhook: INewWebhook): Promise<IMadeWebhook>;
  setActive(course: string, id: string, isActive: boolean): Promise<IWebhook>;
  rotate(course: string, id: string): Promise<IMadeWebhook>;
  remove(course: string, id: string): Promise<void>;
  /** Send a ping. */
  test(course: string, id: string): Promise<IDelivery>;
  /** What a webhook was and is to be told, newest first. */
  deliveries(course: string, id: string, offset: number): Promise<IPage<IDelivery>>;
  /** Send a message again. */
  replay(course: string, delivery: string): Promise<IDelivery>;
}

/** How many messages are shown at once. */
export const DELIVERIES_PER_PAGE = 20;
/** More than a course may have. */
const LARGEST_PAGE = 200;

/** The webhooks at the course service of the server that this page came from. */
export class WebhooksClient implements IWebhooksClient {
  constructor(settings?: ServerConnection.ISettings) {
    this._connection = new Connection(settings);
  }

  async webhooks(course: string): Promise<IWebhook[]> {
    const query = { limit: String(LARGEST_PAGE) };
    return (await this._connection.json<IPage<IWebhook>>(of(course), {}, query)).items;
  }

  create(course: string, webhook: INewWebhook): Promise<IMadeWebhook> {
    return this._connection.json(of(course), body('POST', webhook));
  }

  setActive(course: string, id: string, isActive: boolean): Promise<IWebhook> {
    return this._connection.json(of(course, id), body('PATCH', { is_active: isActive }));
  }

  rotate(course: string, id: string): Promise<IMadeWebhook> {
    return this._connection.json(of(course, id, 'rotate'), body('POST', {}));
  }

  async remove(course: string, id: string): Promise<void> {
    await this._connection.json(of(course, id), { method: 'DELETE' });
  }

  test(course: string, id: string): Promise<IDelivery> {
    return this._connection.json(of(course, id, 'test'), { method: 'POST' });
  }

  deliveries(course: string, id: string, offset: number): Promise<IPage<IDelivery>> {
    const query = { offset: String(offset), limit: String(DELIVERIES_PER_PAGE) };
    return this._connection.json(of(course, id, 'deliveries'), {}, query);
  }

  replay(course: string, delivery: string): Promise<IDelivery> {
    return this._connection.json(of(course, 'deliveries', delivery, 'replay'), { method: 'POST' });
  }

  private readonly _connection: Connection;
}

function of(course: string, ...rest: string[]): string[] {
  return ['courses', course, 'webhooks', ...rest];
}

function body(method: string, value: unknown): RequestInit {
  return {
    method,
    body: JSON.stringify(value),
    headers: { 'Content-Type': 'application/json' }
  };
}
