import { ServerConnection } from '@jupyterlab/services';

import { RequestError } from '../connection';
import { PreferencesClient } from '../preferences/client';
import { PreferencesModel } from '../preferences/model';
import { preferencesOf } from '../preferences/shared';
import { DEFAULTS } from '../preferences/types';

/** Settings of a server that gives these answers in turn, and what it was asked. */
function serverOf(...answers: Response[]) {
  const requests: Request[] = [];
  const fetch = async (input: RequestInfo | URL): Promise<Response> => {
    requests.push((input as Request).clone());
    return answers.shift() as Response;
  };
  const baseUrl = 'http://localhost:8888/base/';
  const settings = ServerConnection.makeSettings({ baseUrl, fetch, Headers, Request });
  return { settings, requests };
}

function answer(revision: number, status = 200): Response {
  const stored = { revision, updated_at: null, preferences: { ...DEFAULTS, theme: 'dark' } };
  const body =
    status === 200
      ? stored
      : { code: 'edit_conflict', message: 'saved', conflict: { yours: {}, theirs: stored } };
  return new Response(JSON.stringify(body), { status });
}

it('changes what it names, from the revision that was seen', async () => {
  const { settings, requests } = serverOf(answer(3), answer(4), answer(5));
  const client = new PreferencesClient(settings);
  expect((await client.load()).revision).toBe(3);
  await client.patch({ chart: { axis: 'log' } }, 3);
  await client.patch({ tour: 'done' }, null);
  expect(requests.map(({ method }) => method)).toEqual(['GET', 'PATCH', 'PATCH']);
  const [load, first, second] = requests;
  expect(load?.url).toContain('/base/jupyter-ppo/api/v1/me/preferences');
  expect(await first?.json()).toEqual({ chart: { axis: 'log' } });
  expect(requests.map(({ headers }) => headers.get('If-Match'))).toEqual([null, '"3"', null]);
  expect(second?.headers.get('Content-Type')).toBe('application/json');
});

it('is told what another device saved, and goes on from there', async () => {
  const { settings, requests } = serverOf(answer(3), answer(8, 409), answer(9), answer(9, 409));
  const model = new PreferencesModel(new PreferencesClient(settings));
  await model.ready();
  await model.change({ mode: 'expert' });
  expect(requests.map(({ headers }) => headers.get('If-Match'))).toEqual([null, '"3"', '"8"']);
  expect(model.snapshot().conflict).toBeNull();
  const refused = new PreferencesClient(settings).patch({}, 1);
  await expect(refused).rejects.toBeInstanceOf(RequestError);
});

it('is one model for the whole page', async () => {
  const { settings, requests } = serverOf(answer(3));
  const model = preferencesOf(settings);
  expect(preferencesOf(settings)).toBe(model);
  expect(preferencesOf(serverOf().settings)).not.toBe(model);
  expect([model.mode, model.preferences.theme]).toEqual(['guided', 'follow']);
  expect(await Promise.all([model.ready(), model.ready()])).toEqual([true, true]);
  expect([requests.length, model.preferences.theme]).toEqual([1, 'dark']);
});
