import { chooseNotebook, freeName, gradeIdsOf, joinPath } from '../notebooks';
import type { ICandidate } from '../notebooks';

const WANTED = new Set(['gae', 'loss', 'essay']);

function notebook(path: string, ids: string[], current = false): ICandidate {
  return { path, gradeIds: new Set(ids), current };
}

describe('chooseNotebook', () => {
  it('prefers the notebook that the person looks at', () => {
    const candidates = [
      notebook('full', ['gae', 'loss', 'essay']),
      notebook('half', ['gae'], true)
    ];
    expect(chooseNotebook(candidates, WANTED)).toEqual({ kind: 'found', path: 'half' });
  });

  it('passes over a current notebook that has none of the exercises', () => {
    const candidates = [notebook('other', ['x'], true), notebook('mine', ['gae'])];
    expect(chooseNotebook(candidates, WANTED)).toEqual({ kind: 'found', path: 'mine' });
  });

  it('takes the one with the most exercises', () => {
    const candidates = [notebook('half', ['gae']), notebook('full', ['gae', 'loss'])];
    expect(chooseNotebook(candidates, WANTED)).toEqual({ kind: 'found', path: 'full' });
  });

  it('does not guess between equals', () => {
    const candidates = [notebook('a', ['gae']), notebook('b', ['loss'])];
    expect(chooseNotebook(candidates, WANTED)).toEqual({ kind: 'several', paths: ['a', 'b'] });
  });

  it('finds none where none has an exercise', () => {
    expect(chooseNotebook([], WANTED)).toEqual({ kind: 'none' });
    expect(chooseNotebook([notebook('a', ['x'], true)], WANTED)).toEqual({ kind: 'none' });
    expect(chooseNotebook([notebook('a', ['gae'], true)], new Set())).toEqual({ kind: 'none' });
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
