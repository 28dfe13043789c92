/** The server's training runs for the view of runs. */

import { messageOf } from '../instructor/resource';
import { saveFile } from '../instructor/frame';
import { toCsv } from '../live/csv';
import { hasEnded } from '../live/runFilter';
import type {
  BandValues,
  FollowedSeries,
  Plain,
  RunCommand,
  RunRow,
  RunsSource,
  SettingDescription,
  Statistic
} from '../live/runsSource';
import type { ChartDescription, StepMark } from '../live/types';
import { BandRequests } from './bands';
import { readAll, RestTrack } from './restTrack';
import type { IRunNow } from './restTrack';
import type { ICharts, IHyperparameters, IRun, IRunDetail, IRunEvent, IRunsClient } from './types';

/** Runs that go on are asked for so often, all runs once in so many of these times. */
export const ACTIVE_MS = 2_000;
export const ALL_MS = 15_000;
/** With more runs that go on than these, all are asked for instead. */
const MOST_ASKED_ALONE = 6;

/** What is known of one run besides its row. */
export interface IRunDetails {
  now: IRunNow | null;
  events: readonly IRunEvent[];
  isLost: boolean;
}

const NO_DETAILS: IRunDetails = { now: null, events: [], isLost: false };

/** Rows, points and actions over REST and streams. */
export class RestRunsSource implements RunsSource {
  /** A source with what it takes from the server once; rejects when that cannot be had. */
  static async load(client: IRunsClient, open?: (id: string) => void): Promise<RestRunsSource> {
    const [charts, form] = await Promise.all([
      client.charts(),
      client.hyperparameters('CartPole-v1')
    ]);
    return new RestRunsSource(client, charts, form, open);
  }

  constructor(
    readonly client: IRunsClient,
    charts: ICharts,
    readonly form: IHyperparameters,
    readonly open?: (id: string) => void
  ) {
    this.charts = charts.items;
    this._bands = new BandRequests(client);
    this._unseen = new Set(charts.without_chart);
    this.settings = form.items.map(({ name, group, unit, meaning }) => ({
      name,
      group,
      unit,
      meaning
    }));
  }

  readonly charts: readonly ChartDescription[];
  readonly settings: readonly SettingDescription[];

  /** What went wrong with the last request for rows. */
  get problem(): string | null {
    return this._problem;
  }

  /** Whether the rows were asked for and came. */
  get isLoaded(): boolean {
    return this._isLoaded;
  }

  rows(): readonly RunRow[] {
    this._list ??= [...this._rows.values()];
    return this._list;
  }

  row(id: string): RunRow | null {
    return this._rows.get(id) ?? null;
  }

  /** How far a run is, as it was told last. */
  details(id: string): IRunDetails {
    return this._details.get(id) ?? NO_DETAILS;
  }

  onRows(listener: () => void): () => void {
    const mine = (): void => listener();
    this._listeners.add(mine);
    if (this._listeners.size === 1) {
      void this.refresh();
    } else {
      void Promise.resolve().then(() => this._listeners.has(mine) && mine());
    }
    return () => {
      this._listeners.delete(mine);
      this._schedule();
    };
  }

  /** Rest while nobody can see it. */
  setVisible(visible: boolean): void {
    this._isVisible = visible;
    if (visible && this._listeners.size > 0) {
      void this.refresh();
    } else {
      this._schedule();
    }
  }

  /** Ask for all runs; never rejects. */
  async refresh(): Promise<void> {
    const round = ++this._round;
    try {
      const runs = await this.client.runs();
      if (round === this._round) {
        this._asked = Date.now();
        this._isLoaded = true;
        this._setProblem(null);
        const known = new Set(runs.map(run => run.id));
        [...this._rows.keys()].filter(id => !known.has(id)).forEach(id => this._forget(id));
        this._take(runs, true);
      }
    } catch (error) {
      this._setProblem(messageOf(error));
    }
    this._schedule();
  }

  track(id: string): FollowedSeries {
    return this._track(id);
  }

  bands(
    ids: readonly string[],
    metric: string,
    statistic: Statistic
  ): Promise<readonly BandValues[]> {
    return this._bands.ask(ids, metric, statistic);
  }

  async rename(id: string, name: string, tags: readonly string[]): Promise<void> {
    await this.client.rename(id, name, tags);
    await this._look(id);
  }

  async delete(id: string): Promise<void> {
    await this.client.remove(id);
    this._forget(id);
    this._changed();
  }

  async download(id: string, what: 'model' | 'metrics'): Promise<void> {
    if (what === 'model') {
      saveFile(await this.client.model(id));
      return;
    }
    const { store } = await readAll(this.client, id);
    const data = new Blob([toCsv(store)], { type: 'text/csv' });
    saveFile({ name: `${this._rows.get(id)?.name || id}.csv`.replace(/[\\/:]/g, '-'), data });
  }

  async command(
    id: string,
    command: RunCommand,
    values: Readonly<Record<string, Plain>> = {}
  ): Promise<void> {
    await this.client.command(id, command, { ...values });
    await this._look(id);
  }

  /** End all requests for good. */
  dispose(): void {
    this._listeners.clear();
    this._isDisposed = true;
    this._schedule();
    this._tracks.forEach(track => track.dispose());
  }

  // -- rows ------------------------------------------------------------------------------------

  private _track(id: string): RestTrack {
    let track = this._tracks.get(id);
    if (track === undefined) {
      track = new RestTrack(
        id,
        this.client,
        {
          onNow: now => this._tell(id, { now }),
          onMarks: (marks, events) => {
            this._marks.set(id, marks);
            this._tell(id, { events });
          },
          onGone: () => {
            this._forget(id);
            this._changed();
          },
          onLost: isLost => this._tell(id, { isLost })
        },
        this._unseen
      );
      this._tracks.set(id, track);
    }
    return track;
  }

  /** A run's stream says something new of it. */
  private _tell(id: string, details: Partial<IRunDetails>): void {
    this._details.set(id, { ...this.details(id), ...details });
    const row = this._rows.get(id);
    const { now } = this.details(id);
    if (row !== undefined) {
      const progress = now?.progress ?? null;
      const isNew = details.now !== undefined && now !== null;
      this._rows.set(id, {
        ...row,
        changes: this._marks.get(id) ?? [],
        ...(isNew ? { state: now.state, message: now.message } : {}),
        ...(isNew && progress !== null
          ? { step: progress.step, totalSteps: progress.total_steps || row.totalSteps }
          : {})
      });
      if (isNew && hasEnded(now.state) !== hasEnded(row.state)) {
        this._asked = 0; // its last returns and its size are in the list only
        this._schedule();
      }
    }
    this._changed();
  }

  /** Learn what has come of an action. */
  private async _look(id: string): Promise<void> {
    const run = await this.client.run(id);
    this._tell(id, { now: run });
    this._take([run], false);
    if (!hasEnded(run.state)) {
      this._tracks.get(id)?.wake();
    }
    this._schedule();
  }

  private _take(runs: readonly IRun[], isAll: boolean): void {
    let isChanged = false;
    for (const run of runs) {
      const row = this._rowOf(run);
      const old = this._rows.get(run.id);
      if (old === undefined || JSON.stringify(old) !== JSON.stringify(row)) {
        this._rows.set(run.id, row);
        isChanged = true;
      }
      if (old !== undefined && hasEnded(old.state) && !hasEnded(run.state)) {
        this._tracks.get(run.id)?.wake();
      }
    }
    if (isChanged || isAll) {
      this._changed();
    }
  }

  /** A run's row; a stream knows sooner than the list how far it is. */
  private _rowOf(run: IRun | IRunDetail): RunRow {
    const row = rowOf(run, this._marks.get(run.id) ?? []);
    const told = this._tracks.get(run.id)?.isLive ? this.details(run.id).now : null;
    const progress = told?.progress ?? ('progress' in run ? run.progress : null);
    return {
      ...row,
      ...(told === null ? {} : { state: told.state, message: told.message }),
      ...(progress === null
        ? {}
        : { step: progress.step, totalSteps: progress.total_steps || row.totalSteps })
    };
  }

  private _forget(id: string): void {
    this._rows.delete(id);
    this._details.delete(id);
    this._marks.delete(id);
    this._tracks.get(id)?.dispose();
    this._tracks.delete(id);
  }

  private _setProblem(problem: string | null): void {
    if (problem !== this._problem) {
      this._problem = problem;
      this._changed();
    }
  }

  private _changed(): void {
    this._list = null;
    this._listeners.forEach(listener => listener());
  }

  // -- asking again ----------------------------------------------------------------------------

  private _schedule(): void {
    if (this._timer !== null) {
      clearTimeout(this._timer);
      this._timer = null;
    }
    if (this._listeners.size > 0 && this._isVisible && !this._isDisposed) {
      const left = ALL_MS - (Date.now() - this._asked);
      const wait = this._active().length > 0 ? ACTIVE_MS : Math.max(left, ACTIVE_MS);
      this._timer = setTimeout(() => void this._poll(), wait);
    }
  }

  private async _poll(): Promise<void> {
    this._timer = null;
    const active = this._active();
    if (active.length > MOST_ASKED_ALONE || Date.now() - this._asked >= ALL_MS) {
      await this.refresh();
      return;
    }
    const round = this._round;
    try {
      const runs = await Promise.all(active.map(row => this.client.run(row.id)));
      if (round === this._round) {
        this._setProblem(null);
        this._take(runs, false);
      }
    } catch {
      this._asked = 0; // one may be gone: the list says so, or why it cannot be had
    }
    this._schedule();
  }

  private _active(): RunRow[] {
    return this.rows().filter(row => !hasEnded(row.state));
  }

  private readonly _unseen: ReadonlySet<string>;
  private readonly _rows = new Map<string, RunRow>();
  private readonly _details = new Map<string, IRunDetails>();
  private readonly _marks = new Map<string, readonly StepMark[]>();
  private readonly _tracks = new Map<string, RestTrack>();
  private readonly _listeners = new Set<() => void>();
  private readonly _bands: BandRequests;
  private _list: readonly RunRow[] | null = null;
  private _problem: string | null = null;
  private _isLoaded = false;
  private _isVisible = true;
  private _isDisposed = false;
  private _asked = 0;
  private _round = 0;
  private _timer: ReturnType<typeof setTimeout> | null = null;
}

/** A run as the list shows it. */
export function rowOf(run: IRun, changes: readonly StepMark[]): RunRow {
  return {
    id: run.id,
    name: run.name,
    label: `run ${run.id.slice(-6)}`,
    envId: run.env_id,
    seed: run.seed,
    state: run.state,
    message: run.message,
    step: run.step,
    totalSteps: run.total_steps,
    meanReturn: run.mean_return,
    evalReturn: run.eval_return,
    startedAt: run.started_at,
    tags: run.tags,
    sizeBytes: run.disk_bytes,
    hyperparameters: run.spec,
    changes
  };
}
