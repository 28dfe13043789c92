import { ServerConnection } from '@jupyterlab/services';

import { RunsClient } from '../runs/client';

/** A client that gets these answers in turn, the last for ever, and what it asked. */
function clientOf(...answers: (() => Response)[]) {
  const requests: Request[] = [];
  const sockets: string[] = [];
  const fetch = async (input: RequestInfo | URL): Promise<Response> => {
    requests.push((input as Request).clone());
    return (answers[requests.length - 1] ?? answers[answers.length - 1])?.() ?? json({});
  };
  function Socket(url: string): void {
    sockets.push(url);
  }
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/base/',
    wsUrl: 'ws://localhost:8888/base/',
    token: 'a b',
    appendToken: true,
    fetch,
    Headers,
    Request,
    WebSocket: Socket as unknown as typeof WebSocket
  });
  return { client: new RunsClient(settings), requests, sockets };
}

function json(body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status: 200, headers });
}

function pathOf(request: Request | undefined): string {
  const url = new URL(request?.url ?? '');
  const asked = url.search.replace(/[?&]\d{10,}$/, ''); // what keeps it out of caches
  return url.pathname.replace('/base/jupyter-ppo/api/v1', '') + asked;
}

describe('RunsClient', () => {
  it('lists every page of one’s own runs, whoever else’s an admin might see', async () => {
    const me = (): Response => json({ user: 'sam' });
    const page = (id: string) => (): Response => json({ items: [{ id }], total: 2 });
    const { client, requests } = clientOf(me, page('a'), page('b'));
    expect((await client.runs()).map(run => run.id)).toEqual(['a', 'b']);
    expect(requests.map(pathOf)).toEqual([
      '/me',
      '/runs?user=sam&offset=0&limit=200',
      '/runs?user=sam&offset=1&limit=200'
    ]);
  });

  it('asks for the same runs with the same key', async () => {
    const { client, requests } = clientOf(() => json({ items: [], warnings: [] }));
    await client.create({ name: '', tags: [], spec: { env_id: 'X-v0' }, seeds: [1] }, 'key-1');
    const [request] = requests as [Request];
    expect([request.method, pathOf(request)]).toEqual(['POST', '/runs']);
    expect(request.headers.get('Idempotency-Key')).toBe('key-1');
    expect(await request.json()).toEqual({
      name: '',
      tags: [],
      spec: { env_id: 'X-v0' },
      seeds: [1]
    });
  });

  it('asks for what is read of a run from a cursor on', async () => {
    const { client, requests } = clientOf(() => json({ items: [], series: {}, cursor: 0 }));
    await client.metrics('r', 12, 5);
    await client.series('r', 800);
    await client.events('r', 3);
    await client.aggregate(['a', 'b'], ['return', 'entropy'], 'iqm_bootstrap');
    expect(requests.map(pathOf)).toEqual([
      '/runs/r/metrics?since=12&limit=5',
      '/runs/r/series?points=800',
      '/runs/r/events?since=3&limit=1000',
      '/runs/aggregate?ids=a%2Cb&metric=return%2Centropy&statistic=iqm_bootstrap'
    ]);
  });

  it('commands, renames and deletes', async () => {
    const { client, requests } = clientOf(() => json({}));
    await client.command('r', 'extend', { total_steps: 2000 });
    await client.rename('r', 'wide', ['a']);
    await client.remove('r');
    expect(requests.map(each => `${each.method} ${pathOf(each)}`)).toEqual([
      'POST /runs/r/commands',
      'PATCH /runs/r',
      'DELETE /runs/r'
    ]);
    expect(await requests[0]?.json()).toEqual({
      command: 'extend',
      values: { total_steps: 2000 }
    });
    expect(await requests[1]?.json()).toEqual({ name: 'wide', tags: ['a'] });
  });

  it('names a model as the server does', async () => {
    const header = { 'Content-Disposition': 'attachment; filename="r.zip"' };
    const { client } = clientOf(() => json('PK', header));
    expect((await client.model('r')).name).toBe('r.zip');
  });

  it('opens a stream from its cursors, signed in as the page is', () => {
    const { client, sockets } = clientOf(() => json({}));
    client.stream('r/1', 40, 7);
    expect(sockets).toEqual([
      'ws://localhost:8888/base/jupyter-ppo/api/v1/runs/r%2F1/stream?since=40&events_since=7&token=a%20b'
    ]);
  });
});
