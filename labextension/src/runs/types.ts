/** What the REST service answers about training runs; see jupyter_ppo/web/openapi.json. */

import type { Plain, RunCommand, RunState, Statistic } from '../live/runsSource';
import type { ChartDescription } from '../live/types';
import type { IFile } from '../instructor/gradingTypes';

/** How far a run is by its worker: steps of all copies, seconds of training without pauses. */
export interface IProgress {
  step: number;
  total_steps: number;
  update: number;
  seconds: number;
  steps_per_second: number;
  seconds_left: number | null;
  checkpoint_step: number | null;
}

/** One run, as lists have it. */
export interface IRun {
  id: string;
  user: string;
  name: string;
  tags: string[];
  env_id: string;
  seed: number;
  state: RunState;
  position: number | null;
  step: number;
  total_steps: number;
  message: string;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  disk_bytes: number;
  spec: Record<string, Plain>;
  mean_return: number | null;
  eval_return: number | null;
}

export interface IRunDetail extends IRun {
  progress: IProgress | null;
}

/** What was measured at one moment; null where it is not defined. */
export interface IPoint {
  step: number;
  values: Record<string, number | null>;
}

/** Points after this step do not count any more. */
export interface IRewind {
  rewind: number;
}

export type Item = IPoint | IRewind;

/** Some of a list that grows, and where to go on. */
export interface IBatch<T> {
  items: T[];
  cursor: number;
}

export interface ISeries {
  series: Record<string, { steps: number[]; values: (number | null)[] }>;
  cursor: number;
}

export interface IRunEvent {
  at: string;
  kind: 'state' | 'changed' | 'extended' | 'resumed' | 'solved' | 'warning';
  step: number;
  message: string;
  data: Record<string, unknown>;
}

export interface IBand {
  ids: string[];
  metric: string;
  steps: number[];
  centre: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
}

export interface ICharts {
  items: ChartDescription[];
  without_chart: string[];
}

export type SettingKind = 'number' | 'whole' | 'flag' | 'schedule' | 'layers' | 'choice';

/** One setting of a run: bounds, default, unit and meaning. */
export interface ISetting {
  name: string;
  group: string;
  kind: SettingKind;
  low: number;
  high: number;
  default: Plain;
  unit: string;
  meaning: string;
  can_be_none: boolean;
  is_live: boolean;
  choices: string[];
}

/** Every setting, and the presets that there are for an environment. */
export interface IHyperparameters {
  items: ISetting[];
  env_id: string;
  default_preset: string;
  presets: { name: string; values: Record<string, Plain> }[];
}

/** What one person may use, and uses now. */
export interface IUsage {
  quota: { running: number; queued: number; disk_mb: number; runs: number };
  usage: { running: number; queued: number; disk_bytes: number; runs: number };
}

export interface INewRuns {
  name: string;
  tags: string[];
  preset?: string;
  spec: Record<string, Plain>;
  seeds?: number[];
}

/** The runs of one request, and what is probably not meant. */
export interface IMadeRuns {
  items: IRun[];
  warnings: string[];
}

/** The messages of a run's stream. */
export interface IStatusMessage {
  type: 'status';
  state: RunState;
  position: number | null;
  message: string;
  progress: IProgress | null;
}

export type StreamMessage =
  | IStatusMessage
  | { type: 'points'; cursor: number; items: Item[] }
  | { type: 'event'; cursor: number; items: IRunEvent[] }
  | { type: 'end' };

/** What the panel asks of the training service. */
export interface IRunsClient {
  /** The caller's own runs, newest first. */
  runs(): Promise<IRun[]>;
  run(id: string): Promise<IRunDetail>;
  create(asked: INewRuns, key: string): Promise<IMadeRuns>;
  command(id: string, command: RunCommand, values: Record<string, Plain>): Promise<void>;
  rename(id: string, name: string, tags: readonly string[]): Promise<void>;
  remove(id: string): Promise<void>;
  charts(): Promise<ICharts>;
  hyperparameters(envId: string): Promise<IHyperparameters>;
  usage(): Promise<IUsage>;
  metrics(id: string, since: number, limit?: number): Promise<IBatch<Item>>;
  series(id: string, points: number): Promise<ISeries>;
  events(id: string, since: number): Promise<IBatch<IRunEvent>>;
  aggregate(
    ids: readonly string[],
    metrics: readonly string[],
    statistic: Statistic
  ): Promise<IBand[]>;
  model(id: string): Promise<IFile>;
  log(id: string): Promise<string>;
  stream(id: string, since: number, eventsSince: number): WebSocket;
}
