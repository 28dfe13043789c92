import { ServerConnection } from '@jupyterlab/services';

import { RequestError } from '../connection';
import { InstructorClient } from '../instructor/client';
import { TERMS } from './instructorMemory';

interface ICall {
  url: URL;
  method: string;
  body: string;
}

const calls: ICall[] = [];
const answers: Response[] = [];

/** Keeps what is asked and gives the next answer. */
async function keep(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  calls.push({
    url: new URL(request.url),
    method: request.method,
    body: await request.text()
  });
  return answers.shift() ?? new Response('{}');
}

const client = new InstructorClient(
  ServerConnection.makeSettings({ baseUrl: 'http://lab.test/', fetch: keep, Request })
);

beforeEach(() => {
  calls.length = 0;
  answers.length = 0;
});

function only(): ICall {
  expect(calls).toHaveLength(1);
  return calls[0] as ICall;
}

it('asks for people with the filters that are set', async () => {
  const filter = { search: 'a&b', role: '', group: '', removed: false, offset: 50 } as const;
  await client.members('rl/1', filter);
  expect(only().url.pathname).toBe('/jupyter-ppo/api/v1/courses/rl%2F1/members');
  const { searchParams } = only().url;
  expect(Object.fromEntries(searchParams)).toMatchObject({ search: 'a&b', offset: '50' });
  expect(searchParams.has('role')).toBe(false);
  expect(searchParams.has('removed')).toBe(false);
});

it('sends a list of people as it is, and says whether it is only a trial', async () => {
  await client.importMembers('rl', 'user\nada', true);
  expect(only().url.searchParams.get('dry_run')).toBe('true');
  expect(only().body).toBe('user\nada');
});

it('sends the whole terms with their revision', async () => {
  await client.saveTerms('rl', 'gae', TERMS);
  expect(only().method).toBe('PUT');
  expect(JSON.parse(only().body)).toEqual(TERMS);
});

it('gathers every page of a list', async () => {
  const page = (items: string[]): Response =>
    new Response(JSON.stringify({ items, total: 3, offset: 0, limit: 2 }));
  answers.push(page(['a', 'b']), page(['c']));
  expect(await client.extensions('rl', 'gae')).toEqual(['a', 'b', 'c']);
  expect(calls.map(call => call.url.searchParams.get('offset'))).toEqual(['0', '2']);
});

it('releases and withdraws all grades', async () => {
  answers.push(new Response('{"changed": 4}'), new Response('{"changed": 1}'));
  expect(await client.releaseGrades('rl', 'gae')).toBe(4);
  expect(await client.withdrawGrades('rl', 'gae')).toBe(1);
  expect(calls.map(call => call.method)).toEqual(['PUT', 'DELETE']);
});

it('hands on both values of a conflict', async () => {
  const conflict = { yours: { revision: 1 }, theirs: { revision: 2 } };
  const said = { code: 'conflict', message: 'Somebody else saved.', field: null, conflict };
  answers.push(new Response(JSON.stringify(said), { status: 409 }));
  const error = await client.saveTerms('rl', 'gae', TERMS).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RequestError);
  expect((error as RequestError).conflict).toEqual(conflict);
});

it('downloads a version under the name that the service gives it', async () => {
  const headers = { 'Content-Disposition': 'attachment; filename="gae.ipynb"' };
  answers.push(new Response('{"cells": []}', { headers }));
  const file = await client.versionNotebook('rl', 'gae', 2, 'source');
  expect(file).toEqual({ name: 'gae.ipynb', text: '{"cells": []}' });
  expect(only().url.pathname).toMatch(/versions\/2\/notebook$/);
});
