import { agoText } from '../sandbox/words';
import { caseRun, historyItem, programRun } from './sandboxMemory';
import {
  aroundEach,
  find,
  finish,
  node,
  press,
  seen,
  service,
  show,
  textOf,
  type,
  typeCode
} from './sandboxPage';

aroundEach();

describe('test cases', () => {
  async function addCall(callee: string, args: string, expected: string): Promise<void> {
    await press('.jp-PPO-addCall');
    const rows = node.querySelectorAll('.jp-PPO-case').length;
    const field = (index: number): string =>
      `.jp-PPO-case:nth-child(${rows}) .jp-PPO-field:nth-of-type(${index}) textarea`;
    await type(field(2), callee);
    await type(field(3), args);
    await type(field(4), expected);
  }

  it('are sent as they were typed, and each row gets its verdict', async () => {
    await show();
    await typeCode('def solve(n): ...');
    expect(node.querySelector('.jp-PPO-runTests')).toBeNull();
    await addCall('solve', '[12345678901234567890]', '{"a": [1e400, true]}');
    await addCall('solve', '{"n": 1}', '"yes"');
    await press('.jp-PPO-addInput');
    const last = '.jp-PPO-case:nth-child(3) .jp-PPO-field:nth-of-type';
    await type(`${last}(2) textarea`, '1\n2');
    await type(`${last}(3) textarea`, '3');
    await press('.jp-PPO-runTests');
    expect(service.texts[0]).toContain('"args":[12345678901234567890]');
    expect(service.texts[0]).toContain('"expected":{"a": [1e400, true]}');
    expect((service.requests[0]?.cases as unknown[]).slice(1)).toEqual([
      { name: 'Case 2', call: { function: 'solve', kwargs: { n: 1 } }, expected: 'yes' },
      { name: 'Case 3', stdin: '1\n2', expected: '3' }
    ]);
    await finish({
      success: false,
      passed: 1,
      total: 3,
      execution_time: 1.25,
      cases: [
        caseRun(),
        caseRun({
          name: 'Case 2',
          verdict: 'failed',
          detail: 'The value differs.',
          value: BigInt('12345678901234567890') as unknown
        }),
        caseRun({
          name: 'Case 3',
          verdict: 'timeout',
          detail: 'timeout',
          has_value: false,
          limit: { name: 'timeout', value: 20, unit: 's' }
        })
      ]
    });
    expect(textOf('.jp-PPO-outcome')).toBe('✗ 1 of 3 test cases passed');
    const verdicts = [...node.querySelectorAll('.jp-PPO-case .jp-PPO-verdict')];
    expect(verdicts.map(item => item.textContent)).toEqual([
      '✓ Passed',
      '✗ Failed',
      '✗ Time was up'
    ]);
    const results = [...node.querySelectorAll('.jp-PPO-caseResults li')];
    expect(results[1]?.querySelector('pre')?.textContent).toBe('12345678901234567890');
    expect(results[2]?.textContent).toContain('Time: 20 s. Make the program faster');

    await type(`.jp-PPO-case:nth-child(2) textarea`, 'other');
    expect(node.querySelectorAll('.jp-PPO-case .jp-PPO-verdict')).toHaveLength(2);
    await press('.jp-PPO-case:nth-child(1) .jp-PPO-removeCase');
    expect(textOf('.jp-PPO-cases summary')).toBe('Test cases (2)');
    expect(node.querySelectorAll('.jp-PPO-case .jp-PPO-verdict')).toHaveLength(1);
  });

  it('that cannot be sent say what is wrong', async () => {
    await show();
    await typeCode('x');
    await press('.jp-PPO-addCall');
    expect(node.querySelector('.jp-PPO-fieldProblem')).toBeNull();
    await press('.jp-PPO-runTests');
    expect(textOf('[role="alert"]')).toContain('Case 1. Function: type the name');
    expect(node.querySelectorAll('.jp-PPO-fieldProblem')).toHaveLength(2);
    await type('.jp-PPO-case .jp-PPO-field:nth-of-type(2) textarea', 'f');
    await type('.jp-PPO-case .jp-PPO-field:nth-of-type(3) textarea', '3');
    await type('.jp-PPO-case .jp-PPO-field:nth-of-type(4) textarea', 'True');
    const problems = [...node.querySelectorAll('.jp-PPO-fieldProblem')].map(p => p.textContent);
    expect(problems).toEqual([
      'Arguments: type a JSON list, like [1, "a"], or {"name": 1}.',
      'Expected: type JSON, like 6, "text", [1, 2], true or null.'
    ]);
    expect(service.requests).toEqual([]);
  });

  it('are no more than the service takes', async () => {
    await show();
    await typeCode('x');
    for (let count = 0; count < 4; count += 1) {
      await addCall('f', '', '1');
    }
    await press('.jp-PPO-runTests');
    expect(textOf('[role="alert"]')).toBe('There are 4 test cases; at most 3 can be run.');
  });
});

describe('history', () => {
  it('lists what ran, newest first, and more on demand', async () => {
    service.past = [
      historyItem(5, { state: 'running', outcome: null, success: false }),
      historyItem(4, { state: 'failed', outcome: null, success: false }),
      historyItem(3, { success: false, outcome: 'timeout' }),
      historyItem(2, { success: false, outcome: null, cases_passed: 1, cases_total: 2 }),
      historyItem(1)
    ];
    await show();
    const heads = (): (string | null | undefined)[] =>
      [...node.querySelectorAll('.jp-PPO-entryHead > span')].map(item => item.textContent);
    expect(heads()).toEqual(['Running', 'The sandbox failed']);
    expect(textOf('.jp-PPO-entry time')).toBe(agoText('2026-01-02T03:04:05Z', Date.now()));
    expect(textOf('.jp-PPO-entry code')).toBe('x = 5');
    await press('.jp-PPO-more');
    await press('.jp-PPO-more');
    expect(heads().slice(2)).toEqual([
      '✗ Stopped: the time was up',
      '✗ 1 of 2 test cases passed',
      '✓ Finished without an error'
    ]);
    expect(node.querySelector('.jp-PPO-more')).toBeNull();
    await typeCode('x');
    await press('.jp-PPO-run');
    await finish(programRun());
    expect(node.querySelectorAll('.jp-PPO-entry')).toHaveLength(6);
  });

  it('shows no gap between the newest and what was loaded before', async () => {
    service.past = [historyItem(2), historyItem(1)];
    await show();
    service.past = [6, 5, 4, 3, 2, 1].map(number => historyItem(number));
    await show();
    expect(node.querySelectorAll('.jp-PPO-entry')).toHaveLength(2);
    await press('.jp-PPO-more');
    const shown = [...node.querySelectorAll('.jp-PPO-entry code')].map(item => item.textContent);
    expect(shown).toEqual(['x = 6', 'x = 5', 'x = 4', 'x = 3']);
  });

  it('brings back the code, the numbers and the result', async () => {
    service.past = [historyItem(1)];
    service.records.set('0001', { result: programRun({ stdout: 'old' }) });
    await show();
    await typeCode('mine');
    await press('.jp-PPO-entry');
    expect(find<HTMLTextAreaElement>('.jp-PPO-editor textarea').value).toBe('x = 1\nprint(x)');
    expect(find<HTMLInputElement>('.jp-PPO-timeout input').value).toBe('5');
    expect(find<HTMLInputElement>('.jp-PPO-memory input').value).toBe('128');
    expect(textOf('.jp-PPO-stream pre')).toBe('old');
    expect(textOf('.jp-PPO-result')).toContain('From the history, ');
    service.records.set('0001', {
      cases: [caseRun()],
      cases_passed: 1,
      cases_total: 1,
      success: true
    });
    await press('.jp-PPO-entry');
    expect(textOf('.jp-PPO-outcome')).toBe('✓ 1 of 1 test case passed');
    expect(textOf('[role="alert"]')).toBe('The form has no fields for 1 of the cases.');
    expect(document.activeElement).toBe(find('.jp-PPO-result'));
    expect(seen[seen.length - 1]).toBe(find('.jp-PPO-result'));
    service.records.set('0001', { state: 'failed', error: 'The container failed.' });
    await press('.jp-PPO-entry');
    expect(textOf('[role="alert"]')).toBe('The container failed.');
    expect(textOf('.jp-PPO-outcome')).toBe('');
    service.records.delete('0001');
    await press('.jp-PPO-entry');
    expect(textOf('[role="alert"]')).toBe('There is no such execution.');
  });

  it('brings back the test cases, and none of a program without', async () => {
    service.past = [historyItem(2), historyItem(1)];
    service.records.set('0002', {
      cases: [
        {
          ...caseRun({ name: '' }),
          call: { function: 'f', args: [BigInt('12345678901234567890')], kwargs: {} },
          expected: { a: [1.5, null] },
          tolerance: 0.5
        },
        {
          ...caseRun({ name: 'by name', verdict: 'failed' }),
          call: { function: 'f', args: [], kwargs: { n: 1 } },
          expected: 6
        },
        { ...caseRun({ name: 'Case 9' }), stdin: '1\n', expected: '2' }
      ],
      cases_passed: 2,
      cases_total: 3
    });
    service.records.set('0001', { result: programRun(), stdin: 'typed' });
    await show();
    await press('li:nth-child(1) > .jp-PPO-entry');
    const names = [...node.querySelectorAll('.jp-PPO-caseHead strong')].map(n => n.textContent);
    expect(names).toEqual(['Case 1', 'by name', 'Case 3']);
    expect(textOf('.jp-PPO-caseResults li')).toContain('Case 1 ✓ Passed');
    expect(node.querySelectorAll('.jp-PPO-case .jp-PPO-verdict')).toHaveLength(3);
    await press('.jp-PPO-runTests');
    expect(service.texts[0]).toContain('[12345678901234567890]');
    const cases = service.requests[0]?.cases as Record<string, unknown>[];
    expect(cases[0]).toMatchObject({ expected: { a: [1.5, null] }, tolerance: 0.5 });
    expect(cases[1]).toEqual({
      name: 'by name',
      call: { function: 'f', kwargs: { n: 1 } },
      expected: 6
    });
    expect(cases[2]).toEqual({ name: 'Case 3', stdin: '1\n', expected: '2' });
    await finish({ success: true, passed: 0, total: 0, execution_time: 1, cases: [] });
    service.past = [historyItem(1)];
    await press('li:last-child > .jp-PPO-entry');
    expect(textOf('.jp-PPO-cases summary')).toBe('Test cases (0)');
    expect(find<HTMLTextAreaElement>('.jp-PPO-stdin textarea').value).toBe('typed');
    expect(find<HTMLDetailsElement>('.jp-PPO-stdin').open).toBe(true);
  });
});
