import { ServerConnection } from '@jupyterlab/services';

import { RequestError } from '../connection';
import { attachmentName, CourseClient } from '../request';

const BASE = 'http://localhost:8888/base/';

type Answer = (request: Request) => Response | Promise<Response>;

/** A client whose requests are answered by `answer`, and the requests it made. */
function clientOf(answer: Answer): { client: CourseClient; requests: Request[] } {
  const requests: Request[] = [];
  const fetch = async (input: RequestInfo | URL): Promise<Response> => {
    const request = input as Request;
    requests.push(request.clone());
    return answer(request);
  };
  const settings = ServerConnection.makeSettings({
    baseUrl: BASE,
    token: 'a-token',
    fetch,
    Headers,
    Request
  });
  return { client: new CourseClient(settings), requests };
}

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json' }
  });
}

function only(requests: Request[]): Request {
  expect(requests).toHaveLength(1);
  return requests[0] as Request;
}

async function rejection(promise: Promise<unknown>): Promise<RequestError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason
  );
  expect(error).toBeInstanceOf(RequestError);
  return error as RequestError;
}

describe('CourseClient', () => {
  it('asks under the base URL of the server, with its token', async () => {
    const { client, requests } = clientOf(() => json({ user: 'ada' }));
    expect(await client.me()).toEqual({ user: 'ada' });
    const request = only(requests);
    expect(new URL(request.url).pathname).toBe('/base/jupyter-ppo/api/v1/me');
    expect(request.headers.get('Authorization')).toBe('token a-token');
  });

  it('submits the text byte for byte', async () => {
    const { client, requests } = clientOf(() => json({ attempt: 1 }, 201));
    const text = '{"cells": [],\r\n "metadata": {"name": "Gödel \u2028"}}\n';
    await client.submit('rl/101?', 'ppo', text, 'a-key');
    const request = only(requests);
    expect(request.method).toBe('POST');
    expect(request.headers.get('Content-Type')).toBe('application/x-ipynb+json');
    expect(request.headers.get('Idempotency-Key')).toBe('a-key');
    expect(new URL(request.url).pathname).toBe(
      '/base/jupyter-ppo/api/v1/courses/rl%2F101%3F/assignments/ppo/submissions'
    );
    expect(await request.text()).toBe(text);
  });

  it('walks all pages of a list', async () => {
    const all = Array.from({ length: 450 }, (_, index) => ({ id: String(index) }));
    const { client, requests } = clientOf(request => {
      const query = new URL(request.url).searchParams;
      expect(query.get('user')).toBe('ada');
      const offset = Number(query.get('offset'));
      const limit = Number(query.get('limit'));
      return json({ items: all.slice(offset, offset + limit), total: 450, offset, limit });
    });
    expect(await client.submissions('rl', 'ada')).toEqual(all);
    expect(requests).toHaveLength(3);
  });

  it('stops at an empty page even if the total says more', async () => {
    const { client } = clientOf(() => json({ items: [], total: 9, offset: 0, limit: 200 }));
    expect(await client.assignments('rl')).toEqual([]);
  });

  it('takes the file name of a notebook from the server', async () => {
    const { client } = clientOf(
      () =>
        new Response('{}', {
          headers: { 'Content-Disposition': 'attachment; filename="first.ipynb"' }
        })
    );
    expect(await client.notebook('rl', 'ppo')).toEqual({ name: 'first.ipynb', text: '{}' });
  });

  it('names a notebook after its assignment when the server gives no name', async () => {
    const { client } = clientOf(() => new Response('{}'));
    expect((await client.notebook('rl', 'ppo')).name).toBe('ppo.ipynb');
  });

  it("passes on the service's own error", async () => {
    const body = { code: 'too_large', message: 'Over 25 MB.', field: 'notebook' };
    const { client } = clientOf(() => json(body, 413));
    const error = await rejection(client.submit('rl', 'ppo', '{}', 'a-key'));
    expect(error).toMatchObject({ ...body, status: 413 });
  });

  it('says how to enable the service when it is not there', async () => {
    const { client } = clientOf(() => new Response('<h1>404</h1>', { status: 404 }));
    const error = await rejection(client.me());
    expect(error).toMatchObject({ code: 'http', status: 404 });
    expect(error.message).toContain('jupyter server extension enable jupyter_ppo');
  });

  it('gives the status of an answer that is not ours', async () => {
    const { client } = clientOf(() => new Response('', { status: 502, statusText: 'Bad Gateway' }));
    expect((await rejection(client.me())).message).toBe('The server answered 502 Bad Gateway.');
  });

  it('says so when the server does not answer', async () => {
    const { client } = clientOf(() => Promise.reject(new TypeError('Failed to fetch')));
    const error = await rejection(client.me());
    expect(error).toMatchObject({ code: 'network', status: 0 });
    expect(error.message).toContain('still running');
  });

  it('says so when the answer is not JSON', async () => {
    const { client } = clientOf(() => new Response('hello'));
    expect((await rejection(client.me())).message).toContain('not JSON');
  });
});

describe('attachmentName', () => {
  it.each([
    ['attachment; filename="a b.ipynb"', 'a b.ipynb'],
    ['attachment; filename=a.ipynb; size=3', 'a.ipynb'],
    ['attachment; filename="../../etc/passwd"', null],
    ['attachment; filename="..\\\\x.ipynb"', null],
    ["attachment; filename*=utf-8''a%20b.jwt", 'a b.jwt'],
    ["attachment; filename*=utf-8''..%2Fx.jwt", null],
    ["attachment; filename=a.jwt; filename*=utf-8''%zz.jwt", 'a.jwt'],
    ['attachment', null],
    [null, null]
  ])('reads %s as %s', (header, name) => {
    expect(attachmentName(header)).toBe(name);
  });
});

describe('the leaderboard', () => {
  it('is read page by page, with the own pseudonym', async () => {
    const pages = [
      { items: [{ rank: 1 }], total: 2, pseudonym: 'quick fox' },
      { items: [{ rank: 2 }], total: 2, pseudonym: 'quick fox' }
    ];
    const { client, requests } = clientOf(() => json(pages[requests.length - 1]));
    const board = await client.leaderboard('rl');
    expect(board).toEqual({ items: [{ rank: 1 }, { rank: 2 }], pseudonym: 'quick fox' });
    const offsets = requests.map(request => new URL(request.url).searchParams.get('offset'));
    expect(offsets).toEqual(['0', '1']);
  });

  it('is joined and left at the address of oneself', async () => {
    const { client, requests } = clientOf(() => json({ pseudonym: null }));
    await client.joinLeaderboard('r/l', 'quick fox');
    await client.leaveLeaderboard('r/l');
    expect(requests.map(request => request.method)).toEqual(['PUT', 'DELETE']);
    const paths = new Set(requests.map(request => new URL(request.url).pathname));
    expect(paths).toEqual(new Set(['/base/jupyter-ppo/api/v1/courses/r%2Fl/leaderboard/me']));
    expect(await (requests[0] as Request).json()).toEqual({ pseudonym: 'quick fox' });
  });
});
