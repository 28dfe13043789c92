import { batch, item } from './instructorMemory';
import {
  aroundEach,
  has,
  hide,
  node,
  opened,
  pass,
  press,
  service,
  show,
  textOf
} from './instructorPage';

aroundEach('queue');

const WANTED = { scope: 'all', newest_version: true, reason: 'a test was wrong' } as const;

it('says that nothing was graded together yet', async () => {
  await show();
  expect(textOf('.jp-PPO-queueNow')).toBe('0 submissions wait, 0 are being graded.');
  expect(textOf('.jp-PPO-empty')).toContain('Nothing was graded together yet');
});

it('follows a batch until it is over and then stops asking', async () => {
  service.runs = [batch('gae', WANTED, { waiting: 1, grading: 1 })];
  await show();
  expect(textOf('.jp-PPO-batchProgress')).toContain('0 of 2: 1 waiting, 1 grading');
  service.runs = [batch('gae', WANTED, { grading: 1, done: 1 })];
  await pass(1_000);
  expect(textOf('.jp-PPO-batchProgress')).toContain('1 of 2: 1 grading, 1 done');
  service.runs = [{ ...batch('gae', WANTED, { done: 1, failed: 1 }), is_over: true }];
  await pass(60_000);
  expect(textOf('.jp-PPO-batchProgress')).toContain('2 of 2: 1 done, 1 failed');
  expect(has('.jp-PPO-cancel')).toBe(false);
  expect(jest.getTimerCount()).toBe(0);
});

it('rests while nobody can see it', async () => {
  service.runs = [batch('gae', WANTED, { waiting: 2 })];
  await show();
  expect(jest.getTimerCount()).toBe(1);
  await hide();
  expect(jest.getTimerCount()).toBe(0);
  await show();
  expect(jest.getTimerCount()).toBe(1);
});

it('shows before and after, all or only what changed', async () => {
  service.runs = [{ ...batch('gae', WANTED, { done: 2 }), is_over: true }];
  service.items = [item('ada', 4, 6.5), item('bob', 3, 3), item('cleo', null, 9)];
  await show();
  await press('.jp-PPO-report');
  const ada = [...node.querySelectorAll('[data-user="ada"] td')].map(cell => cell.textContent);
  expect(ada.slice(0, 6)).toEqual([
    '1',
    'Done',
    '4 / 10 (version 2)',
    '6.5 / 10 (version 2)',
    '+2.5',
    'gae 4 → 6.5'
  ]);
  expect(has('[data-user="bob"]')).toBe(true);
  await press('.jp-PPO-reportBody [type="checkbox"]');
  expect(has('[data-user="bob"]')).toBe(false);
  expect(has('[data-user="cleo"]')).toBe(true);
  await press('[aria-label="Feedback of ada"]');
  expect(opened).toEqual(['of-ada']);
});

it('cancels a batch', async () => {
  service.runs = [batch('gae', WANTED, { waiting: 2 })];
  await show();
  await press('.jp-PPO-cancel');
  expect(service.changes).toEqual(['cancel batch-1']);
  expect(textOf('.jp-PPO-batch')).toContain('cancelled');
  expect(textOf('.jp-PPO-acted')).toContain('is as it was before');
});
