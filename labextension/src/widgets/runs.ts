/** The list of runs in a notebook: `widgets/run_board.py` is the kernel's side. */
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
import { RunsView } from '../live/runsView';
import type { RunsViewState } from '../live/runsView';
import type { ChartDescription } from '../live/types';
import type { WidgetModel, WidgetView } from './model';
import { asFloat64, PointsClient } from './points';

type Message =
  | {
      type: 'list';
      to: string;
      seq: number;
      charts: readonly ChartDescription[];
      settings: readonly SettingDescription[];
      rows: readonly RunRow[];
    }
  | { type: 'rows'; seq: number; rows: readonly RunRow[]; gone: readonly string[] }
  | { type: 'done'; id: string; error?: string; filename?: string; bands?: BandOfKernel[] };
type BandOfKernel = { metric: string; ids: readonly string[]; count: number };
type Answer = {
  readonly filename: string;
  readonly bands: readonly BandOfKernel[];
  readonly buffer: ArrayBufferView | undefined;
};
type Question = {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
};
type Asked = { ids: readonly string[]; statistic: Statistic; metrics: string[] };

/** While the list does not come it is asked for again, ever less often: the kernel may be busy. */
const ASK_AGAIN_MS = 5000;
const ASK_AGAIN_MS_AT_MOST = 60_000;

/** The runs that a kernel knows. Made when the kernel has sent its list. */
class KernelRuns implements RunsSource {
  readonly charts: readonly ChartDescription[];
  readonly settings: readonly SettingDescription[];

  constructor(
    private readonly model: WidgetModel,
    list: Extract<Message, { type: 'list' }>,
    private readonly id: string,
    private readonly askForList: () => void
  ) {
    this.seq = list.seq;
    this.charts = list.charts;
    this.settings = list.settings;
    this.known = new Map(list.rows.map(row => [row.id, row]));
    this.points = new PointsClient(model, () => this.followers.forEach(call => call()));
    model.on('msg:custom', this.receive);
    this.points.start();
  }

  /** Take the whole list anew. */
  take(rows: readonly RunRow[], seq: number): void {
    this.seq = seq;
    this.known = new Map(rows.map(row => [row.id, row]));
    this.listeners.forEach(call => call());
  }

  dispose(): void {
    this.model.off('msg:custom', this.receive);
    this.points.dispose();
    this.listeners.clear();
    this.followers.clear();
  }

  rows(): readonly RunRow[] {
    return [...this.known.values()];
  }

  onRows(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  track(id: string): FollowedSeries {
    let found = this.tracks.get(id);
    if (found === undefined) {
      const store = this.points.source(id);
      found = {
        names: () => store.names(),
        points: metric => store.points(metric),
        get version() {
          return store.version;
        },
        follow: onChange => {
          // The kernel fills the store of every run that is checked; several may listen.
          const call = (): void => onChange();
          this.followers.add(call);
          return () => this.followers.delete(call);
        }
      };
      this.tracks.set(id, found);
    }
    return found;
  }

  /** What is asked for at once goes in one message. */
  async bands(
    ids: readonly string[],
    metric: string,
    statistic: Statistic
  ): Promise<readonly BandValues[]> {
    const found = await this.askBands(ids, metric, statistic);
    return found.get(metric) ?? [];
  }

  async rename(id: string, name: string, tags: readonly string[]): Promise<void> {
    await this.ask({ action: 'rename', run: id, name, tags });
  }

  async delete(id: string): Promise<void> {
    await this.ask({ action: 'delete', run: id });
  }

  async command(
    id: string,
    command: RunCommand,
    values: Readonly<Record<string, Plain>> = {}
  ): Promise<void> {
    await this.ask({ action: 'command', run: id, command, values });
  }

  async download(id: string, what: 'model' | 'metrics'): Promise<void> {
    const { filename, buffer } = await this.ask({ action: 'download', run: id, what });
    const bytes = buffer
      ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).slice()
      : new Uint8Array(0);
    const type = what === 'model' ? 'application/zip' : 'text/csv';
    const url = URL.createObjectURL(new Blob([bytes], { type }));
    const link = document.createElement('a');
    link.href = url;
    link.download = filename;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  private askBands(
    ids: readonly string[],
    metric: string,
    statistic: Statistic
  ): Promise<ReadonlyMap<string, readonly BandValues[]>> {
    const { waiting } = this;
    if (waiting?.asked.statistic === statistic && String(waiting.asked.ids) === String(ids)) {
      waiting.asked.metrics.push(metric);
      return waiting.answer;
    }
    const asked: Asked = { ids, statistic, metrics: [metric] };
    const answer = Promise.resolve().then(async () => {
      this.waiting = null;
      const { bands, buffer } = await this.ask({ action: 'bands', ...asked });
      return valuesOf(bands, asFloat64(buffer));
    });
    this.waiting = { asked, answer };
    return answer;
  }

  private ask(question: Readonly<Record<string, unknown>>): Promise<Answer> {
    this.count += 1;
    const id = `${this.id}-${this.count}`;
    return new Promise((resolve, reject) => {
      this.questions.set(id, { resolve, reject });
      this.model.send({ type: 'do', id, ...question });
    });
  }

  private readonly receive = (content: Message, buffers: readonly ArrayBufferView[]): void => {
    if (content.type === 'rows') {
      if (content.seq > this.seq + 1) {
        this.askForList(); // something before it was lost
      }
      this.seq = Math.max(this.seq, content.seq);
      content.rows.forEach(row => this.known.set(row.id, row));
      for (const id of content.gone) {
        this.known.delete(id);
        this.tracks.delete(id);
      }
      this.listeners.forEach(call => call());
    } else if (content.type === 'done') {
      const question = this.questions.get(content.id);
      this.questions.delete(content.id);
      if (content.error !== undefined) {
        question?.reject(new Error(content.error));
      } else {
        const { filename = '', bands = [] } = content;
        question?.resolve({ filename, bands, buffer: buffers[0] });
      }
    }
  };

  private known: Map<string, RunRow>;
  private seq: number;
  private readonly points: PointsClient;
  private readonly tracks = new Map<string, FollowedSeries>();
  private readonly listeners = new Set<() => void>();
  private readonly followers = new Set<() => void>();
  private readonly questions = new Map<string, Question>();
  private waiting: {
    asked: Asked;
    answer: Promise<ReadonlyMap<string, readonly BandValues[]>>;
  } | null = null;
  private count = 0;
}

/** Divide the numbers of an answer among its bands, by their metric. */
function valuesOf(
  bands: readonly BandOfKernel[],
  numbers: Float64Array
): Map<string, readonly BandValues[]> {
  const found = new Map<string, BandValues[]>();
  let place = 0;
  const take = (count: number): Float64Array => numbers.subarray(place, (place += count));
  for (const { metric, ids, count } of bands) {
    const band = {
      ids,
      steps: take(count),
      centre: take(count),
      low: take(count),
      high: take(count)
    };
    found.set(metric, [...(found.get(metric) ?? []), band]);
  }
  return found;
}

/** The kind "runs". */
export const runs: WidgetView = (model: WidgetModel, element: HTMLElement) => {
  const id = crypto.getRandomValues(new Uint32Array(2)).join('-');
  let source: KernelRuns | null = null;
  let view: RunsView | null = null;
  let pause = ASK_AGAIN_MS;
  let timer: number | undefined;
  const ask = (): void => {
    window.clearTimeout(timer);
    model.send({ type: 'list', from: id });
    timer = window.setTimeout(ask, pause);
    pause = Math.min(2 * pause, ASK_AGAIN_MS_AT_MOST);
  };

  const receive = (content: Message): void => {
    if (content.type !== 'list' || content.to !== id) {
      return;
    }
    window.clearTimeout(timer);
    pause = ASK_AGAIN_MS;
    if (source !== null) {
      source.take(content.rows, content.seq);
      return;
    }
    source = new KernelRuns(model, content, id, ask);
    const state = model.get('view') as Partial<RunsViewState>;
    view = new RunsView(element, source, state, changed => {
      model.set('view', changed);
      model.save_changes();
    });
  };
  const showState = (): void => view?.setState(model.get('view') as Partial<RunsViewState>);

  model.on('msg:custom', receive);
  model.on('change:view', showState);
  ask();
  return () => {
    window.clearTimeout(timer);
    model.off('msg:custom', receive);
    model.off('change:view', showState);
    view?.dispose();
    source?.dispose();
  };
};
