import { ServerConnection } from '@jupyterlab/services';

import { parseJson, RequestError } from '../connection';
import { SandboxClient } from '../sandbox/client';

/** A client that gets `answer` to everything, and the requests it made. */
function clientOf(answer: () => Response): { client: SandboxClient; requests: Request[] } {
  const requests: Request[] = [];
  const fetch = async (input: RequestInfo | URL): Promise<Response> => {
    requests.push((input as Request).clone());
    return answer();
  };
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/base/',
    fetch,
    Headers,
    Request
  });
  return { client: new SandboxClient(settings), requests };
}

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

async function rejection(promise: Promise<unknown>): Promise<RequestError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason
  );
  expect(error).toBeInstanceOf(RequestError);
  return error as RequestError;
}

describe('SandboxClient', () => {
  it.each([
    ['run', 'execute'],
    ['runTests', 'execute/tests']
  ] as const)('sends a program once whatever comes of it: %s', async (name, path) => {
    const { client, requests } = clientOf(() => json({ success: false }));
    expect(await client[name]('{"code": "x"}')).toEqual({ success: false });
    const [request] = requests as [Request];
    const url = new URL(request.url);
    expect(request.method).toBe('POST');
    expect(request.headers.get('Content-Type')).toBe('application/json');
    expect(url.pathname).toBe(`/base/jupyter-ppo/api/v1/${path}`);
    expect(url.searchParams.get('always_ok')).toBe('true');
    expect(await request.text()).toBe('{"code": "x"}');
  });

  it('stops with an empty request', async () => {
    const { client, requests } = clientOf(() => json({ stopped: 2 }));
    expect(await client.stop()).toBe(2);
    const [request] = requests as [Request];
    expect(request.method).toBe('POST');
    expect(new URL(request.url).pathname).toBe('/base/jupyter-ppo/api/v1/execute/stop');
  });

  it('asks for a page of the history and for one record', async () => {
    const { client, requests } = clientOf(() => json({}));
    await client.history(40);
    await client.record('a/b');
    const [page, record] = requests.map(request => new URL(request.url));
    expect(page?.searchParams.get('offset')).toBe('40');
    expect(record?.pathname).toBe('/base/jupyter-ppo/api/v1/execute/history/a%2Fb');
  });

  it('asks the sandbox for its state, and the person’s page for the reason', async () => {
    const { client, requests } = clientOf(() => json({ sandbox: { problem: 'none' } }));
    await client.health();
    await client.limits();
    expect(await client.sandbox()).toEqual({ problem: 'none' });
    const paths = requests.map(request => new URL(request.url).pathname.split('/v1/')[1]);
    expect(paths).toEqual(['execute/health', 'execute/limits', 'me']);
  });

  it.each([
    [{ 'Retry-After': '12' }, 12],
    [{ 'Retry-After': 'Wed, 21 Oct 2026 07:28:00 GMT' }, null],
    [{}, null]
  ])('passes on how long to wait: %p', async (headers, wait) => {
    const body = { code: 'too_many_requests', message: 'Slower.', field: null };
    const { client } = clientOf(() => json(body, 429, headers as Record<string, string>));
    const error = await rejection(client.run('{}'));
    expect(error).toMatchObject({ message: 'Slower.', status: 429, retryAfter: wait });
  });
});

it('JSON that is no number is read as ever', () => {
  expect(parseJson('{"a": [1, 2.5, "3", null, true, 1e400]}')).toEqual({
    a: [1, 2.5, '3', null, true, Infinity]
  });
});
