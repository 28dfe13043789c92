import * as React from 'react';

import { RequestError } from '../connection';
import { candidate, terms } from './memory';
import { CoursePage } from './coursePage';

const NOW = new Date('2026-03-01T12:00:00+00:00');
const IN_3_DAYS = '2026-03-04T13:00:00+00:00';
const YESTERDAY = '2026-02-27T11:00:00+00:00';

let page: CoursePage;

beforeEach(() => {
  jest.useFakeTimers({ now: NOW });
  page = new CoursePage();
});

afterEach(() => {
  page.end();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

it('says when it is due, what lateness costs and how many attempts are left', async () => {
  page.service.given = terms(
    {
      due_at: IN_3_DAYS,
      grace_seconds: 600,
      max_attempts: 3,
      counting: 'best',
      grades: 'by_hand',
      late: { rule: 'per_day', percent_per_day: 10, at_least_percent: 50, steps: [] }
    },
    { attempts_used: 1, attempts_left: 2 }
  );
  await page.show();
  expect(page.find('.jp-PPO-due').textContent).toMatch(/^Due .*2026.* \(in 3 days\)$/);
  expect(page.texts('.jp-PPO-terms li')).toEqual([
    'If late: 10 % off for each day begun, down to 50 %; the first 10 minutes are not counted as late.',
    '1 of 3 attempts used, 2 left; the best one counts.',
    'Points and feedback are shown once your instructor releases them.'
  ]);
  jest.setSystemTime(new Date('2026-03-04T11:59:50+00:00'));
  await page.pass(30_000);
  expect(page.find('.jp-PPO-due').textContent).toMatch(/\(in 59 minutes\)$/);
});

it("shows one's own extension in the place of everyone's due date", async () => {
  page.service.given = terms({ due_at: YESTERDAY }, { due_at: IN_3_DAYS });
  await page.show();
  expect(page.find('.jp-PPO-due').textContent).toMatch(/^Due .*\(in 3 days\)$/);
  expect(page.texts('.jp-PPO-terms li')[0]).toMatch(
    /^You have an extension: for the others it is due .*27.*\.$/
  );
});

it('lets a student hand in nothing after it closed, but the staff', async () => {
  page.service.given = terms({ closes_at: YESTERDAY }, { is_open: false });
  await page.show();
  expect(page.texts('.jp-PPO-terms li')[0]).toMatch(/^Closed since .*nothing is taken any more\.$/);
  expect(page.find<HTMLButtonElement>('.jp-PPO-submit').disabled).toBe(true);
  expect(page.find<HTMLButtonElement>('.jp-PPO-submitFile').disabled).toBe(true);
  expect(page.find<HTMLButtonElement>('.jp-PPO-validate').disabled).toBe(false);
  page.service.person.courses = [{ name: 'rl', title: 'RL', role: 'instructor' }];
  await page.press('.jp-PPO-refresh');
  expect(page.find<HTMLButtonElement>('.jp-PPO-submit').disabled).toBe(false);
});

it('is of use without the terms', async () => {
  page.service.terms = () => Promise.reject(new RequestError('No answer.', 'network', 0));
  page.service.given = terms({ due_at: IN_3_DAYS });
  await page.show();
  expect(page.find('.jp-PPO-due').textContent).toContain('in 3 days');
  expect(page.find<HTMLButtonElement>('.jp-PPO-submit').disabled).toBe(false);
  expect(page.node.querySelector('[role="alert"]')).toBeNull();
});

it('tells the place in the queue, and that points are hidden until they are released', async () => {
  page.workspace.open = [candidate('mine.ipynb')];
  await page.show();
  await page.press('.jp-PPO-submit');
  page.service.change({ queue_position: 4 });
  await page.pass(1_000);
  expect(page.find('.jp-PPO-state').textContent).toBe('Queued, place 4');
  page.service.change({ state: 'graded', attempt_state: 'graded', queue_position: null });
  await page.pass(5_000);
  expect(page.find('.jp-PPO-state').textContent).toBe('Graded, not released yet');
  expect(page.find('.jp-PPO-latest').textContent).toContain('hidden until your instructor');
  expect(page.find<HTMLButtonElement>('.jp-PPO-feedback').disabled).toBe(true);
  expect(page.node.querySelector('.jp-PPO-score')).toBeNull();
  page.service.move('graded', 8.5);
  page.service.change({ late_seconds: 7_205, penalty: 1.5 });
  await page.press('.jp-PPO-refresh');
  expect(page.find('.jp-PPO-latest').textContent).toBe(
    'Graded and released 8.5 / 102 hours late, 1.5 points off'
  );
  expect(page.find<HTMLButtonElement>('.jp-PPO-feedback').disabled).toBe(false);
});

it('says which attempt counts', async () => {
  await page.service.submit('rl', 'rl-first', 'one');
  page.service.move('graded', 9);
  await page.service.submit('rl', 'rl-first', 'two');
  page.service.move('graded', 3);
  page.service.attempts = page.service.attempts.map(item => ({
    ...item,
    counts: item.attempt === 1
  }));
  await page.show();
  expect(page.find('.jp-PPO-counting').textContent).toBe('Attempt 1 is the one that counts.');
  expect(page.texts('.jp-PPO-attempts li').map(text => text?.includes('counts'))).toEqual([
    false,
    true
  ]);
});

it('copies the whole receipt', async () => {
  await page.service.submit('rl', 'rl-first', 'one');
  page.service.move('graded', 9);
  await page.show();
  await page.press('.jp-PPO-copy');
  expect(page.workspace.copied).toEqual([
    'course rl, assignment rl-first\nattempt 1 of ada\nid id-1\n' +
      'received 2026-01-02T03:04:05+00:00\nsha256 a1b2c3'
  ]);
  expect(page.find('.jp-PPO-proof').textContent).toContain('Copied');
});

describe('a lost answer', () => {
  it('makes one attempt of it', async () => {
    page.workspace.open = [candidate('mine.ipynb')];
    await page.show();
    page.service.lost = 1;
    await page.press('.jp-PPO-submit');
    expect(page.service.received).toEqual(['text of mine.ipynb']);
    const [key, again] = page.service.keys;
    expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(again).toBe(key);
    expect(page.find('.jp-PPO-receipt').textContent).toContain('Attempt 1 received');
    page.service.move('graded', 1);
    await page.pass(1_000);
  });

  it('makes one attempt of it also when the person presses again, until the bytes differ', async () => {
    page.workspace.open = [candidate('mine.ipynb')];
    await page.show();
    page.service.lost = 2;
    await page.press('.jp-PPO-submit');
    expect(page.find('[role="alert"]').textContent).toContain('is not taken twice');
    await page.press('.jp-PPO-submit');
    expect(page.service.received).toHaveLength(1);
    expect(new Set(page.service.keys).size).toBe(1);
    // What was answered is over: the same bytes again are another attempt.
    await page.press('.jp-PPO-submit');
    expect(page.service.received).toHaveLength(2);
    page.service.move('graded', 1);
    page.service.attempts = page.service.attempts.map(item => ({ ...item, state: 'graded' }));
    await page.pass(1_000);
  });

  it('is not what a refusal is', async () => {
    page.workspace.open = [candidate('mine.ipynb')];
    await page.show();
    page.service.refusal = new RequestError('It closed.', 'forbidden', 403);
    await page.press('.jp-PPO-submit');
    expect(page.find('[role="alert"]').textContent).toBe('It closed.');
    expect(page.service.keys).toEqual([]);
  });
});

it('takes a double click for one', async () => {
  page.workspace.open = [candidate('mine.ipynb')];
  await page.show();
  await React.act(async () => {
    page.find<HTMLButtonElement>('.jp-PPO-submit').click();
    page.find<HTMLButtonElement>('.jp-PPO-submit').click();
  });
  expect(page.service.received).toHaveLength(1);
  page.service.move('graded', 1);
  await page.pass(1_000);
});

it('hands in a model that is chosen', async () => {
  await page.show();
  await page.press('.jp-PPO-submitFile');
  expect(page.service.received).toEqual([]);
  page.workspace.chosen = ['runs/model.zip'];
  await page.press('.jp-PPO-submitFile');
  expect(page.service.received).toEqual([`archive ${btoa('bytes of runs/model.zip')}`]);
  expect(page.find('.jp-PPO-receipt').textContent).toContain(': runs/model.zip');
  page.service.move('graded', 1);
  await page.pass(1_000);
});

describe('Validate', () => {
  const result = {
    passed: 1,
    total: 2,
    exercises: [
      { grade_id: 'gae', points: 0, max_points: 2, passed: true, reason: '', checks: [] },
      {
        grade_id: 'loss',
        points: 0,
        max_points: 2,
        passed: false,
        reason: 'AssertionError: clip the ratio',
        checks: [{ name: 'clip', points: 0, max_points: 1, message: 'not clipped' }]
      }
    ],
    warnings: ['essay: the cell is missing.'],
    note: 'Hidden tests are not run here.'
  };

  beforeEach(async () => {
    page.workspace.open = [candidate('mine.ipynb')];
    await page.show();
    await page.press('.jp-PPO-validate');
  });

  it('runs in the background and lists what each exercise said', async () => {
    expect(page.find('.jp-PPO-validation').textContent).toContain('mine.ipynb waits to be tried');
    expect(page.find<HTMLButtonElement>('.jp-PPO-submit').disabled).toBe(false);
    expect(page.find<HTMLButtonElement>('.jp-PPO-validate').disabled).toBe(true);
    page.service.tried = [{ id: 'trial-1', state: 'running', error: null, result: null }];
    await page.pass(1_000);
    expect(page.find('.jp-PPO-validation').textContent).toContain('is run and tested');
    page.service.tried = [{ id: 'trial-1', state: 'done', error: null, result }];
    await page.pass(30_000);
    expect(page.find('.jp-PPO-validation [role="status"]').textContent).toContain(
      'mine.ipynb: 1 of 2 exercises pass.'
    );
    expect(page.texts('.jp-PPO-tried > li')).toEqual([
      '✓ gaepasses',
      '✗ lossfailsAssertionError: clip the ratio✗ clip: not clipped0 / 1'
    ]);
    expect(page.find('.jp-PPO-validationNote').textContent).toBe(
      'Nothing was handed in. Hidden tests are not run here.'
    );
    expect(page.find('.jp-PPO-warnings').textContent).toBe('essay: the cell is missing.');
    expect(page.service.attempts).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('can be left alone: nothing is asked any more', async () => {
    await page.press('.jp-PPO-validationHead button');
    expect(page.node.querySelector('.jp-PPO-validation')).toBeNull();
    const asked = jest.spyOn(page.service, 'trial');
    await page.pass(60_000);
    expect(asked).not.toHaveBeenCalled();
  });

  it('says why it could not be run, and may be asked again', async () => {
    page.service.tried = [
      { id: 'trial-1', state: 'failed', error: 'The engine is down.', result: null }
    ];
    await page.pass(1_000);
    expect(page.find('[role="alert"]').textContent).toBe('The engine is down.');
    expect(page.find<HTMLButtonElement>('.jp-PPO-validate').disabled).toBe(false);
    page.service.refusal = new RequestError('Wait a minute.', 'too_many_requests', 429);
    await page.press('.jp-PPO-validate');
    expect(page.find('.jp-PPO-assignment > .jp-PPO-notice').textContent).toBe('Wait a minute.');
  });
});

it("shows a person's points, extra credit and comment in the place of the tests'", async () => {
  await page.service.submit('rl', 'rl-first', 'one');
  page.service.move('graded', 9);
  const { grade } = page.service;
  page.service.grade = async id => {
    const all = await grade.call(page.service, id);
    const [gae, loss] = all.exercises;
    if (gae === undefined || loss === undefined) {
      return all;
    }
    const mark = { points: 2, extra_credit: 0.5, comment: 'Well argued.' };
    const marked = { score: 2.5, extra_credit: 0.5, comment: 'Well argued.', checks: [], mark };
    return {
      ...all,
      exercises: [
        { ...gae, ...marked },
        { ...loss, sealed: true, waits: true }
      ]
    };
  };
  await page.show();
  await page.open('.jp-PPO-exercises');
  expect(page.texts('.jp-PPO-exercise')).toEqual([
    'gaemarked by hand2.5 / 2, 0.5 of it extra creditWell argued.',
    'lossnot marked yet'
  ]);
});
