import {
  aroundEach,
  choose,
  find,
  has,
  node,
  pass,
  press,
  service,
  show,
  submit,
  textOf,
  type
} from './instructorPage';
import { NOW } from './instructorMemory';

aroundEach('people');

it('searches once the typing pauses', async () => {
  await show();
  expect(textOf('.jp-PPO-members')).toContain('bob');
  await type('[name="search"]', 'a');
  await type('[name="search"]', 'ad');
  expect(service.filters).toHaveLength(1);
  await pass(250);
  expect(service.filters.map(filter => filter.search)).toEqual(['', 'ad']);
  expect(textOf('.jp-PPO-members')).not.toContain('bob');
  await type('[name="search"]', 'nobody');
  await pass(250);
  expect(textOf('.jp-PPO-empty')).toContain('Nobody is like this');
});

it('adds a person, and does not without a username', async () => {
  await show();
  await press('.jp-PPO-addPerson');
  await submit('.jp-PPO-person');
  expect(textOf('.jp-PPO-formProblem')).toBe('Give a username.');
  expect(service.changes).toEqual([]);
  await type('[name="user"]', ' cleo ');
  await type('[name="groups"]', 'A, lab 2');
  await submit('.jp-PPO-person');
  expect(service.changes).toHaveLength(1);
  const [user, saved] = service.changes[0]?.split(/ (?=\{)/) ?? [];
  expect(user).toBe('save cleo');
  expect(JSON.parse(saved ?? '')).toMatchObject({ role: 'student', groups: ['A', 'lab 2'] });
  expect(has('.jp-PPO-person')).toBe(false);
  expect(textOf('.jp-PPO-members')).toContain('cleo');
});

it('keeps the form open when the service refuses, and says why', async () => {
  await show();
  await press('[data-user="ada"] .jp-PPO-edit');
  expect(find<HTMLInputElement>('[name="user"]').readOnly).toBe(true);
  service.refusal = new Error('The last instructor stays.');
  await submit('.jp-PPO-person');
  expect(textOf('.jp-PPO-person [role="alert"]')).toBe('The last instructor stays.');
});

it('unenrols, and takes it back', async () => {
  await show();
  await press('[data-user="ada"] .jp-PPO-unenrol');
  expect(has('[data-user="ada"]')).toBe(false);
  expect(textOf('.jp-PPO-acted')).toContain('Their work is kept');
  await press('.jp-PPO-undo');
  expect(has('[data-user="ada"]')).toBe(true);
  expect(service.changes).toEqual(['unenrol ada', 'save ada {"role":"student"}']);
});

it('shows a grader nothing to change with', async () => {
  service.role = 'grader';
  await show();
  expect(has('.jp-PPO-members')).toBe(true);
  expect(has('.jp-PPO-addPerson')).toBe(false);
  expect(has('.jp-PPO-unenrol')).toBe(false);
  expect(has('[data-tab="trash"]')).toBe(false);
});

it('tries a list of people first and imports it then', async () => {
  await show();
  await press('[data-tab="import"]');
  await choose('[name="people"]', new File(['user\ncleo'], 'class.csv'));
  expect(service.changes).toEqual(['try class.csv']);
  expect(textOf('.jp-PPO-trial')).toContain('2 added, 0 changed, 1 unchanged');
  await press('.jp-PPO-apply');
  expect(service.changes).toEqual(['try class.csv', 'import class.csv']);
  expect(textOf('.jp-PPO-acted')).toContain('Done: 2 added');
});

it('shows the problems of a list line by line, and no way to import it', async () => {
  const problems = [{ line: 3, field: 'role', message: 'There is no role "king".' }];
  service.trial = { ...service.trial, problems, problem_count: 120 };
  await show();
  await press('[data-tab="import"]');
  await choose('[name="people"]', new File(['user'], 'class.csv'));
  expect(textOf('.jp-PPO-listProblems tbody')).toBe('3roleThere is no role "king".');
  expect(node.textContent).toContain('the first 1 of 120');
  expect(has('.jp-PPO-apply')).toBe(false);
});

it('makes, changes and deletes a group', async () => {
  await show();
  await press('[data-tab="groups"]');
  await type('[name="group"]', 'B');
  await type('[name="users"]', 'ada\nbob, ada');
  await submit('.jp-PPO-groupForm');
  expect(find<HTMLInputElement>('[name="group"]').value).toBe('');
  await press('[aria-label="Delete group A"]');
  await press('.jp-PPO-undo');
  expect(service.changes).toEqual(['group B: ada bob', 'delete group A', 'group A: ada']);
});

it('restores what is in the trash', async () => {
  service.bin = [{ kind: 'assignment', id: 'x', name: 'old', deleted_at: NOW, deleted_by: 'ines' }];
  await show();
  await press('[data-tab="trash"]');
  await press('[data-item="x"] .jp-PPO-restore');
  expect(service.changes).toEqual(['restore x']);
  expect(textOf('.jp-PPO-acted')).toContain('The assignment old is back.');
  expect(node.textContent).toContain('The trash is empty.');
});
