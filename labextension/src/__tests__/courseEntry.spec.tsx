import * as React from 'react';

import { runEvidence } from '../course/runEvidence';
import { RequestError } from '../connection';
import type { INewEntry } from '../course/types';
import { definition } from './memory';
import { CoursePage } from './coursePage';

const SPEC = JSON.stringify({ format_version: 1, spec: { env_id: 'CartPole-v1', seed: 0 } });
const STATE = JSON.stringify({ state: 'finished', step: 2048, seconds: 1.5, message: '' });
const METRICS =
  '{"step": 1, "seconds": 0.1, "return": 12.0, "length": 12.0}\n' +
  '{"step": 2, "seconds": 0.2, "return": null, "entropy": 0.6, "later_metric": 3}\n' +
  '{"step": 3, "seconds": 0.3, "return": 20.5}\n' +
  '{"step": 4, "seco';

let page: CoursePage;

beforeEach(async () => {
  window.localStorage.clear();
  jest.useFakeTimers();
  page = new CoursePage();
  page.service.kind = 'entry';
  await page.show();
});

afterEach(() => {
  page.end();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

function sent(): INewEntry {
  expect(page.service.received).toHaveLength(1);
  return JSON.parse(page.service.received[0] ?? '') as INewEntry;
}

async function settle(): Promise<void> {
  page.service.change({ state: 'submitted', attempt_state: 'submitted' });
  await page.pass(1_000);
}

it('shows what is asked for and how it is judged', async () => {
  expect(page.node.querySelector('.jp-PPO-validate')).toBeNull();
  await page.open('.jp-PPO-ownEntry');
  expect(page.find('h4').textContent).toBe('Report on a run');
  const frame = page.find<HTMLIFrameElement>('iframe');
  expect(frame.srcdoc).toContain('<p>Describe it.</p>');
  expect(frame.getAttribute('sandbox')).toBe('');
  expect(page.texts('.jp-PPO-ownCriterion li')).toEqual([
    'missing0',
    'sound: every choice has a reason4'
  ]);
});

it('hands in what is typed and chosen, with a receipt, and only what is asked for', async () => {
  page.service.definition = { ...definition(), parts: ['text', 'files'] };
  await page.open('.jp-PPO-ownEntry');
  expect(page.node.querySelector('.jp-PPO-entryCode')).toBeNull();
  expect(page.find<HTMLButtonElement>('.jp-PPO-submit').disabled).toBe(true);
  await page.type('.jp-PPO-entryText', '# Mine');
  await page.type('.jp-PPO-entryTitle', 'A report');
  page.workspace.chosen = ['figures/returns.png'];
  await page.press('.jp-PPO-addFiles');
  const local = { name: 'notes.txt', arrayBuffer: async () => new Uint8Array([1, 255]).buffer };
  await React.act(() => page.model.entries.addLocalFiles('rl', 'rl-first', [local as File]));
  await page.press('.jp-PPO-submit');
  expect(sent()).toEqual({
    title: 'A report',
    text: '# Mine',
    files: [
      { name: 'returns.png', content_base64: btoa('bytes of figures/returns.png') },
      { name: 'notes.txt', content_base64: 'Af8=' }
    ]
  });
  expect(page.service.keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(page.find('.jp-PPO-receipt').textContent).toContain('Attempt 1 received');
  await settle();
  expect(page.find('.jp-PPO-state').textContent).toBe('Submitted');
  expect(page.find<HTMLTextAreaElement>('.jp-PPO-entryText').value).toBe('');
});

it("takes a run's hyperparameters and measurements from its folder", async () => {
  await page.open('.jp-PPO-ownEntry');
  page.workspace.folderChosen = 'runs/7';
  await page.press('.jp-PPO-chooseRun');
  expect(page.find('[role="alert"]').textContent).toBe(
    'runs/7 holds no training run: spec.json is missing in it.'
  );
  page.workspace.files.set('runs/7/spec.json', SPEC);
  page.workspace.files.set('runs/7/state.json', STATE);
  page.workspace.files.set('runs/7/metrics.jsonl', METRICS);
  await page.press('.jp-PPO-chooseRun');
  expect(page.node.querySelector('[role="alert"]')).toBeNull();
  expect(page.find('.jp-PPO-entryForm').textContent).toContain(
    'CartPole-v1, finished, 2048 steps, last return 20.5'
  );
  await page.press('.jp-PPO-submit');
  expect(sent()).toEqual({
    run: {
      spec: { env_id: 'CartPole-v1', seed: 0 },
      state: 'finished',
      step: 2048,
      seconds: 1.5,
      metrics: {
        return: { count: 3, first: 12, last: 20.5, min: 12, max: 20.5 },
        length: { count: 1, first: 12, last: 12, min: 12, max: 12 },
        entropy: { count: 1, first: 0.6, last: 0.6, min: 0.6, max: 0.6 },
        later_metric: { count: 1, first: 3, last: 3, min: 3, max: 3 }
      },
      training_returns: [12, null, 20.5],
      evaluations: [],
      evaluation_returns: []
    }
  });
  await settle();
});

it('counts once what a resumed run measured again', () => {
  const lines = [
    { step: 10, seconds: 0.1, return: 1 },
    { step: 20, seconds: 0.2, return: 99 },
    { rewind: 10 },
    { step: 20, seconds: 0.2, return: 2, 'loss/critic': 0.5 }
  ];
  const metrics = lines.map(line => `${JSON.stringify(line)}\n`).join('');
  const evaluated = {
    step: 20,
    seed: 7,
    deterministic: true,
    returns: [500, 400],
    lengths: [1, 1]
  };
  const evaluations = [{ ...evaluated, returns: [9] }, { rewind: 10 }, evaluated]
    .map(line => `${JSON.stringify(line)}\n`)
    .join('');
  const found = runEvidence({
    'spec.json': SPEC,
    'state.json': STATE,
    'metrics.jsonl': metrics,
    'evaluations.jsonl': evaluations
  });
  expect(found.evaluation_returns).toEqual([500, 400]);
  expect(found.evaluations).toEqual([
    { step: 20, seed: 7, deterministic: true, episodes: 2, mean: 450, min: 400, max: 500 }
  ]);
  expect(found.training_returns).toEqual([1, 2]);
  expect(Object.keys(found.metrics ?? {}).sort()).toEqual(['loss/critic', 'return']);
});

it('keeps the words over a reload of the page, and when the service refuses them', async () => {
  await page.open('.jp-PPO-ownEntry');
  await page.type('.jp-PPO-entryText', 'a day of work');
  page.service.refusal = new RequestError('It closed.', 'forbidden', 403);
  await page.press('.jp-PPO-submit');
  expect(page.find('[role="alert"]').textContent).toBe('It closed.');
  page.end();
  page = new CoursePage();
  page.service.kind = 'entry';
  await page.show();
  await page.open('.jp-PPO-ownEntry');
  expect(page.find<HTMLTextAreaElement>('.jp-PPO-entryText').value).toBe('a day of work');
});

it('shows the released outcome: levels, points, comments', async () => {
  await page.service.submit('rl', 'rl-first', '{}');
  page.service.move('graded', 4);
  await page.press('.jp-PPO-refresh');
  await page.open('.jp-PPO-ownOutcome');
  expect(page.find('[role="alert"]').textContent).toContain('not released yet');
  page.service.judgement = {
    definition: definition(),
    outcome: {
      submission_id: 'id-1',
      results: [{ criterion: 'method', level: 'sound', points: 3.5, comment: 'gamma?' }],
      summary: 'Careful.',
      summary_html: '<p>Careful.</p>',
      points: 3.5,
      max_points: 4,
      author_kind: 'program'
    }
  };
  await page.open('.jp-PPO-ownOutcome');
  const outcome = page.find('.jp-PPO-ownOutcome');
  expect(outcome.querySelector('.jp-PPO-number')?.textContent).toBe('3.5 / 4');
  expect(outcome.querySelector('[aria-current="true"]')?.textContent).toContain('sound');
  expect(outcome.querySelector('.jp-PPO-comment')?.textContent).toBe('gamma?');
  expect(outcome.querySelector('iframe')?.srcdoc).toContain('<p>Careful.</p>');
  expect(outcome.textContent).toContain('A program drafted these words');
});

it.each([
  ['{', STATE, METRICS, 'spec.json cannot be read'],
  ['{}', STATE, METRICS, 'no hyperparameters'],
  [SPEC, 'null', METRICS, 'state.json cannot be read'],
  [SPEC, STATE, 'nonsense\n', 'metrics.jsonl cannot be read']
])('refuses a folder that holds no run: %s %s %s', (spec, state, metrics, message) => {
  const texts = {
    'spec.json': spec,
    'state.json': state,
    'metrics.jsonl': metrics,
    'evaluations.jsonl': ''
  };
  expect(() => runEvidence(texts)).toThrow(message);
});
