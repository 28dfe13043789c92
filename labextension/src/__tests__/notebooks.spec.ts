import { chooseNotebook, freeName, gradeIdsOf, isUnanswered, joinPath } from '../notebooks';
import type { ICandidate } from '../notebooks';

const WANTED = new Set(['gae', 'loss', 'essay']);

function notebook(path: string, ids: string[], current = false): ICandidate {
  return { path, gradeIds: new Set(ids), current };
}

describe('chooseNotebook', () => {
  it('takes the notebook in front, also when another one holds more of the exercises', () => {
    const candidates = [
      notebook('full', ['gae', 'loss', 'essay']),
      notebook('half', ['gae'], true)
    ];
    const found = { kind: 'found', path: 'half', passedOver: null };
    expect(chooseNotebook(candidates, WANTED)).toEqual(found);
  });

  it('takes the only one that belongs, and says when another one is in front', () => {
    const candidates = [notebook('other', ['x'], true), notebook('mine', ['gae'])];
    const found = { kind: 'found', path: 'mine', passedOver: 'other' };
    expect(chooseNotebook(candidates, WANTED)).toEqual(found);
  });

  it('does not take a notebook that shares a grade_id by chance', () => {
    const wanted = new Set(['gae', 'loss', 'essay', 'clip', 'kl']);
    const other = notebook('other', ['essay', 'bandit', 'score'], true);
    expect(chooseNotebook([other], wanted)).toEqual({ kind: 'none', passedOver: 'other' });
    const found = { kind: 'found', path: 'mine', passedOver: 'other' };
    expect(chooseNotebook([other, notebook('mine', ['essay'])], wanted)).toEqual(found);
  });

  it('does not guess between several, however much each one holds', () => {
    const candidates = [notebook('half', ['gae']), notebook('full', ['gae', 'loss'])];
    const several = { kind: 'several', paths: ['half', 'full'], passedOver: null };
    expect(chooseNotebook(candidates, WANTED)).toEqual(several);
  });

  it('counts a file that is open in two tabs once', () => {
    const candidates = [notebook('mine', ['gae']), notebook('mine', ['gae'])];
    expect(chooseNotebook(candidates, WANTED)).toMatchObject({ kind: 'found', path: 'mine' });
  });

  it('finds none where none has an exercise', () => {
    const none = { kind: 'none', passedOver: null };
    expect(chooseNotebook([], WANTED)).toEqual(none);
    expect(chooseNotebook([notebook('a', ['x'])], WANTED)).toEqual(none);
    expect(chooseNotebook([notebook('a', ['gae'], true)], new Set())).toEqual({
      kind: 'none',
      passedOver: 'a'
    });
  });
});

describe('isUnanswered', () => {
  interface ICell {
    source: string | string[];
    metadata: object;
  }

  function cell(id: string, source: string | string[], solution = true): ICell {
    return { source, metadata: { nbgrader: { grade_id: id, solution } } };
  }

  function of(...cells: ICell[]): unknown {
    return { cells };
  }

  const RELEASED = of(
    cell('gae', ['def gae():\n', '    raise NotImplementedError()']),
    cell('essay', 'YOUR ANSWER HERE'),
    cell('gae_test', 'assert gae()', false)
  );

  it('is so for the notebook as released, blank, or without its answer cells', () => {
    expect(isUnanswered(RELEASED, RELEASED)).toBe(true);
    const asText = of(cell('gae', 'def gae():\n    raise NotImplementedError()\n'));
    expect(isUnanswered(asText, RELEASED)).toBe(true);
    expect(isUnanswered(of(cell('essay', ' \n')), RELEASED)).toBe(true);
    expect(isUnanswered(of(cell('gae_test', 'assert True', false)), RELEASED)).toBe(true);
  });

  it('is not so once any answer is there, whatever its metadata has become', () => {
    const answered = of(
      cell('gae', ['def gae():\n', '    raise NotImplementedError()']),
      cell('essay', 'Because the minimum is pessimistic.', false)
    );
    expect(isUnanswered(answered, RELEASED)).toBe(false);
  });

  it('is not so where there is nothing to answer, or no notebook', () => {
    expect(isUnanswered(of(), of(cell('gae_test', 'assert gae()', false)))).toBe(false);
    expect(isUnanswered(null, RELEASED)).toBe(false);
    expect(isUnanswered({ cells: 3 }, RELEASED)).toBe(false);
  });
});

describe('gradeIdsOf', () => {
  it('collects the grade_ids of all cells', () => {
    const cells = [
      { metadata: { nbgrader: { grade_id: 'gae', points: 2 } } },
      { metadata: {} },
      { metadata: { nbgrader: { grade_id: '' } } },
      { metadata: { nbgrader: { grade_id: 3 } } },
      { metadata: { nbgrader: null } },
      null,
      { metadata: { nbgrader: { grade_id: 'loss' } } }
    ];
    expect([...gradeIdsOf({ cells })]).toEqual(['gae', 'loss']);
  });

  it.each([null, undefined, 3, 'text', [], {}, { cells: {} }])('finds none in %p', content => {
    expect(gradeIdsOf(content).size).toBe(0);
  });
});

describe('freeName', () => {
  it.each([
    ['a.ipynb', [], 'a.ipynb'],
    ['a.ipynb', ['a.ipynb'], 'a-1.ipynb'],
    ['a.ipynb', ['a.ipynb', 'a-1.ipynb', 'a-2.ipynb'], 'a-3.ipynb'],
    ['a.b.ipynb', ['a.b.ipynb'], 'a.b-1.ipynb'],
    ['plain', ['plain'], 'plain-1'],
    ['.hidden', ['.hidden'], '.hidden-1']
  ])('%s beside %p becomes %s', (name, taken, free) => {
    expect(freeName(name, new Set(taken))).toBe(free);
  });
});

describe('joinPath', () => {
  it.each([
    ['', 'a.ipynb'],
    ['week 1', 'week 1/a.ipynb'],
    ['RTC:', 'RTC:a.ipynb'],
    ['RTC:week', 'RTC:week/a.ipynb']
  ])('in %p gives %p', (folder, path) => {
    expect(joinPath(folder, 'a.ipynb')).toBe(path);
  });
});
