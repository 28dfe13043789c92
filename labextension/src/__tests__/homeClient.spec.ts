import { ServerConnection } from '@jupyterlab/services';

import { HomeClient } from '../home/client';

/** A client that always gets this answer, and the addresses that it asked. */
function clientOf(answer: () => Response) {
  const asked: string[] = [];
  const fetch = async (input: RequestInfo | URL): Promise<Response> => {
    const { pathname, search } = new URL((input as Request).url);
    // Without the number that keeps the browser from answering out of its cache.
    const query = search.replace(/[?&]\d+$/, '');
    asked.push(pathname.replace('/base/jupyter-ppo/api/v1', '') + query);
    return answer();
  };
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/base/',
    fetch,
    Headers,
    Request
  });
  return { client: new HomeClient(settings), asked };
}

describe('HomeClient', () => {
  it('asks for progress, achievements, newest runs and what is kept', async () => {
    const { client, asked } = clientOf(() => new Response('{"items": [{"id": "r"}]}'));
    await client.progress('rl 1');
    await client.achievements('rl 1');
    expect((await client.latestRuns('ada', 5)).map(({ id }) => id)).toEqual(['r']);
    await client.privacy();
    expect(asked).toEqual([
      '/courses/rl%201/progress',
      '/courses/rl%201/achievements',
      '/runs?user=ada&offset=0&limit=5',
      '/privacy'
    ]);
  });

  it('names files as the server does, and by itself where it says nothing', async () => {
    const header = { 'Content-Disposition': 'attachment; filename="gae-exact.jwt"' };
    const { client, asked } = clientOf(() => new Response('a.b.c', { headers: header }));
    expect((await client.credential('a1')).name).toBe('gae-exact.jwt');
    const bare = clientOf(() => new Response('PK'));
    expect((await bare.client.myData()).name).toBe('my-data.zip');
    expect([...asked, ...bare.asked]).toEqual(['/achievements/a1/credential', '/me/data']);
  });

  it('says what the service says when it refuses', async () => {
    const body = JSON.stringify({ code: 'not_found', message: 'course: there is no rl.' });
    const { client } = clientOf(() => new Response(body, { status: 404 }));
    await expect(client.progress('rl')).rejects.toThrow('course: there is no rl.');
  });
});
