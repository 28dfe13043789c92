import type { CellType, IMarkedCell, Kind } from '../author/cells';
import {
  assignmentName,
  badgeText,
  gradeIdProblem,
  isSource,
  kindsOf,
  localProblems,
  markedCell,
  nbgraderMetadata,
  previewPath,
  suggestedId,
  totalPoints,
  withUnsealed
} from '../author/cells';

interface ICase {
  kind: Kind;
  cell_type: CellType;
  grade_id: string;
  points: number;
  metadata: Record<string, unknown>;
}

// tests/autograde/test_author_cells.py has nbgrader's own validator read the same file.
const cases = jest.requireActual<ICase[]>('./authorCells.json');

function cell(index: number, change: Partial<IMarkedCell> = {}): IMarkedCell {
  return {
    index,
    type: 'code',
    kind: 'tests',
    gradeId: `t${index}`,
    points: 1,
    unsealed: false,
    released: false,
    ...change
  };
}

it.each(cases)('$kind is written as nbgrader writes it and read back', item => {
  const written = nbgraderMetadata(item.kind, item.grade_id, item.points);
  expect(written).toEqual(item.metadata);
  expect(kindsOf(item.cell_type)).toContain(item.kind);
  const read = markedCell(4, item.cell_type, { nbgrader: written });
  expect(read).toMatchObject({ index: 4, kind: item.kind, gradeId: item.grade_id });
  expect(read.points).toBe(item.metadata['points'] ?? null);
});

it('covers every kind but the ordinary one', () => {
  expect(new Set(cases.map(item => item.kind)).size).toBe(5);
});

it('writes nothing for an ordinary cell', () => {
  expect(nbgraderMetadata('ordinary', 'x', 3)).toBeNull();
  expect(markedCell(0, 'code', {}).kind).toBe('ordinary');
  expect(markedCell(0, 'code', { nbgrader: 'broken' }).kind).toBe('ordinary');
});

it('leaves the checksum of a release as it is, and nothing else of before', () => {
  const before = { nbgrader: { checksum: 'c', cell_type: 'code', points: 9, grade: true } };
  const written = nbgraderMetadata('solution', 'a', 0, before);
  expect(written).toMatchObject({ checksum: 'c', cell_type: 'code', grade: false });
  expect(written).not.toHaveProperty('points');
});

it('adds and removes one tag and keeps the others', () => {
  expect(withUnsealed({ tags: ['slow', 'unsealed', 7] }, false)).toEqual(['slow']);
  expect(withUnsealed({ tags: ['slow'] }, true)).toEqual(['slow', 'unsealed']);
  expect(withUnsealed({}, true)).toEqual(['unsealed']);
  expect(markedCell(0, 'code', { tags: ['unsealed'] }).unsealed).toBe(true);
});

it('suggests grade_ids that are free, for tests after the answer above', () => {
  const cells = [
    cell(0, { kind: 'solution', gradeId: 'gae' }),
    cell(1, { kind: 'ordinary', gradeId: '' }),
    cell(2, { gradeId: 'tests' })
  ];
  expect(suggestedId('tests', 1, cells)).toBe('gae-tests');
  expect(suggestedId('tests', 1, [...cells, cell(3, { gradeId: 'gae-tests' })])).toBe(
    'gae-tests-2'
  );
  expect(suggestedId('tests', 0, cells)).toBe('tests-2');
  expect(suggestedId('manual', 1, [...cells, cell(3, { gradeId: 'question-1' })])).toBe(
    'question-2'
  );
});

it('finds copied, missing and impossible grade_ids and points', () => {
  const cells = [
    cell(0, { gradeId: 'same' }),
    cell(1, { gradeId: 'same', points: null }),
    cell(2, { gradeId: 'with blank' }),
    cell(3, { gradeId: '', points: -1 }),
    cell(4, { kind: 'ordinary', gradeId: 'same' })
  ];
  expect(localProblems(cells).map(({ index }) => index)).toEqual([0, 1, 1, 2, 3, 3]);
  expect(gradeIdProblem('same', 4, [])).toBeNull();
  expect(localProblems([cell(0, { kind: 'solution' })])).toEqual([
    { index: -1, message: expect.stringContaining('No cell has points') as string }
  ]);
});

it('adds points up and words a badge', () => {
  expect(totalPoints([cell(0, { points: 2.5 }), cell(1, { kind: 'solution', points: 9 })])).toBe(
    2.5
  );
  expect(badgeText(cell(0, { points: 1, unsealed: true }))).toBe(
    'Autograder tests · 1 pt · unsealed'
  );
  expect(badgeText(cell(0, { kind: 'readonly' }))).toBe('Read-only');
  expect(badgeText(cell(0, { points: null }))).toContain('no points');
  expect(badgeText(cell(0, { kind: 'ordinary' }))).toBeNull();
});

it('tells a source from a students’ copy', () => {
  expect(isSource([cell(0), cell(1, { kind: 'ordinary' })])).toBe(true);
  expect(isSource([cell(0), cell(1, { released: true })])).toBe(false);
  expect(isSource([cell(0, { kind: 'ordinary' })])).toBe(false);
});

it('names assignments and previews after the file', () => {
  expect(assignmentName('unit 1/PPO & GAE.ipynb')).toBe('PPO-GAE');
  expect(assignmentName('_x.ipynb')).toBe('x');
  expect(previewPath('a/b.ipynb')).toBe('a/b.preview.ipynb');
});
