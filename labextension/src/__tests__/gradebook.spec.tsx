import * as React from 'react';

import { Gradebook } from '../instructor/gradebook';
import {
  cellLabel,
  cellMarks,
  cellText,
  changedText,
  sortedBy
} from '../instructor/gradebookModel';
import { FIRST_QUERY } from '../instructor/gradebookModel';
import { cell, NOW } from './gradingMemory';
import {
  aroundEach,
  button,
  click,
  find,
  has,
  key,
  node,
  opened,
  pass,
  press,
  service,
  show,
  submit,
  textOf,
  type
} from './gradingPage';

aroundEach(Gradebook);

const CELL = (number: string): string => `[data-user="student-${number}"] .jp-PPO-cell`;

describe('the table', () => {
  it('draws one page of the class and goes to the next', async () => {
    await show();
    expect(node.querySelectorAll('tbody tr')).toHaveLength(50);
    expect(textOf('.jp-PPO-pager')).toContain('1 to 50 of 120');
    await click('Next');
    expect(service.queries[service.queries.length - 1]).toMatchObject({ offset: 50, limit: 50 });
    expect(has(CELL('050'))).toBe(true);
    expect(has(CELL('049'))).toBe(false);
  });

  it('sorts by the heading that is clicked, and turns round at the second click', async () => {
    await show();
    const total = '.jp-PPO-book th:nth-child(3)';
    expect(find(total).getAttribute('aria-sort')).toBe('none');
    await press(`${total} button`);
    expect(find(total).getAttribute('aria-sort')).toBe('descending');
    expect(service.queries[service.queries.length - 1]).toMatchObject({
      sort: 'total',
      order: 'desc'
    });
    await press(`${total} button`);
    expect(service.queries[service.queries.length - 1]).toMatchObject({
      sort: 'total',
      order: 'asc'
    });
  });

  it('asks for a search once the typing rests', async () => {
    await show();
    const before = service.queries.length;
    await type('[name="search"]', '01');
    await type('[name="search"]', '011');
    expect(service.queries).toHaveLength(before);
    await pass(1_000);
    expect(service.queries).toHaveLength(before + 1);
    expect(
      [...node.querySelectorAll('tbody tr')].map(row => row.getAttribute('data-user'))
    ).toEqual(['student-011']);
  });

  it('has one cell in the order of the Tab key and moves with arrows', async () => {
    await show();
    expect(node.querySelectorAll('.jp-PPO-cell[tabindex="0"]')).toHaveLength(1);
    find(CELL('000')).focus();
    await key('ArrowDown');
    expect(document.activeElement).toBe(find(CELL('001')));
    await key('ArrowUp');
    await key('ArrowUp');
    expect(document.activeElement).toBe(find(CELL('000')));
    expect(node.querySelectorAll('.jp-PPO-cell[tabindex="0"]')).toHaveLength(1);
  });

  it('leaves exchange with nbgrader to instructors', async () => {
    service.myRole = 'grader';
    await show();
    expect(node.textContent).not.toContain('nbgrader');
    expect(button('Export CSV').disabled).toBe(false);
  });
});

describe('a cell', () => {
  it('shows points with a letter for everything that is to be known', () => {
    const shown = cell({
      late_seconds: 7200,
      needs_review: true,
      unsealed_points: 1,
      released: false
    });
    expect(cellText(shown)).toBe('4.5');
    expect(cellMarks(shown).map(([letter]) => letter)).toEqual(['L', 'R', 'U', 'H']);
    expect(cellText(cell({ points: null, state: 'not_submitted' }))).toBe('–');
    expect(cellText(cell({ points: null, state: 'failed' }))).toBe('Failed');
    expect(cellMarks(cell({ points: null, state: 'queued', released: false }))).toEqual([]);
  });

  it('says all of it to screen readers', () => {
    const row = { user: 'ada', first_name: '', last_name: '', groups: [], total: 0, max_total: 0 };
    const column = { name: 'gae', kind: 'notebook', max_points: 6, due_at: null };
    const late = cell({ late_seconds: 7200, penalty: 0.5 });
    expect(cellLabel({ ...row, cells: {} }, column, late)).toBe(
      'ada, gae: 4.5 of 6, late by 2 hours, 0.5 off for lateness'
    );
  });

  it('opens details with the attempt that counts and gives the keyboard back', async () => {
    await show();
    await press(CELL('003'));
    expect(textOf('.jp-PPO-cellDetails h3')).toBe('student-003: gae');
    expect(document.activeElement).toBe(find('.jp-PPO-cellDetails h3'));
    expect(find<HTMLSelectElement>('[name="attempt"]').value).toBe('gae-student-003-2');
    expect(textOf('.jp-PPO-facts')).toContain('late by 1 hour');
    await click('Feedback page');
    expect(opened).toEqual(['gae-student-003-2']);
    await key('Escape');
    expect(has('.jp-PPO-cellDetails')).toBe(false);
    expect(document.activeElement).toBe(find(CELL('003')));
  });

  it('grades again and releases', async () => {
    await show();
    await press(CELL('003'));
    await click('Grade again');
    await click('Release');
    expect(service.said).toEqual(['regrade gae-student-003-2', 'release gae-student-003-2']);
  });

  it('overrides one exercise, with the reason, again and again', async () => {
    await show();
    await press(CELL('003'));
    await press('[aria-label="Mark why"]');
    await type('[name="points"]', '5');
    expect(textOf('.jp-PPO-formProblem')).toContain('Use 0 to 4');
    expect(button('Save mark').disabled).toBe(true);
    await type('[name="points"]', '3,5');
    await type('[name="reason"]', 'a good idea');
    await submit('.jp-PPO-markForm');
    await type('[name="points"]', '4');
    await submit('.jp-PPO-markForm');
    expect(service.said.map(said => JSON.parse(said.slice(said.indexOf('{'))))).toEqual([
      { points: 3.5, extra_credit: 0, comment: '', reason: 'a good idea', revision: 0 },
      { points: 4, extra_credit: 0, comment: '', reason: 'a good idea', revision: 1 }
    ]);
  });

  it('shows who changed what, when and why', async () => {
    service.changes = [
      {
        id: '1',
        at: NOW,
        kind: 'marked',
        grade_id: 'why',
        by: 'gil',
        reason: 'asked again',
        before: { points: 2, comment: '' },
        after: { points: 3, comment: '' }
      }
    ];
    await show();
    await press(CELL('003'));
    expect(textOf('.jp-PPO-history')).toMatch(/Marked why: points 2 → 3.*by gil: asked again/);
  });
});

it('turns a change into words without what stayed the same', () => {
  const change = {
    id: '1',
    at: NOW,
    kind: 'autograded',
    grade_id: null,
    by: null,
    reason: ''
  } as const;
  expect(changedText({ ...change, before: null, after: { points: 2 } })).toBe('points 2');
  expect(
    changedText({ ...change, before: { points: 2, version: 1 }, after: { points: 2, version: 2 } })
  ).toBe('version 1 → 2');
  expect(changedText({ ...change, before: { comment: 'no' }, after: null })).toBe(
    'comment “no” → –'
  );
});

it('sorts names up and numbers down at first, from the first page', () => {
  const later = { ...FIRST_QUERY, offset: 100, sort: 'total' };
  expect(sortedBy(later, 'name')).toMatchObject({ sort: 'name', order: 'asc', offset: 0 });
  expect(sortedBy(later, 'gae')).toMatchObject({ sort: 'gae', order: 'desc', offset: 0 });
});

it('imports from nbgrader and lists what was left out', async () => {
  await show();
  const chooser = find<HTMLInputElement>('[name="nbgrader"]');
  await React.act(async () => {
    Object.defineProperty(chooser, 'files', { value: [new File([''], 'gradebook.db')] });
    chooser.dispatchEvent(new Event('change', { bubbles: true }));
  });
  expect(textOf('.jp-PPO-acted')).toContain('1 student, 2 assignments, 3 submissions, 4 grades');
  expect(textOf('.jp-PPO-warnings')).toBe('a lab is new');
});
