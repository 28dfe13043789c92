import { distinctNames, matches, sorted, unknownName } from '../live/runFilter';
import type { Filter } from '../live/runFilter';
import { withColours } from '../live/runsState';
import { row } from './runRows';

const ALL: Filter = { text: '', state: '', tag: '' };
const ids = (rows: readonly { id: string }[]): string => rows.map(({ id }) => id).join(' ');

describe('the filter of runs', () => {
  const run = row('a', {
    name: 'Wide net',
    tags: ['week 3'],
    seed: 7,
    state: 'running',
    meanReturn: 450,
    evalReturn: null,
    hyperparameters: {
      gamma: 0.99,
      learning_rate: { kind: 'linear', start: 0.002, end: 0 },
      policy_layers: [64, 64]
    }
  });

  test.each([
    ['wide', true],
    ['WIDE cartpole', true],
    ['wide acrobot', false],
    ['seed-7', true],
    ['gamma=0.99', true],
    ['gamma>0.95 gamma<1', true],
    ['gamma>=0.995', false],
    ['learning_rate=linear', true],
    ['learning_rate<0.01', true],
    ['learning_rate>0.01', false],
    ['return>400', true],
    ['return>450', false],
    ['evaluation>=500', false],
    ['policy_layers=[64,64]', true],
    ['n_envs=1', false],
    ['week', true]
  ])('%s', (text, expected) => {
    expect(matches(run, { ...ALL, text })).toBe(expected);
  });

  it('names a setting that no run has', () => {
    expect(unknownName([run], 'wide gama>0.9')).toBe('gama');
    expect(unknownName([run], 'gamma>2 evaluation>1 nothing')).toBeNull();
  });

  it('knows states, groups of states, and tags', () => {
    expect(matches(run, { ...ALL, state: 'active' })).toBe(true);
    expect(matches(run, { ...ALL, state: 'ended' })).toBe(false);
    expect(matches(run, { ...ALL, state: 'paused' })).toBe(false);
    expect(matches(run, { ...ALL, tag: 'week 3' })).toBe(true);
    expect(matches(run, { ...ALL, tag: 'week' })).toBe(false);
  });
});

describe('the order of runs', () => {
  const runs = [
    row('a', { name: 'run 10', meanReturn: 5, startedAt: '2025-11-22T09:00:00Z' }),
    row('b', { name: 'run 9', meanReturn: null, startedAt: '2025-11-22T11:00:00Z' }),
    row('c', { name: 'run 9', meanReturn: -3, startedAt: '2025-11-22T10:00:00Z' })
  ];

  it('sorts names as people do, with the newest first among equal ones', () => {
    expect(ids(sorted(runs, { column: 'name', descending: false }))).toBe('b c a');
  });

  it('puts runs without a value last in both directions', () => {
    expect(ids(sorted(runs, { column: 'meanReturn', descending: false }))).toBe('c a b');
    expect(ids(sorted(runs, { column: 'meanReturn', descending: true }))).toBe('a c b');
  });

  it('sorts by the state: what goes on first', () => {
    const states = [row('x', { state: 'failed' }), row('y', { state: 'running' }), row('z')];
    expect(ids(sorted(states, { column: 'state', descending: false }))).toBe('y z x');
  });

  it('tells runs of one name apart by their seed, then by their folder', () => {
    const alike = [
      row('a', { name: 'n', seed: 1 }),
      row('b', { name: 'n', seed: 2 }),
      row('c', { name: 'n', seed: 2, label: 'folder' }),
      row('d', { name: 'other' })
    ];
    expect(distinctNames(alike)).toEqual([
      'n, seed 1',
      'n, seed 2 (b)',
      'n, seed 2 (folder)',
      'other'
    ]);
  });
});

describe('the colours of runs', () => {
  it('stay while a run is checked, and are its own again when they are free', () => {
    const first = withColours(['a', 'b'], {});
    expect(first).toEqual({ a: 0, b: 1 });
    const without = withColours(['b'], first);
    expect(without['b']).toBe(1);
    const other = withColours(['b', 'c'], without);
    expect(other['c']).toBe(0);
    expect(withColours(['a', 'b', 'c'], other)).toMatchObject({ a: 0, b: 1, c: 2 });
  });

  it('are different for all checked runs', () => {
    const checked = Array.from({ length: 40 }, (_, i) => `run-${i}`);
    const colours = withColours(checked, { 'run-3': 5, 'run-9': 5 });
    expect(new Set(checked.map(id => colours[id])).size).toBe(40);
    expect(colours['run-3']).toBe(5);
  });
});
