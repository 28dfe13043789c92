import { ServerConnection } from '@jupyterlab/services';

import { RequestError } from '../connection';
import { openedEvent } from '../events/buffer';
import { EventsClient } from '../events/client';
import { GAE, NOON } from './eventsMemory';

const requests: { request: Request; body: string }[] = [];
let answer: () => Response;

async function keep(input: RequestInfo | URL): Promise<Response> {
  const request = input as Request;
  requests.push({ request, body: await request.clone().text() });
  return answer();
}

const client = new EventsClient(
  ServerConnection.makeSettings({ baseUrl: 'http://lab.test/', fetch: keep, Request })
);

beforeEach(() => {
  requests.length = 0;
});

it('sends events as the service reads them, and hands on its receipts and its clock', async () => {
  const receipts = [{ key: 'k', receipt: 'accepted', refusal: null, message: '' }];
  answer = () =>
    new Response(JSON.stringify({ receipts }), {
      headers: { Date: 'Sun, 22 Nov 2026 12:00:00 GMT' }
    });
  const event = { ...openedEvent(GAE, NOON), moved: true as const };
  expect(await client.post('rl', [event], 'ada', true)).toEqual({ receipts, time: NOON });
  const [{ request, body }] = requests as [{ request: Request; body: string }];
  expect([request.method, request.keepalive]).toEqual(['POST', true]);
  expect(new URL(request.url).pathname).toBe('/jupyter-ppo/api/v1/courses/rl/progress/events');
  const { key, kind, assignment, occurred_at, data } = event;
  expect(JSON.parse(body)).toEqual({
    events: [{ key, kind, assignment, occurred_at, data, user: 'ada' }]
  });
});

it('does not know a clock that the service does not tell', async () => {
  answer = () => new Response('{"receipts": []}');
  expect(await client.post('rl', [], 'ada', false)).toEqual({ receipts: [], time: null });
});

it('rejects with what the service says', async () => {
  answer = () =>
    new Response('{"code": "too_many_requests", "message": "Wait."}', {
      status: 429,
      headers: { 'Retry-After': '7' }
    });
  const error = await client.post('rl', [], 'ada', false).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RequestError);
  expect(error).toMatchObject({ status: 429, retryAfter: 7 });
});

it('gathers all pages of the assignments', async () => {
  const pages = [['one', 'two'], ['three']];
  answer = () => {
    const items = (pages.shift() ?? []).map(name => ({ name }));
    return new Response(JSON.stringify({ items, total: 3, offset: 0, limit: 2 }));
  };
  expect((await client.assignments('rl')).map(({ name }) => name)).toEqual(['one', 'two', 'three']);
});
