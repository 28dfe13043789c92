/** In which order the panel lists the assignments, and where it puts the reader. */

import * as React from 'react';

import { currentAssignment, inOrder } from '../course/order';
import type { IAssignment } from '../types';
import { CoursePage } from './coursePage';
import { candidate } from './memory';

function assignment(name: string, due_at: string | null = null, ids = [name]): IAssignment {
  return {
    name,
    kind: 'notebook',
    version: 1,
    points: 1,
    released_at: '2026-01-01T00:00:00+00:00',
    exercises: ids.map(grade_id => ({ grade_id, kind: 'tests', points: 1 })),
    due_at,
    closes_at: null,
    max_attempts: 0,
    attempts_left: null
  };
}

function names(assignments: readonly IAssignment[]): string[] {
  return assignments.map(({ name }) => name);
}

describe('inOrder', () => {
  it('goes by due date, and puts what is never due at the end', () => {
    const given = [
      assignment('never'),
      assignment('later', '2026-03-01T00:00:00+00:00'),
      // The same day in another zone, and earlier than it reads.
      assignment('sooner', '2026-03-01T01:00:00+02:00')
    ];
    expect(names(inOrder(given))).toEqual(['sooner', 'later', 'never']);
    expect(names(given)).toEqual(['never', 'later', 'sooner']);
  });

  it.each([
    [
      ['01-bandits', '00-the-loop'],
      ['00-the-loop', '01-bandits']
    ],
    [
      ['week-10', 'week-9', 'week-1'],
      ['week-1', 'week-9', 'week-10']
    ],
    [
      ['b', 'C', 'a'],
      ['a', 'b', 'C']
    ]
  ])('sorts %p by name as people count where nothing else tells', (given, sorted) => {
    expect(names(inOrder(given.map(name => assignment(name))))).toEqual(sorted);
    const due = '2026-03-01T00:00:00+00:00';
    expect(names(inOrder(given.map(name => assignment(name, due))))).toEqual(sorted);
  });
});

describe('currentAssignment', () => {
  const given = [assignment('gae', null, ['a', 'b']), assignment('ppo', null, ['b', 'c', 'd'])];

  function front(path: string, ...ids: string[]): string | null {
    const other = candidate('other.ipynb', false, 'a');
    return currentAssignment(given, [other, { path, gradeIds: new Set(ids), current: true }]);
  }

  it('is the one with the most exercises in the notebook in front', () => {
    expect(front('x.ipynb', 'b', 'c')).toBe('ppo');
    expect(front('x.ipynb', 'a')).toBe('gae');
  });

  it('is told by the name of the file where two are as likely', () => {
    expect(front('week/ppo-2.ipynb', 'b')).toBe('ppo');
    expect(front('gae.ipynb', 'b')).toBe('gae');
    expect(front('x.ipynb', 'b')).toBeNull();
  });

  it('is none where the notebook shares an exercise by chance', () => {
    const large = assignment('clip', null, ['why', 'mask', 'loss', 'value', 'total']);
    const other = { path: 'sitting.ipynb', gradeIds: new Set(['why', 'gae', 'x']), current: true };
    expect(currentAssignment([large], [other])).toBeNull();
  });

  it('is none where no notebook is in front, or one of something else', () => {
    expect(front('gae.ipynb', 'z')).toBeNull();
    expect(currentAssignment(given, [candidate('gae.ipynb', false, 'a')])).toBeNull();
  });
});

describe('the panel', () => {
  const scrolled: string[] = [];
  const original = Object.getOwnPropertyDescriptor(Element.prototype, 'scrollIntoView');
  let page: CoursePage;

  beforeEach(() => {
    jest.useFakeTimers();
    scrolled.length = 0;
    Element.prototype.scrollIntoView = function (this: HTMLElement): void {
      scrolled.push(this.dataset['assignment'] ?? '');
    };
    page = new CoursePage();
    page.service.more = [
      { name: '10-clinic', exercises: [{ grade_id: 'clinic', kind: 'tests', points: 1 }] },
      { name: '9-details', exercises: [{ grade_id: 'iqm', kind: 'tests', points: 1 }] },
      { name: 'exam', due_at: '2026-02-01T00:00:00+00:00', exercises: [] }
    ];
  });

  afterEach(() => {
    page.end();
    if (original) {
      Object.defineProperty(Element.prototype, 'scrollIntoView', original);
    } else {
      Reflect.deleteProperty(Element.prototype, 'scrollIntoView');
    }
    jest.useRealTimers();
  });

  async function bringToFront(path: string, id: string): Promise<void> {
    page.workspace.open = [candidate(path, true, id)];
    await React.act(async () => page.workspace.changed());
  }

  it('lists by due date and name, also when a notebook is in front', async () => {
    const expected = ['exam', '9-details', '10-clinic', 'rl-first'];
    await page.show();
    expect(page.texts('.jp-PPO-assignmentTitle')).toEqual(expected);
    await bringToFront('mine.ipynb', 'gae');
    expect(page.texts('.jp-PPO-assignmentTitle')).toEqual(expected);
  });

  it('marks the assignment of the notebook in front, and no other', async () => {
    await page.show();
    expect(page.texts('[aria-current]')).toEqual([]);
    await bringToFront('mine.ipynb', 'gae');
    expect(page.find('[aria-current="true"]').dataset['assignment']).toBe('rl-first');
    expect(page.find('.jp-mod-current').textContent).toContain('The notebook in front');
    await bringToFront('clinic.ipynb', 'clinic');
    expect(page.texts('[aria-current="true"] h3')).toEqual(['10-clinic']);
    expect(page.texts('.jp-PPO-current')).toHaveLength(1);
    await bringToFront('notes.ipynb', 'nothing');
    expect(page.texts('[aria-current]')).toEqual([]);
  });

  it('scrolls to it when the notebook or the panel comes in front, and only then', async () => {
    await page.show();
    expect(scrolled).toEqual([]);
    await bringToFront('clinic.ipynb', 'clinic');
    expect(scrolled).toEqual(['10-clinic']);
    await React.act(async () => page.model.refresh());
    await bringToFront('clinic.ipynb', 'clinic');
    expect(scrolled).toEqual(['10-clinic']);
    await React.act(async () => page.model.setVisible(false));
    await bringToFront('details.ipynb', 'iqm');
    expect(scrolled).toEqual(['10-clinic']);
    await page.show();
    expect(scrolled).toEqual(['10-clinic', '9-details']);
  });
});
