/** Training runs in memory: what the service answers, and sockets that a test has in hand. */

import { RequestError } from '../connection';
import type { RunCommand } from '../live/runsSource';
import type {
  IBand,
  IBatch,
  ICharts,
  IHyperparameters,
  IMadeRuns,
  INewRuns,
  IProgress,
  IRun,
  IRunDetail,
  IRunEvent,
  IRunsClient,
  ISeries,
  ISetting,
  Item,
  IUsage,
  StreamMessage
} from '../runs/types';

/** A connection whose other end is the test. */
export class MemorySocket {
  constructor(
    readonly since: number,
    readonly eventsSince: number
  ) {}

  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  isClosed = false;

  close(): void {
    this.isClosed = true;
  }

  send(message: StreamMessage): void {
    this.onopen?.();
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  break(code = 1006, reason = ''): void {
    this.isClosed = true;
    this.onclose?.({ code, reason });
  }
}

export function point(step: number, value: number | null, metric = 'return'): Item {
  return { step, values: { [metric]: value } };
}

export function runOf(id: string, change: Partial<IRun> = {}): IRun {
  return {
    id,
    user: 'sam',
    name: '',
    tags: [],
    env_id: 'CartPole-v1',
    seed: 0,
    state: 'running',
    position: null,
    step: 0,
    total_steps: 1000,
    message: '',
    created_at: '2026-01-02T03:04:05+00:00',
    started_at: '2026-01-02T03:04:05+00:00',
    ended_at: null,
    disk_bytes: 1000,
    spec: { env_id: 'CartPole-v1', seed: 0, learning_rate: 0.001, total_steps: 1000 },
    mean_return: null,
    eval_return: null,
    ...change
  };
}

export function progressOf(step: number, change: Partial<IProgress> = {}): IProgress {
  return {
    step,
    total_steps: 1000,
    update: 1,
    seconds: 2,
    steps_per_second: 500,
    seconds_left: 3,
    checkpoint_step: null,
    ...change
  };
}

function settingOf(name: string, change: Partial<ISetting> = {}): ISetting {
  return {
    name,
    group: 'update',
    kind: 'schedule',
    low: 1e-8,
    high: 1,
    default: 0.0003,
    unit: 'per gradient step',
    meaning: 'step size of Adam',
    can_be_none: false,
    is_live: false,
    choices: [],
    ...change
  };
}

/** Lines of a run's files; a cursor is the number of lines. */
export class MemoryRuns implements IRunsClient {
  readonly list: IRunDetail[] = [];
  readonly items = new Map<string, Item[]>();
  readonly happened = new Map<string, IRunEvent[]>();
  readonly sockets: MemorySocket[] = [];
  readonly asked: string[] = [];
  readonly commands: [string, RunCommand, unknown][] = [];
  readonly created: [INewRuns, string][] = [];
  readonly aggregated: string[] = [];
  bands: IBand[] = [];
  /** What the next request rejects with. */
  refusal: Error | null = null;

  add(id: string, change: Partial<IRun> = {}, progress: IProgress | null = null): IRunDetail {
    const run = { ...runOf(id, change), progress };
    this.list.push(run);
    return run;
  }

  measure(id: string, ...items: Item[]): void {
    this.items.set(id, [...(this.items.get(id) ?? []), ...items]);
  }

  async runs(): Promise<IRun[]> {
    this._ask('runs');
    return this.list.map(run => {
      const copy: Partial<IRunDetail> = { ...run };
      delete copy.progress; // lists are without it
      return copy as IRun;
    });
  }

  async run(id: string): Promise<IRunDetail> {
    this._ask(`run ${id}`);
    return { ...this._find(id) };
  }

  async create(asked: INewRuns, key: string): Promise<IMadeRuns> {
    this._ask('create');
    this.created.push([asked, key]);
    const seeds = asked.seeds ?? [0];
    const items = seeds.map(seed =>
      this.add(`new${this.list.length}`, { seed, name: asked.name, state: 'queued' })
    );
    return { items, warnings: ['The batch size does not divide the rollout.'] };
  }

  async command(id: string, command: RunCommand, values: unknown): Promise<void> {
    this._ask('command');
    this.commands.push([id, command, values]);
  }

  async rename(id: string, name: string, tags: readonly string[]): Promise<void> {
    this._ask('rename');
    Object.assign(this._find(id), { name, tags: [...tags] });
  }

  async remove(id: string): Promise<void> {
    this._ask('remove');
    this.list.splice(this.list.indexOf(this._find(id)), 1);
  }

  async charts(): Promise<ICharts> {
    this._ask('charts');
    const series = [{ metric: 'return', label: 'episode', mark: 'dots' as const }];
    const [unit, meaning] = ['reward per episode', 'The sum of rewards.'];
    const items = [
      { key: 'return', title: 'Return', unit, meaning, low: null, high: null, series }
    ];
    return { items, without_chart: ['length'] };
  }

  async hyperparameters(envId: string): Promise<IHyperparameters> {
    this._ask(`hyperparameters ${envId}`);
    return {
      items: [
        settingOf('total_steps', {
          kind: 'whole',
          low: 2,
          high: 1e9,
          default: 100_000,
          unit: 'steps',
          meaning: 'length'
        }),
        settingOf('learning_rate', { is_live: true }),
        settingOf('target_kl', { kind: 'number', high: 100, default: null, can_be_none: true }),
        settingOf('normalize_advantage', { kind: 'flag', default: true, unit: '' }),
        settingOf('policy_layers', {
          group: 'network',
          kind: 'layers',
          low: 1,
          high: 4096,
          default: [64, 64]
        })
      ],
      env_id: envId,
      default_preset: 'cartpole-fast',
      presets: [
        { name: 'cartpole-fast', values: { total_steps: 60_000 } },
        { name: 'sb3-defaults', values: {} }
      ]
    };
  }

  async usage(): Promise<IUsage> {
    const [quota, usage] = [
      { running: 2, queued: 50, disk_mb: 2048, runs: 500 },
      { running: 0, queued: 0, disk_bytes: 0, runs: 0 }
    ];
    return { quota, usage };
  }

  async metrics(id: string, since: number, limit = 10_000): Promise<IBatch<Item>> {
    this._ask(`metrics ${id} ${since}`);
    this._find(id);
    const items = this.items.get(id) ?? [];
    if (since > items.length) {
      throw new RequestError('since: it is not a cursor.', 'invalid_input', 400, 'since');
    }
    const part = items.slice(since, since + limit);
    return { items: part, cursor: since + part.length };
  }

  async series(id: string, points: number): Promise<ISeries> {
    this._ask(`series ${id} ${points}`);
    const series: ISeries['series'] = {};
    const items = this.items.get(id) ?? [];
    for (const item of items) {
      for (const [name, value] of 'values' in item ? Object.entries(item.values) : []) {
        const curve = (series[name] ??= { steps: [], values: [] });
        curve.steps.push((item as { step: number }).step);
        curve.values.push(value);
      }
    }
    return { series, cursor: items.length };
  }

  async events(id: string, since: number): Promise<IBatch<IRunEvent>> {
    this._ask(`events ${id} ${since}`);
    const items = (this.happened.get(id) ?? []).slice(since);
    return { items, cursor: since + items.length };
  }

  async aggregate(
    ids: readonly string[],
    metrics: readonly string[],
    statistic: string
  ): Promise<IBand[]> {
    this.aggregated.push(`${ids.join()} ${metrics.join()} ${statistic}`);
    this._ask('aggregate');
    return this.bands;
  }

  async model(id: string): Promise<{ name: string; data: Blob }> {
    this._ask('model');
    return { name: `${id}.zip`, data: new Blob(['zip']) };
  }

  async log(): Promise<string> {
    return 'It said <b>this</b>.';
  }

  stream(_id: string, since: number, eventsSince: number): WebSocket {
    const socket = new MemorySocket(since, eventsSince);
    this.sockets.push(socket);
    return socket as unknown as WebSocket;
  }

  /** The connection that was opened last. */
  get socket(): MemorySocket {
    const last = this.sockets[this.sockets.length - 1];
    if (last === undefined) {
      throw new Error('No connection was opened.');
    }
    return last;
  }

  private _find(id: string): IRunDetail {
    const found = this.list.find(run => run.id === id);
    if (found === undefined) {
      throw new RequestError(`There is no training run ${id}.`, 'not_found', 404, 'run');
    }
    return found;
  }

  private _ask(what: string): void {
    this.asked.push(what);
    if (this.refusal !== null) {
      const refusal = this.refusal;
      this.refusal = null;
      throw refusal;
    }
  }
}
