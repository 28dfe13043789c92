/**
 * Where a list of runs comes from: the kernel (`widgets/runs.ts`) or the server (`runs/restSource.ts`).
 *
 * What can fail returns a promise; its `Error` has a sentence for the user as message.
 */
import type { ChartDescription, SeriesSource, StepMark } from './types';

/** The values of `domain/training.py`. */
export type RunState =
  'queued' | 'starting' | 'running' | 'paused' | 'finished' | 'stopped' | 'interrupted' | 'failed';

export type RunCommand = 'pause' | 'resume' | 'stop' | 'extend' | 'set';

/** The values of `domain/statistics.py`. */
export type Statistic = 'median_iqr' | 'iqm_bootstrap';

/** Each run as its own line, or what is made of the runs of a setting. */
export type Grouping = 'runs' | Statistic;

/** A value as JSON has it: what a hyperparameter may be. */
export type Plain =
  null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

/** One run of the list. */
export type RunRow = {
  readonly id: string;
  /** What its owner called it; may be empty. */
  readonly name: string;
  /** What it is called in the list when it has no name, such as the name of its folder. */
  readonly label: string;
  readonly envId: string;
  /** null for a loop of one's own that does not say it. */
  readonly seed: number | null;
  readonly state: RunState;
  /** Why it ended as it did; otherwise empty. */
  readonly message: string;
  readonly step: number;
  /** 0 while it is not known. */
  readonly totalSteps: number;
  /** The newest of each; null when there is none. */
  readonly meanReturn: number | null;
  readonly evalReturn: number | null;
  /** ISO 8601 with time zone; null when it has not begun. */
  readonly startedAt: string | null;
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  /** The run's spec as JSON, also `env_id`, `env_kwargs` and `seed`. */
  readonly hyperparameters: Readonly<Record<string, Plain>>;
  /** Live changes, extensions, resumptions. */
  readonly changes: readonly StepMark[];
  /** What shows it in a notebook, such as `LiveRun("runs/mine")`. */
  readonly code?: string;
};

/** What a setting means; in the order of forms and tables. */
export type SettingDescription = {
  readonly name: string;
  readonly group: string;
  readonly unit: string;
  readonly meaning: string;
};

/** Points of a run that come while somebody follows. */
export type FollowedSeries = SeriesSource & {
  /** Fill the series, and call `onChange` after each change; returns what ends that. */
  follow(onChange: () => void): () => void;
};

/** An interval over the runs `ids`, which have one setting. */
export type BandValues = {
  readonly ids: readonly string[];
  readonly steps: Float64Array;
  readonly centre: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
};

export type RunsSource = {
  /** What is drawn, in order. */
  readonly charts: readonly ChartDescription[];
  /** All settings that a run may have. */
  readonly settings: readonly SettingDescription[];
  /** The runs known now, in any order. */
  rows(): readonly RunRow[];
  /**
   * Call `listener` after each change of `rows()`, and soon after this call. Rows that did not change
   * stay the same objects. Returns what ends that.
   */
  onRows(listener: () => void): () => void;
  /** The points of a run, the same object for the same id. */
  track(id: string): FollowedSeries;
  /** One interval for each group of equal settings among `ids` that has points of the metric. */
  bands(
    ids: readonly string[],
    metric: string,
    statistic: Statistic
  ): Promise<readonly BandValues[]>;
  rename(id: string, name: string, tags: readonly string[]): Promise<void>;
  /** For ever, with all files. */
  delete(id: string): Promise<void>;
  /** Give the file to the browser; resolves when that has begun. */
  download(id: string, what: 'model' | 'metrics'): Promise<void>;
  command(id: string, command: RunCommand, values?: Readonly<Record<string, Plain>>): Promise<void>;
  /** Show one run by itself; without it the list has no button for that. */
  open?(id: string): void;
};
