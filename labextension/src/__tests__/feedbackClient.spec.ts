import { ServerConnection } from '@jupyterlab/services';

import { FeedbackClient } from '../feedback/client';

/** A client of a server that gives these answers in turn, and what it was asked. */
function clientOf(...answers: [number, unknown][]) {
  const requests: Request[] = [];
  const fetch = async (input: RequestInfo | URL): Promise<Response> => {
    requests.push((input as Request).clone());
    const [status, body] = answers.shift() ?? [500, {}];
    return new Response(JSON.stringify(body), { status });
  };
  const baseUrl = 'http://localhost:8888/base/';
  const settings = ServerConnection.makeSettings({ baseUrl, fetch, Headers, Request });
  return { client: new FeedbackClient(settings), requests };
}

it('reads the queue to its end', async () => {
  const pages: [number, unknown][] = [
    [200, { items: [{ id: '1' }], total: 2 }],
    [200, { items: [{ id: '2' }], total: 2 }]
  ];
  const { client, requests } = clientOf(...pages);
  const found = await client.drafts('rl', 'es say', 'why', 'open');
  expect(found.map(({ id }) => id)).toEqual(['1', '2']);
  expect(requests[0]?.url).toContain(
    '/courses/rl/assignments/es%20say/drafts?grade_id=why&state=open&offset=0&limit=200'
  );
  expect(requests[1]?.url).toContain('&offset=1&');
});

it('sends the revision with a decision and with settings', async () => {
  const { client, requests } = clientOf([200, {}], [200, {}]);
  await client.approve('d', 3);
  await client.saveSettings('rl', null, { samples: 5 }, 4);
  expect(await requests[0]?.json()).toEqual({ revision: 3 });
  expect(requests[1]?.method).toBe('PUT');
  expect(requests[1]?.headers.get('If-Match')).toBe('"4"');
  expect(await requests[1]?.json()).toEqual({ samples: 5 });
});

it('asks for the estimate of the very batch that it starts', async () => {
  const { client, requests } = clientOf([200, {}], [202, {}]);
  const scope = { grade_id: 'why', for_calibration: true };
  await client.estimate('rl', 'essay', scope);
  await client.start('rl', 'essay', scope);
  expect(await requests[0]?.json()).toEqual(scope);
  expect(await requests[1]?.json()).toEqual(scope);
});

it('takes “not found” for the end of the answers to mark, and nothing else', async () => {
  const none = { code: 'not_found', message: 'none left' };
  const { client, requests } = clientOf([404, none], [404, {}]);
  expect(await client.next('rl', 'report', '')).toBeNull();
  expect(requests[0]?.url).toContain('/assignments/report/calibrations/-/next');
  await expect(client.next('rl', 'report', 'why')).rejects.toThrow('not running');
});
