import { diffTable, groupLabels, groupRows, settingLines, showValue } from '../live/settingsDiff';
import { row } from './runRows';

const SETTINGS = [
  { name: 'gamma', group: 'rollout', unit: 'per step', meaning: 'discount factor' },
  { name: 'n_envs', group: 'rollout', unit: '', meaning: 'copies' },
  { name: 'seed', group: 'machine', unit: '', meaning: 'seed' }
];

describe('settings of runs beside each other', () => {
  const a = row('a', { hyperparameters: { seed: 0, gamma: 0.99, n_envs: 8 } });
  const b = row('b', { hyperparameters: { n_envs: 8, gamma: 0.99, seed: 1 } });
  const c = row('c', { hyperparameters: { seed: 0, gamma: 0.9, n_envs: 8, own: 'x' } });

  it('puts runs together that differ in their seed only, whatever the order of names', () => {
    const groups = groupRows([a, c, b]);
    expect(groups.map(group => group.rows.map(({ id }) => id))).toEqual([['a', 'b'], ['c']]);
    expect(groupRows([a, { ...b, envId: 'Acrobot-v1' }])).toHaveLength(2);
  });

  it('calls groups by what differs and by how many seeds they have', () => {
    expect(groupLabels(groupRows([a, b, c]), SETTINGS)).toEqual([
      'gamma 0.99, own – (2 seeds)',
      'gamma 0.9, own x (1 run)'
    ]);
    expect(groupLabels(groupRows([a, b]), SETTINGS)).toEqual(['CartPole-v1 (2 seeds)']);
    const other = { ...c, envId: 'Acrobot-v1', hyperparameters: a.hyperparameters };
    expect(groupLabels(groupRows([a, other]), SETTINGS)).toEqual([
      'CartPole-v1 (1 run)',
      'Acrobot-v1 (1 run)'
    ]);
  });

  it('says what differs, in the order of forms, others last', () => {
    const lines = settingLines([a, c], SETTINGS);
    expect(lines.map(({ name, differs }) => [name, differs])).toEqual([
      ['env_id', false],
      ['gamma', true],
      ['n_envs', false],
      ['seed', false],
      ['own', true]
    ]);
    expect(lines[1]).toMatchObject({
      values: ['0.99', '0.9'],
      title: 'discount factor (per step)'
    });
  });

  it.each([
    [null, 'None'],
    [true, 'True'],
    [3e-7, '3e-7'],
    [[64, 64], '[64, 64]'],
    [{ kind: 'linear', start: 0.002, end: 0 }, 'linear 0.002 to 0'],
    [{ size: 5, deep: { a: 1 } }, '{"size": 5, "deep": {"a": 1}}'],
    [undefined, '–']
  ])('shows %j as %s', (value, text) => {
    expect(showValue(value)).toBe(text);
  });

  it('shows only rows that differ unless all are wanted, and what was changed on the way', () => {
    const changed = { ...c, changes: [{ step: 2048, text: 'learning_rate 0.0005' }] };
    const columns = [a, changed].map((one, colour) => ({ row: one, name: one.id, colour }));
    const heads = (all: boolean): string[] =>
      [...diffTable(columns, SETTINGS, all).querySelectorAll('tbody th')].map(
        cell => cell.textContent ?? ''
      );
    expect(heads(false)).toEqual(['gamma', 'own', 'what happened on the way']);
    expect(heads(true)).toContain('n_envs');
    expect(diffTable(columns, SETTINGS, false).textContent).toContain('2,048 learning_rate 0.0005');
  });

  it('says so when there is nothing to compare', () => {
    const one = (...rows: (typeof a)[]): string | null =>
      diffTable(
        rows.map(r => ({ row: r, name: r.id, colour: 0 })),
        SETTINGS,
        false
      ).textContent;
    expect(one(a)).toBe('Check a second run to compare.');
    expect(one(a, { ...a, id: 'd' })).toBe('All settings are equal.');
  });
});
