import { answerAt, failureOf } from '../tutor/cells';
import type { ICell } from '../tutor/cells';

function cell(gradeId: string, kind: 'answer' | 'tests' | 'words', outputs: unknown[] = []): ICell {
  const nbgrader = { grade_id: gradeId, solution: kind !== 'tests', grade: kind !== 'answer' };
  return { metadata: { nbgrader }, source: `# ${gradeId}`, outputs };
}

const TEXT: ICell = { metadata: {}, source: 'Text', outputs: [] };
const ERROR = {
  output_type: 'error',
  ename: 'NameError',
  evalue: "name 'x' is not defined",
  traceback: ['\u001b[0;31mNameError\u001b[0m', 'line 2']
};

test('a test belongs to the answer above it', () => {
  const cells = [cell('one', 'answer'), cell('one_shape', 'tests'), cell('two', 'answer')];
  expect(answerAt(cells, 1)?.gradeId).toBe('one');
  expect(answerAt(cells, 2)?.gradeId).toBe('two');
});

test('before the first answer there is none', () => {
  expect(answerAt([TEXT, cell('one', 'answer')], 0)).toBeNull();
  expect(answerAt([], 0)).toBeNull();
});

test('an answer that people mark is told apart', () => {
  expect(answerAt([cell('why', 'words')], 0)?.isByHand).toBe(true);
  expect(answerAt([cell('one', 'answer')], 0)?.isByHand).toBe(false);
});

test('a failure comes from the cell itself first, then from the tests of its answer', () => {
  const cells = [
    cell('one', 'answer'),
    cell('one_shape', 'tests'),
    cell('one_hand', 'tests', [ERROR]),
    cell('two', 'answer', [{ ...ERROR, ename: 'TypeError' }])
  ];
  expect(answerAt(cells, 0)?.failure?.check).toBe('one_hand');
  expect(answerAt(cells, 3)?.failure?.error_type).toBe('TypeError');
  expect(answerAt(cells.slice(0, 2), 0)?.failure).toBeNull();
});

test('the traceback has no colours', () => {
  expect(failureOf(cell('one', 'tests', [{ output_type: 'stream' }, ERROR]))).toEqual({
    check: 'one',
    error_type: 'NameError',
    message: "name 'x' is not defined",
    traceback: 'NameError\nline 2'
  });
  expect(failureOf(TEXT)).toBeNull();
});
