import { RequestError } from '../connection';
import { TERMS } from './instructorMemory';
import {
  aroundEach,
  find,
  has,
  model,
  node,
  press,
  service,
  show,
  submit,
  textOf,
  type
} from './instructorPage';

aroundEach('assignments');

async function open(): Promise<void> {
  await show();
  await press('[data-assignment="gae"] .jp-PPO-opens');
}

function value(name: string): string {
  return find<HTMLInputElement>(`[name="${name}"]`).value;
}

it('lists the assignments with what was handed in and graded', async () => {
  await show();
  const cells = [...node.querySelectorAll('[data-assignment="gae"] td')].map(
    cell => cell.textContent
  );
  expect(cells.slice(0, 3)).toEqual(['Notebook', '2', '10']);
  expect(cells.slice(-2)).toEqual(['4', '3']);
});

it('saves a due date in UTC and leaves an untouched one exact', async () => {
  await open();
  await type('[name="closes_at"]', '2026-03-01T12:30');
  await submit('.jp-PPO-form');
  expect(textOf('.jp-PPO-form .jp-PPO-acted')).toBe('Saved.');
  expect(service.stored.due_at).toBe(TERMS.due_at);
  expect(service.stored.closes_at).toBe(new Date('2026-03-01T12:30').toISOString());
  expect(service.stored.revision).toBe(4);
  // Once more: the form goes on from what was stored.
  await type('[name="max_attempts"]', '5');
  await submit('.jp-PPO-form');
  expect(service.stored).toMatchObject({ max_attempts: 5, revision: 5 });
});

it('saves nothing while a field cannot be used', async () => {
  await open();
  await type('[name="grace"]', '-1');
  await type('[name="closes_at"]', '2026-01-01T00:00');
  await submit('.jp-PPO-form');
  expect(service.changes).toEqual([]);
  expect(node.textContent).toContain('Use a number from 0 on.');
  expect(node.textContent).toContain('This is before it is due.');
  expect(find('[name="grace"]').getAttribute('aria-invalid')).toBe('true');
});

it('marks the field that the service refuses', async () => {
  await open();
  service.refusal = new RequestError('due_at: it is too far away.', 'bad', 400, 'due_at');
  await submit('.jp-PPO-form');
  expect(find('[name="due_at"]').getAttribute('aria-invalid')).toBe('true');
  expect(textOf('.jp-PPO-form .jp-PPO-acted')).toBe('due_at: it is too far away.');
});

it('shows both values when somebody else saved, and saves mine on request', async () => {
  await open();
  service.stored = { ...TERMS, max_attempts: 3, revision: 4 };
  await type('[name="max_attempts"]', '7');
  await submit('.jp-PPO-form');
  expect(textOf('.jp-PPO-conflict tbody')).toBe('Attempts73');
  expect(service.stored.max_attempts).toBe(3);
  await press('.jp-PPO-takeYours');
  expect(service.stored).toMatchObject({ max_attempts: 7, revision: 5 });
  expect(has('.jp-PPO-conflict')).toBe(false);
});

it('takes theirs on request', async () => {
  await open();
  service.stored = { ...TERMS, max_attempts: 3, revision: 4 };
  await type('[name="max_attempts"]', '7');
  await submit('.jp-PPO-form');
  await press('.jp-PPO-takeTheirs');
  expect(value('max_attempts')).toBe('3');
  expect(service.stored.max_attempts).toBe(3);
});

it('gives an extension, revokes it and gives it back', async () => {
  await open();
  await press('[data-tab="extensions"]');
  await submit('.jp-PPO-grant');
  expect(textOf('[role="alert"]')).toBe('Say for whom the extension is.');
  await type('[name="holder"]', 'ada');
  await submit('.jp-PPO-grant');
  expect(textOf('[role="alert"]')).toBe('Give days, hours or attempts.');
  await type('[name="days"]', '1.5');
  await type('[name="attempts"]', '2');
  await type('[name="reason"]', 'ill');
  await submit('.jp-PPO-grant');
  expect(service.given[0]).toMatchObject({ user: 'ada', seconds: 129_600, attempts: 2 });
  expect(textOf('.jp-PPO-extensions tbody')).toContain('1 day 12 hours, 2 attempts');
  expect(value('holder')).toBe('');
  await press('[aria-label="Revoke the extension of ada"]');
  expect(textOf('.jp-PPO-extensions tbody')).toContain('Revoked');
  await press('.jp-PPO-undo');
  expect(service.given).toHaveLength(2);
});

it('publishes an earlier version again', async () => {
  await open();
  await press('[data-tab="versions"]');
  expect(textOf('[data-version="2"] th')).toBe('2newest');
  expect(has('[aria-label="Publish version 2 again"]')).toBe(false);
  await press('[aria-label="Publish version 1 again"]');
  await type('[name="note"]', 'the fix was wrong');
  await submit('form[aria-label="Publish version 1 again"]');
  expect(service.changes).toEqual(['publish 1 "the fix was wrong"']);
  expect(textOf('[data-version="3"] th')).toBe('3newest');
});

it('grades everything on the newest version and goes to the queue', async () => {
  await open();
  await press('[data-tab="versions"]');
  await type('[name="reason"]', 'a test was wrong');
  await submit('.jp-PPO-batchForm');
  expect(service.changes).toEqual([
    'batch {"scope":"all","newest_version":true,"reason":"a test was wrong"}'
  ]);
  expect(model.place.tab).toBe('queue');
  expect(find('.jp-PPO-batch .jp-PPO-report').getAttribute('aria-expanded')).toBe('true');
});

it('releases and withdraws grades and says how many', async () => {
  await open();
  await press('[data-tab="grading"]');
  await press('.jp-PPO-releaseGrades');
  expect(node.textContent).toContain('Students see the grades of 2 submissions more.');
  await press('.jp-PPO-withdrawGrades');
  expect(node.textContent).toContain('do not see the grades of 1 submission any more');
});

it('deletes an assignment to the trash and takes it back', async () => {
  await open();
  await press('[data-tab="delete"]');
  await press('.jp-PPO-delete');
  expect(textOf('.jp-PPO-empty')).toContain('There is no assignment yet');
  await press('.jp-PPO-undo');
  expect(service.changes).toEqual(['delete gae', 'restore id-gae']);
  expect(has('[data-assignment="gae"]')).toBe(true);
});

it('shows a grader the terms but no way to change them', async () => {
  service.role = 'grader';
  await open();
  expect(find<HTMLFieldSetElement>('fieldset').disabled).toBe(true);
  expect(has('.jp-PPO-form [type="submit"]')).toBe(false);
  expect(has('[data-tab="delete"]')).toBe(false);
});
