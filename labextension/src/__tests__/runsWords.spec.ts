import { rowOf } from '../runs/restSource';
import type { IRunEvent, ISetting } from '../runs/types';
import { liveText, mayAsk, progressText, typedSeeds, typedValue } from '../runs/words';
import { progressOf, runOf } from './runsMemory';

const RATE: ISetting = {
  name: 'learning_rate',
  group: 'update',
  kind: 'schedule',
  low: 1e-8,
  high: 1,
  default: 0.0003,
  unit: '',
  meaning: '',
  can_be_none: false,
  is_live: true,
  choices: []
};

describe('what is typed', () => {
  it.each([
    ['1e-3', { value: 0.001 }],
    [' 0.5 ', { value: 0.5 }],
    ['linear:2e-3:0', { value: { kind: 'linear', start: 0.002, end: 0 } }],
    ['cosine:0.1', { value: { kind: 'cosine', start: 0.1, end: 0 } }]
  ])('becomes a value: %s', (text, value) => expect(typedValue(RATE, text)).toEqual(value));

  it.each(['', 'fast', '2', '0', '-1', 'NaN', 'Infinity', 'linear:', 'linear:2:0', 'round:1e-3:0'])(
    'is refused in words: %s',
    text => expect(typeof typedValue(RATE, text)).toBe('string')
  );

  it('is a whole number where steps are counted', () => {
    const steps: ISetting = { ...RATE, kind: 'whole', low: 2, high: 1e9 };
    expect(typedValue(steps, '1e5')).toEqual({ value: 100_000 });
    expect(typedValue(steps, '2.5')).toBe('Write a whole number.');
    expect(typedValue(steps, 'linear:1:0')).toBe('Write a number.');
  });

  it.each([
    ['flag', 'false', false],
    ['choice', 'relu', 'relu'],
    ['layers', '64, 32', [64, 32]],
    ['layers', '[]', []],
    ['number', 'none', null],
    ['whole', '50,000', 50_000]
  ] as const)('becomes a value of its kind: %s %s', (kind, text, value) => {
    const setting = { ...RATE, kind, high: 1e6, can_be_none: true, choices: ['tanh', 'relu'] };
    expect(typedValue(setting, text)).toEqual({ value });
  });

  it.each([
    ['flag', 'yes'],
    ['choice', 'sigmoid'],
    ['layers', '64, x'],
    ['layers', '64, 0'],
    ['layers', ''],
    ['number', 'none'],
    ['number', '5,00']
  ] as const)('is refused for its kind: %s %s', (kind, text) =>
    expect(typeof typedValue({ ...RATE, kind, low: 1e-8, high: 1e6 }, text)).toBe('string')
  );

  it.each([
    ['0', [0]],
    ['0, 1,2', [0, 1, 2]],
    ['3-5, 9', [3, 4, 5, 9]]
  ])('becomes seeds: %s', (text, seeds) => expect(typedSeeds(text)).toEqual(seeds));

  it.each(['', 'a', '-1', '5-3', '1,1', '1-3,2', '0-50', '4294967296', '1.5'])(
    'becomes no seeds: %s',
    text => expect(typeof typedSeeds(text)).toBe('string')
  );
});

describe('what is said of a run', () => {
  it('has step, share, speed and time left while it trains', () => {
    const row = rowOf(runOf('a', { step: 250 }), []);
    expect(progressText(row, progressOf(250))).toBe(
      '250 of 1,000 steps · 25 % · 500 steps/s · 2 s trained · 3 s left'
    );
    expect(progressText({ ...row, state: 'paused' }, progressOf(250))).toBe(
      '250 of 1,000 steps · 25 % · 2 s trained'
    );
    expect(progressText({ ...row, step: 0, totalSteps: 0 }, null)).toBe('0 steps');
  });

  it('is the value that a setting has now', () => {
    const row = rowOf(runOf('a'), []);
    const changed = (value: unknown): IRunEvent => ({
      at: '',
      kind: 'changed',
      step: 1,
      message: '',
      data: { id: 'x', learning_rate: value }
    });
    expect(liveText('learning_rate', row, [])).toBe('0.001');
    const schedule = { kind: 'linear', start: 0.002, end: 0 };
    expect(liveText('learning_rate', row, [changed(0.1), changed(schedule)])).toBe(
      'linear:0.002:0'
    );
  });

  it('offers what its state allows', () => {
    expect(mayAsk('pause', 'running')).toBe(true);
    expect(mayAsk('resume', 'finished')).toBe(false);
    expect(mayAsk('extend', 'finished')).toBe(true);
    expect(mayAsk('set', 'stopped')).toBe(false);
  });
});
