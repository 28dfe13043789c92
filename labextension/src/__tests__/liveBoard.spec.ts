import './liveDom';

import { Board, defaultSettings } from '../live/board';
import { dashes, PALETTE_SIZE, swatch } from '../live/colours';
import { exactValue } from '../live/readout';
import { SeriesStore } from '../live/store';
import { rowsBefore } from '../live/table';
import { smoothingSentence } from '../live/toolbar';
import type { Band, BoardSettings, ChartDescription, Track } from '../live/types';

const CHARTS: ChartDescription[] = [
  {
    key: 'return',
    title: 'Return',
    unit: 'reward per episode',
    meaning: 'The sum of rewards of an episode.',
    low: null,
    high: null,
    series: [
      { metric: 'return', label: 'episode', mark: 'dots' },
      { metric: 'mean_return', label: 'mean', mark: 'line' }
    ]
  },
  {
    key: 'entropy',
    title: 'Entropy',
    unit: 'nats',
    meaning: '',
    low: null,
    high: null,
    series: [{ metric: 'entropy', label: 'Entropy', mark: 'line' }]
  }
];

function track(id: string, colour = 0): Track & { source: SeriesStore } {
  const source = new SeriesStore();
  source.push('return', 20, 20);
  source.push('return', 45, 25);
  source.push('mean_return', 64, 22.5);
  source.push('entropy', 64, 0.69);
  return { id, label: `run ${id}`, colour, source, marks: [{ step: 30, text: 'learning_rate 1' }] };
}

const frame = (): Promise<void> => new Promise(resolve => window.setTimeout(resolve, 40));

async function shown(
  tracks: Track[],
  settings: Partial<BoardSettings> = {},
  bands: Band[] = []
): Promise<{ board: Board; host: HTMLElement; saved: BoardSettings[] }> {
  const host = document.createElement('div');
  document.body.replaceChildren(host);
  const saved: BoardSettings[] = [];
  const board = new Board(host, CHARTS, { ...defaultSettings, ...settings }, one =>
    saved.push(one)
  );
  board.setTracks(tracks, bands);
  await frame();
  return { board, host, saved };
}

const button = (host: HTMLElement, text: string): HTMLButtonElement => {
  const found = [...host.querySelectorAll('button')].find(one => one.textContent === text);
  if (!found) {
    throw new Error(`no button ${text}`);
  }
  return found;
};
const chart = (host: HTMLElement, key: string): HTMLElement | null =>
  host.querySelector(`.ppo-chart[data-key="${key}"]`);
const plot = (host: HTMLElement, key: string): HTMLElement => {
  const found = chart(host, key)?.querySelector<HTMLElement>('.ppo-chart-plot');
  if (!found) {
    throw new Error(`no chart ${key}`);
  }
  return found;
};
const cells = (host: HTMLElement, key: string): (string | null)[][] =>
  [...(chart(host, key)?.querySelectorAll('tbody tr') ?? [])].map(row =>
    [...row.children].map(cell => cell.textContent)
  );
const press = (element: HTMLElement, key: string): boolean =>
  element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));

describe('A board', () => {
  it('has the charts of the table, and one for each metric of a loop of its own', async () => {
    const own = track('a');
    own.source.push('my_loss', 10, 1);
    own.source.push('seconds_env', 10, 1);
    const { host } = await shown([own]);
    const keys = [...host.querySelectorAll<HTMLElement>('.ppo-chart')].map(one => one.dataset.key);
    expect(keys).toEqual(['return', 'entropy', 'my_loss']);
  });

  it('makes the chart of a metric that comes later, and counts its points', async () => {
    const one = track('a');
    const { board, host } = await shown([one]);
    one.source.push('surprise', 50, 1);
    one.source.push('entropy', 128, 0.5);
    board.drawSoon();
    await new Promise(resolve => window.setTimeout(resolve, 200));
    expect(chart(host, 'surprise')?.dataset.points).toBe('1');
    expect(chart(host, 'entropy')?.dataset.points).toBe('2');
    expect(chart(host, 'return')?.dataset.to).toBe('128');
  });

  it('says that there is no data yet', async () => {
    const { host } = await shown([]);
    const empty = chart(host, 'entropy')?.querySelector<HTMLElement>('.ppo-chart-empty');
    expect(empty?.hidden).toBe(false);
    expect(plot(host, 'entropy').getAttribute('aria-valuetext')).toBe('no data yet');
  });

  it('reads values with the arrow keys, one point after the other', async () => {
    const one = track('a');
    one.source.push('return', 45, 31); // a second environment ended at the same step
    one.source.push('return', 70, 9);
    const { host } = await shown([one]);
    const element = plot(host, 'return');
    element.focus();
    expect(element.getAttribute('role')).toBe('slider');
    press(element, 'ArrowLeft');
    expect(element.getAttribute('aria-valuenow')).toBe('45');
    press(element, 'ArrowLeft');
    expect(element.getAttribute('aria-valuenow')).toBe('20');
    expect(element.getAttribute('aria-valuetext')).toMatch(/^step 20: episode 20/);
    press(element, 'ArrowRight');
    press(element, 'ArrowRight');
    expect(element.getAttribute('aria-valuenow')).toBe('70');
    press(element, 'Home');
    expect(element.getAttribute('aria-valuenow')).toBe('20');
  });

  it('has a table behind each chart, the newest first, opened and closed by T', async () => {
    const { host } = await shown([track('a')]);
    const element = plot(host, 'return');
    element.focus();
    press(element, 't');
    expect(cells(host, 'return')).toEqual([
      ['64', '', '22.5'],
      ['45', '25', ''],
      ['20', '20', '']
    ]);
    expect(chart(host, 'return')?.querySelector('.ppo-data-marks')?.textContent).toContain(
      'learning_rate 1'
    );
    const region = chart(host, 'return')?.querySelector<HTMLElement>('[role="region"]');
    expect(document.activeElement).toBe(region);
    press(region ?? element, 't');
    expect(document.activeElement).toBe(element);
    expect(cells(host, 'return')).toEqual([]);
  });

  it('switches a series off, and keeps that in the settings', async () => {
    const { host, saved } = await shown([track('a')]);
    button(host, 'episode').click();
    await frame();
    expect(saved[0]?.hidden).toEqual(['return/return']);
    expect(button(host, 'episode').getAttribute('aria-pressed')).toBe('false');
    expect(chart(host, 'return')?.dataset.points).toBe('1');
    button(host, 'episode').click();
    await frame();
    expect(saved[1]?.hidden).toEqual([]);
    expect(chart(host, 'return')?.dataset.points).toBe('3');
  });

  it('switches a run off in all charts; a single run has no legend of runs', async () => {
    const { board, host, saved } = await shown([track('a'), track('b', 1)]);
    button(host, 'run b').click();
    await frame();
    expect(saved[0]?.hidden).toEqual(['*/b']);
    expect(chart(host, 'entropy')?.dataset.points).toBe('1');
    board.setTracks([track('b')]);
    await frame();
    expect(host.querySelector<HTMLElement>('.ppo-legend')?.hidden).toBe(true);
    expect(chart(host, 'entropy')?.dataset.points).toBe('1');
  });

  it('names the run with each value when there are several', async () => {
    const { host } = await shown([track('a'), track('b', 1)]);
    expect(plot(host, 'entropy').getAttribute('aria-valuetext')).toBe(
      'step 64: run a 0.69; run b 0.69'
    );
  });

  it('reads a band with its interval and switches it off by its name', async () => {
    const band: Band = {
      id: 'g',
      label: 'lr 0.001 (2 seeds)',
      colour: 2,
      metric: 'entropy',
      statistic: 'median and interquartile range',
      steps: Float64Array.of(64),
      centre: Float64Array.of(0.6),
      low: Float64Array.of(0.5),
      high: Float64Array.of(0.7)
    };
    const { host, saved } = await shown([], {}, [band]);
    expect(plot(host, 'entropy').getAttribute('aria-valuetext')).toBe(
      'step 64: lr 0.001 (2 seeds) 0.6 (0.5 to 0.7)'
    );
    press(plot(host, 'entropy'), 't');
    expect(cells(host, 'entropy')).toEqual([['64', '0.6', '0.5', '0.7']]);
    button(host, 'lr 0.001 (2 seeds)').click();
    await frame();
    expect(saved[0]?.hidden).toEqual(['*/g']);
    expect(chart(host, 'entropy')?.dataset.points).toBe('0');
  });

  it('has one entry in the legend for a band and its runs, which it switches off', async () => {
    const [steps, zero] = [Float64Array.of(10), Float64Array.of(0)];
    const values = { steps, centre: zero, low: zero, high: zero };
    const about = { metric: 'entropy', statistic: 'median', label: 'both seeds', colour: 0 };
    const band: Band = { ...values, ...about, id: 'group a', members: ['a', 'b'] };
    const { host } = await shown([track('a'), track('b')], {}, [band]);
    const labels = [...host.querySelectorAll('.ppo-legend-entry')].map(one => one.textContent);
    expect(labels).toContain('both seeds');
    expect(labels).not.toContain('run a');
    button(host, 'both seeds').click();
    await frame();
    expect(chart(host, 'entropy')?.dataset.points).toBe('0');
  });

  it('smooths by the window of the slider, says how, and reads both values', async () => {
    const one = track('a');
    one.source.push('entropy', 128, 0.31);
    const { host, saved } = await shown([one]);
    const slider = host.querySelector<HTMLInputElement>('input[type="range"]');
    if (!slider) {
      throw new Error('no slider');
    }
    slider.value = '1';
    slider.dispatchEvent(new Event('input'));
    await frame();
    expect(saved).toEqual([]); // it is still held
    expect(slider.getAttribute('aria-valuetext')).toBe('2 points');
    expect(plot(host, 'entropy').getAttribute('aria-valuetext')).toBe('step 128: 0.31 (mean 0.5)');
    slider.dispatchEvent(new Event('change'));
    expect(saved[0]?.smoothing).toBe(2);
    expect(smoothingSentence(20)).toBe(
      'Each point is the mean of itself and the 19 before it; the raw line stays faint behind.'
    );
  });

  it('toggles the logarithmic scale', async () => {
    const { host, saved } = await shown([track('a')]);
    button(host, 'Log scale').click();
    await frame();
    expect(saved[0]?.logScale).toBe(true);
    expect(button(host, 'Log scale').getAttribute('aria-pressed')).toBe('true');
  });

  it('zooms with the keys and shows all again', async () => {
    const { host } = await shown([track('a')]);
    const element = plot(host, 'entropy');
    press(element, '+');
    await frame();
    expect(chart(host, 'return')?.dataset.from).toBe('16');
    expect(chart(host, 'return')?.dataset.to).toBe('48');
    expect(host.textContent).toContain('steps 16 to 48');
    press(element, '0');
    await frame();
    expect(chart(host, 'return')?.dataset.to).toBe('64');
    expect(button(host, 'Show all').getAttribute('aria-disabled')).toBe('true');
  });

  it('zooms around the cursor and keeps it, also when it pans', async () => {
    const one = track('a');
    for (let step = 65; step <= 400; step++) {
      one.source.push('entropy', step, 0.5);
    }
    const { host } = await shown([one]);
    const element = plot(host, 'entropy');
    for (const key of ['Home', '+', '+']) {
      press(element, key);
      await frame();
    }
    const { dataset } = chart(host, 'entropy') ?? element;
    expect(Number(dataset.from)).toBeCloseTo(64 - 64 / 4);
    expect(Number(dataset.to) - Number(dataset.from)).toBeCloseTo(100);
    press(element, 'PageDown');
    await frame();
    expect(Number(dataset.from)).toBeCloseTo(128);
    press(element, '+');
    await frame();
    expect(Number(dataset.from)).toBeCloseTo(136); // the cursor went along to 144
  });

  it('takes over settings from elsewhere without telling of them', async () => {
    const { board, host, saved } = await shown([track('a')]);
    board.setSettings({ smoothing: 7, logScale: true, hidden: ['return/return'] });
    await frame();
    expect(host.textContent).toContain('and the 6 before it');
    expect(saved).toEqual([]);
  });

  it('leaves nothing behind when it is disposed', async () => {
    const { board, host } = await shown([track('a')]);
    board.dispose();
    board.drawSoon();
    await frame();
    expect(host.childElementCount).toBe(0);
  });
});

describe('The rows of a table', () => {
  const column = (...steps: number[]) => ({
    steps: Float64Array.from(steps),
    values: Float64Array.from(steps, step => step / 10)
  });

  it('come page by page and each point once, also where steps repeat', () => {
    const columns = [column(1, 2, 2, 3), column(2, 4)];
    const first = rowsBefore(columns, [4, 2], 3);
    expect(first.rows.map(({ step }) => step)).toEqual([4, 3, 2]);
    const second = rowsBefore(columns, first.ends, 3);
    expect(second.rows).toEqual([
      { step: 2, values: [0.2, null] },
      { step: 1, values: [0.1, null] }
    ]);
    expect(second.ends).toEqual([0, 0]);
  });

  it('survive a run that went back', () => {
    expect(rowsBefore([column(1)], [100], 5).rows).toHaveLength(1);
  });
});

describe('Colours and numbers', () => {
  it('tell eight times five runs apart, by colour and by dashes', () => {
    const looks = Array.from({ length: 40 }, (_, run) => `${run % PALETTE_SIZE} ${dashes(run)}`);
    expect(new Set(looks).size).toBe(40);
    expect(swatch(3).getAttribute('aria-hidden')).toBe('true');
    expect([0, 5].map(dashes)).toEqual([[], []]); // the first runs have solid lines
    expect(dashes(6)).not.toEqual([]);
  });

  it.each([
    [0.1 + 0.2, '0.3'],
    [475, '475'],
    [-1234567.25, '-1,234,567.25'],
    [1.5e-7, '1.5e-7'],
    [Number.NaN, 'undefined'],
    [-Infinity, 'minus infinity']
  ])('are written with the digits that mean something: %p', (value, text) => {
    expect(exactValue(value)).toBe(text);
  });
});
