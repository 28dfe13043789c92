/** What the panel "Training runs" shows and does, without any drawing. */

import { messageOf } from '../instructor/resource';
import type { RunsViewState } from '../live/runsView';
import type { BoardSettings } from '../live/types';
import { begunWith } from './chartDefaults';
import type { IChartChoice } from './chartDefaults';
import { RestRunsSource } from './restSource';
import type { INewRuns, IRunsClient } from './types';

/** What a reload of the page keeps. */
export interface IRunsMemory {
  view: Partial<RunsViewState>;
  /** How the charts of one run are drawn. */
  board: BoardSettings;
  /** The preferences that the charts began with last. */
  begun?: string;
}

/** Where that is kept. */
export interface IRunsStore {
  load(): Promise<unknown>;
  save(memory: IRunsMemory): Promise<unknown>;
}

/** Everything that is drawn. A new object for every change. */
export interface IRunsState {
  readonly source: RestRunsSource | null;
  /** Why there is no source. */
  readonly problem: string | null;
  /** The run that is shown by itself. */
  readonly open: string | null;
  readonly isFormOpen: boolean;
  /** What is probably not meant in the runs that were started last. */
  readonly warnings: readonly string[];
}

/** What the model asks of the list's view. */
export interface IListView {
  setState(state: Partial<RunsViewState>): void;
}

const BOARD: BoardSettings = { smoothing: 1, logScale: false, hidden: [] };

/** The state of the panel and its actions. */
export class RunsModel {
  constructor(
    private readonly _client: IRunsClient,
    private readonly _store: IRunsStore | null = null,
    open: string | null = null,
    private readonly _choice: IChartChoice | null = null
  ) {
    this._state = { source: null, problem: null, open, isFormOpen: false, warnings: [] };
  }

  /** The state now; for React.useSyncExternalStore. */
  readonly snapshot = (): IRunsState => this._state;

  /** Call `listener` after every change; returns how to stop that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** How things are drawn; what a view changes here is kept. */
  get memory(): IRunsMemory {
    return this._memory;
  }

  /** Keep how things are drawn over a reload of the page. */
  keep(change: Partial<IRunsMemory>): void {
    this._memory = { ...this._memory, ...change };
    // Without it no more is lost than how the list was sorted.
    this._store?.save(this._memory).catch(() => undefined);
  }

  /** Load what the panel needs, unless it is there; never rejects. */
  async start(): Promise<void> {
    if (this._state.source !== null || this._isLoading) {
      return;
    }
    this._isLoading = true;
    this._set({ problem: null });
    try {
      const [source, memory, isChosen] = await Promise.all([
        RestRunsSource.load(this._client, id => this.openRun(id)),
        this._store?.load().catch(() => null) ?? null,
        this._choice?.ready()
      ]);
      if (isMemory(memory)) {
        const { view = {}, board = BOARD, begun } = memory;
        this._memory = { view, board, begun };
      }
      if (this._isDisposed) {
        source.dispose();
        return;
      }
      if (isChosen) {
        this._beginCharts();
        this._forget = this._choice?.subscribe(() => this._beginCharts()) ?? null;
      }
      source.setVisible(this._isVisible);
      this._set({ source });
    } catch (error) {
      this._set({ problem: messageOf(error) });
    } finally {
      this._isLoading = false;
    }
  }

  /** The panel came into sight or went out of it. */
  setVisible(visible: boolean): void {
    this._isVisible = visible;
    this._state.source?.setVisible(visible);
    if (visible) {
      void this.start();
    }
  }

  /** Show one run by itself. */
  openRun(id: string): void {
    this._set({ open: id, isFormOpen: false });
  }

  /** Show the list. */
  closeRun(): void {
    this._set({ open: null, warnings: [] });
  }

  showForm(isFormOpen: boolean): void {
    this._set({ isFormOpen });
  }

  /** Start runs, and show what has become of it; rejects with the reason when they are refused. */
  async create(asked: INewRuns): Promise<void> {
    const text = JSON.stringify(asked);
    if (text !== this._asked) {
      // The same key for the same request: pressed again after a lost answer it makes no second run.
      this._asked = text;
      this._key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    }
    const { items, warnings } = await this._client.create(asked, this._key);
    this._asked = '';
    await this._state.source?.refresh();
    const [first] = items;
    this._set({
      isFormOpen: false,
      warnings,
      open: items.length === 1 && first !== undefined ? first.id : null
    });
    if (items.length > 1) {
      this._checkRuns(items.map(run => run.id));
    }
  }

  /** Stop every timer and connection for good. */
  dispose(): void {
    this._isDisposed = true;
    this._forget?.();
    this._listeners.clear();
    this._state.source?.dispose();
  }

  /** The view of the list that is drawn now; returns what ends that. */
  attach(view: IListView): () => void {
    this._view = view;
    return () => {
      this._view = null;
    };
  }

  /** Let charts begin with what the person chose, if that was chosen since they did so last. */
  private _beginCharts(): void {
    const chart = this._choice?.preferences.chart;
    const begun = chart === undefined ? null : begunWith(chart, this._memory);
    if (begun !== null) {
      this.keep(begun);
      const { board, grouping } = begun.view;
      this._view?.setState({ board, grouping });
    }
  }

  /** Draw these runs in the list's view. */
  private _checkRuns(checked: readonly string[]): void {
    this.keep({ view: { ...this._memory.view, checked } });
    this._view?.setState({ checked });
  }

  private _set(change: Partial<IRunsState>): void {
    this._state = { ...this._state, ...change };
    this._listeners.forEach(listener => listener());
  }

  private readonly _listeners = new Set<() => void>();
  private _memory: IRunsMemory = { view: {}, board: BOARD };
  private _state: IRunsState;
  private _view: IListView | null = null;
  private _forget: (() => void) | null = null;
  private _isVisible = true;
  private _isLoading = false;
  private _isDisposed = false;
  private _asked = '';
  private _key = '';
}

function isMemory(value: unknown): value is Partial<IRunsMemory> {
  return typeof value === 'object' && value !== null;
}
