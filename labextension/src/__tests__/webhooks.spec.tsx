import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { Webhooks, WebhooksTab } from '../instructor/webhooks';
import { WebhooksClient } from '../instructor/webhooksClient';
import type {
  IDelivery,
  IMadeWebhook,
  INewWebhook,
  IWebhook,
  IWebhooksClient
} from '../instructor/webhooksClient';
import { ServerConnection } from '@jupyterlab/services';
import type { IPage } from '../types';

const NOW = '2026-01-02T03:04:05+00:00';

function webhook(name: string): IWebhook {
  return {
    id: `id-${name}`,
    name,
    url: `https://${name}.example/`,
    events: ['submission.graded'],
    is_active: true,
    created_by: 'ines',
    created_at: NOW,
    overlap_until: null
  };
}

function delivery(id: string, more: Partial<IDelivery> = {}): IDelivery {
  const none = { created_at: NOW, tries: 0, due_at: NOW, status: null, reason: '' };
  return { id, event: 'ping', state: 'waiting', ...none, ...more };
}

/** Webhooks in memory: what it holds is what it answers. */
class Memory implements IWebhooksClient {
  kept: IWebhook[] = [webhook('sync')];
  sent: IDelivery[] = [
    delivery('d1', {
      event: 'submission.graded',
      state: 'given_up',
      tries: 12,
      status: 500,
      reason: 'It answered 500.'
    }),
    delivery('d2', { state: 'delivered', tries: 1, status: 204 })
  ];
  refusal: Error | null = null;
  readonly changes: string[] = [];

  async webhooks(): Promise<IWebhook[]> {
    return this.kept;
  }

  async create(_course: string, made: INewWebhook): Promise<IMadeWebhook> {
    this._note(`create ${JSON.stringify(made)}`);
    const added = { ...webhook(made.name), ...made };
    this.kept = [added, ...this.kept];
    return { webhook: added, secret: 'ppowh_shown-once' };
  }

  async setActive(_course: string, id: string, isActive: boolean): Promise<IWebhook> {
    this._note(`${isActive ? 'go on' : 'stop'} ${id}`);
    this.kept = this.kept.map(each => ({ ...each, is_active: isActive }));
    return this._one();
  }

  async rotate(_course: string, id: string): Promise<IMadeWebhook> {
    this._note(`rotate ${id}`);
    this.kept = this.kept.map(each => ({ ...each, overlap_until: NOW }));
    return { webhook: this._one(), secret: 'ppowh_newer' };
  }

  async remove(_course: string, id: string): Promise<void> {
    this._note(`delete ${id}`);
    this.kept = [];
  }

  async test(_course: string, id: string): Promise<IDelivery> {
    this._note(`test ${id}`);
    const ping = delivery('d3');
    this.sent = [ping, ...this.sent];
    return ping;
  }

  async deliveries(_course: string, _id: string, offset: number): Promise<IPage<IDelivery>> {
    return { items: this.sent, total: this.sent.length, offset, limit: 20 };
  }

  async replay(_course: string, id: string): Promise<IDelivery> {
    this._note(`replay ${id}`);
    this.sent = this.sent.map(each => (each.id === id ? delivery(id) : each));
    return delivery(id);
  }

  private _one(): IWebhook {
    const [first] = this.kept;
    if (first === undefined) {
      throw new Error('There is no webhook.');
    }
    return first;
  }

  private _note(change: string): void {
    if (this.refusal !== null) {
      throw this.refusal;
    }
    this.changes.push(change);
  }
}

let service: Memory;
let node: HTMLElement;
let root: Root;

beforeEach(async () => {
  service = new Memory();
  node = document.createElement('div');
  document.body.appendChild(node);
  root = createRoot(node);
  await React.act(async () => root.render(<Webhooks client={service} course="rl" />));
});

afterEach(() => {
  React.act(() => root.unmount());
  node.remove();
});

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = node.querySelector<T>(selector);
  if (found === null) {
    throw new Error(`${selector} is not in ${node.innerHTML}`);
  }
  return found;
}

const textOf = (selector: string): string => find(selector).textContent ?? '';

async function press(selector: string): Promise<void> {
  await React.act(async () => find(selector).click());
}

async function type(selector: string, text: string): Promise<void> {
  await React.act(async () => {
    const field = find<HTMLInputElement>(selector);
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value')?.set?.call(field, text);
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

async function submit(): Promise<void> {
  await React.act(async () => {
    const event = new Event('submit', { bubbles: true, cancelable: true });
    find('.jp-PPO-webhookForm').dispatchEvent(event);
  });
}

it('registers an address and shows its secret once, ready to be copied', async () => {
  await type('[name="webhook"]', ' LMS ');
  await type('[name="url"]', 'https://lms.example/ppo');
  await submit();
  expect(textOf('.jp-PPO-formProblem')).toBe('Choose what it is told of.');
  expect(service.changes).toEqual([]);
  await press('.jp-PPO-webhookEvents label:nth-of-type(4) input');
  await press('.jp-PPO-webhookEvents label:nth-of-type(1) input');
  await submit();
  const made = {
    name: 'LMS',
    url: 'https://lms.example/ppo',
    events: ['submission.received', 'batch.finished']
  };
  expect(service.changes).toEqual([`create ${JSON.stringify(made)}`]);
  const secret = find<HTMLInputElement>('.jp-PPO-secretText');
  expect(secret.value).toBe('ppowh_shown-once');
  expect(document.activeElement).toBe(secret);
  expect(textOf('[data-webhook="LMS"]')).toContain('An attempt came in; A batch has ended');
  expect(find<HTMLInputElement>('[name="webhook"]').value).toBe('');
  await press('.jp-PPO-secretDone');
  expect(node.innerHTML).not.toContain('ppowh_');
});

it('keeps what was typed when the service refuses, and says why', async () => {
  service.refusal = new Error('url: http is not allowed.');
  await type('[name="webhook"]', 'LMS');
  await type('[name="url"]', 'http://lms.example/');
  await press('.jp-PPO-webhookEvents input');
  await submit();
  expect(textOf('[role="alert"]')).toBe('url: http is not allowed.');
  expect(find<HTMLInputElement>('[name="url"]').value).toBe('http://lms.example/');
});

it('sends a test, and opens the messages with it', async () => {
  await press('.jp-PPO-testWebhook');
  expect(service.changes).toEqual(['test id-sync']);
  expect(find('[data-ask="messages"]').getAttribute('aria-expanded')).toBe('true');
  expect(textOf('[data-delivery="d3"]')).toContain('waiting');
  expect(textOf('[aria-live="polite"]')).toContain('A test is on its way to sync');
});

it('shows why a message was given up, and sends it again', async () => {
  await press('[data-ask="messages"]');
  expect(textOf('[data-delivery="d1"]')).toContain('given up, 12 tries');
  expect(textOf('[data-delivery="d1"]')).toContain('It answered 500.');
  expect(textOf('[data-delivery="d2"]')).toContain('delivered, 1 try');
  expect(textOf('[data-delivery="d2"]')).toContain('It answered 204.');
  await press('[data-delivery="d1"] .jp-PPO-replay');
  expect(service.changes).toEqual(['replay d1']);
  expect(textOf('[data-delivery="d1"]')).toContain('waiting');
  await press('[data-ask="messages"]');
  expect(node.querySelector('[data-delivery]')).toBeNull();
});

it('asks before it makes a new secret or deletes, with the focus on the answer', async () => {
  await press('[data-ask="rotate"]');
  expect(document.activeElement).toBe(find('.jp-PPO-yes'));
  expect(service.changes).toEqual([]);
  await press('.jp-PPO-yes');
  expect(service.changes).toEqual(['rotate id-sync']);
  expect(find<HTMLInputElement>('.jp-PPO-secretText').value).toBe('ppowh_newer');
  expect(textOf('[data-webhook="sync"]')).toContain('two secrets until');
  await press('[data-ask="delete"]');
  await press('.jp-PPO-sure .jp-PPO-button:not(.jp-PPO-yes)');
  expect(service.changes).toHaveLength(1);
  await press('[data-ask="delete"]');
  await press('.jp-PPO-yes');
  expect(service.changes).toEqual(['rotate id-sync', 'delete id-sync']);
  expect(textOf('.jp-PPO-empty')).toContain('No address is told of this course');
});

it('stops a webhook for a while', async () => {
  await press('.jp-PPO-stopWebhook');
  expect(textOf('[data-webhook="sync"]')).toContain('stopped');
  expect(find<HTMLButtonElement>('.jp-PPO-testWebhook').disabled).toBe(true);
  expect(find('.jp-PPO-stopWebhook').getAttribute('aria-label')).toBe('Go on with sync');
  await press('.jp-PPO-stopWebhook');
  expect(service.changes).toEqual(['stop id-sync', 'go on id-sync']);
});

it('names every button and every field for a screen reader', async () => {
  await press('[data-ask="messages"]');
  for (const button of node.querySelectorAll('table button')) {
    expect(button.getAttribute('aria-label') ?? button.textContent).toMatch(/sync|again/);
  }
  for (const field of node.querySelectorAll('input')) {
    expect(field.labels).toHaveLength(1);
  }
  for (const header of node.querySelectorAll('th')) {
    expect(header.textContent).not.toBe('');
  }
});

it('is for instructors', async () => {
  const settings = ServerConnection.makeSettings();
  const course = { name: 'rl', title: 'RL', role: 'grader' as const };
  await React.act(async () => root.render(<WebhooksTab course={course} settings={settings} />));
  expect(node.textContent).toBe('Webhooks are for instructors of the course.');
});

it('asks the service at the addresses that it has', async () => {
  const asked: string[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://here/',
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const body = request.method === 'GET' ? '' : await request.text();
      asked.push(`${request.method} ${new URL(request.url).pathname.split('/v1')[1]} ${body}`);
      return new Response('{"items": []}', { headers: { 'Content-Type': 'application/json' } });
    }
  });
  const client = new WebhooksClient(settings);
  await client.webhooks('rl');
  await client.create('rl', { name: 'x', url: 'https://x/', events: ['batch.finished'] });
  await client.setActive('rl', 'one', false);
  await client.rotate('rl', 'one');
  await client.test('rl', 'one');
  await client.deliveries('rl', 'one', 20);
  await client.replay('rl', 'two');
  await client.remove('rl', 'one');
  const all = '/courses/rl/webhooks';
  expect(asked.map(each => each.trim())).toEqual([
    `GET ${all}`,
    `POST ${all} {"name":"x","url":"https://x/","events":["batch.finished"]}`,
    `PATCH ${all}/one {"is_active":false}`,
    `POST ${all}/one/rotate {}`,
    `POST ${all}/one/test`,
    `GET ${all}/one/deliveries`,
    `POST ${all}/deliveries/two/replay`,
    `DELETE ${all}/one`
  ]);
});
