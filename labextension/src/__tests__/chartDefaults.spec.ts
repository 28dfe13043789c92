import './liveDom';

import { PreferencesModel } from '../preferences/model';
import { DEFAULTS } from '../preferences/types';
import { begunWith } from '../runs/chartDefaults';
import { RunsModel } from '../runs/model';
import type { IListView, IRunsMemory, IRunsStore } from '../runs/model';
import { MemoryPreferences } from './preferencesMemory';
import { MemoryRuns } from './runsMemory';

const BOARD = { smoothing: 1, logScale: false, hidden: [] };
const FRESH: IRunsMemory = { view: {}, board: BOARD };

it('leaves the charts as they are until a preference changes', () => {
  expect(begunWith(DEFAULTS.chart, FRESH)).toBeNull();
  const own = { view: { grouping: 'median_iqr' as const }, board: { ...BOARD, smoothing: 50 } };
  expect(begunWith(DEFAULTS.chart, own)).toBeNull();
  const begun = begunWith({ smoothing: 20, axis: 'log', band: 'ci' }, own);
  expect(begun?.board).toEqual({ smoothing: 20, logScale: true, hidden: [] });
  expect(begun?.view).toEqual({ board: begun?.board, grouping: 'iqm_bootstrap' });
  expect(begunWith({ smoothing: 20, axis: 'log', band: 'ci' }, begun as IRunsMemory)).toBeNull();
  const back = begunWith(DEFAULTS.chart, begun as IRunsMemory);
  expect([back?.board, back?.view.grouping]).toEqual([BOARD, 'runs']);
});

it('keeps what was switched off in the legends', () => {
  const memory: IRunsMemory = {
    view: { board: { ...BOARD, hidden: ['return/one'] } },
    board: { ...BOARD, hidden: ['kl/kl'] }
  };
  const begun = begunWith({ smoothing: 5, axis: 'linear', band: 'iqr' }, memory);
  expect([begun?.view.board?.hidden, begun?.board.hidden]).toEqual([['return/one'], ['kl/kl']]);
});

describe('the panel of runs', () => {
  let kept: IRunsMemory | null;
  let service: MemoryPreferences;
  let preferences: PreferencesModel;
  let model: RunsModel;

  const store: IRunsStore = {
    load: async () => kept,
    save: async memory => (kept = JSON.parse(JSON.stringify(memory)) as IRunsMemory)
  };

  const start = async (): Promise<void> => {
    preferences = new PreferencesModel(service);
    model = new RunsModel(new MemoryRuns(), store, null, preferences);
    await model.start();
  };

  beforeEach(() => {
    jest.useFakeTimers();
    kept = null;
    service = new MemoryPreferences();
  });

  afterEach(() => {
    model.dispose();
    jest.useRealTimers();
  });

  it('begins with the preferences, and keeps what is changed at the charts', async () => {
    service.elsewhere({ chart: { smoothing: 20, band: 'iqr' } });
    await start();
    expect([model.memory.board.smoothing, model.memory.view.grouping]).toEqual([20, 'median_iqr']);
    model.keep({ board: { ...model.memory.board, smoothing: 3 } });
    model.dispose();
    await start();
    expect(model.memory.board.smoothing).toBe(3);
  });

  it('draws the list anew when the preference changes', async () => {
    await start();
    const seen: Parameters<IListView['setState']>[0][] = [];
    model.attach({ setState: state => seen.push(state) });
    await preferences.change({ theme: 'dark' });
    expect(seen).toEqual([]);
    await preferences.change({ chart: { axis: 'log' } });
    expect(seen).toEqual([{ board: { ...BOARD, logScale: true }, grouping: 'runs' }]);
  });

  it('begins as it was left when the preferences cannot be had', async () => {
    kept = { view: {}, board: { ...BOARD, smoothing: 20 }, begun: '20 linear none' };
    service.refusal = new Error('no answer');
    await start();
    expect(model.memory.board.smoothing).toBe(20);
  });
});
