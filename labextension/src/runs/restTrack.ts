/** The points of one run of the server: whole from REST, then as they come over its stream. */

import { hasEnded } from '../live/runFilter';
import type { FollowedSeries, RunState } from '../live/runsSource';
import { SeriesStore } from '../live/store';
import type { Points, StepMark } from '../live/types';
import { RunStream, waitFor } from './stream';
import type { IStreamListener } from './stream';
import type { IProgress, IRunEvent, IRunsClient, IStatusMessage, Item } from './types';

const FIRST_POINTS = 5000;
/** A file of fewer bytes has not so many points, so that all of them came. */
const EXACT_BYTES = FIRST_POINTS * 30;
/** Of a larger file the extremes have to do: its points are too many for a page. */
const MOST_BYTES = 64 * 2 ** 20;

/** So long, in milliseconds, the points of a run that nobody looks at are kept. */
const KEPT_MS = 60_000;

const MARKED: readonly IRunEvent['kind'][] = ['changed', 'extended', 'resumed'];

/** What a run is known to be now. */
export interface IRunNow {
  state: RunState;
  message: string;
  progress: IProgress | null;
}

/** Who is told of more than points. */
export interface ITrackListener {
  onNow(now: IRunNow): void;
  /** Live changes, extensions and resumptions, all of them. */
  onMarks(marks: readonly StepMark[], events: readonly IRunEvent[]): void;
  onGone(message: string): void;
  onLost(isLost: boolean): void;
}

/** Fills itself while somebody follows, and keeps what it has for a minute when nobody does. */
export class RestTrack implements FollowedSeries {
  /** `unseen`: metrics that are kept, but not named, because no chart shows them. */
  constructor(
    readonly id: string,
    private readonly _client: IRunsClient,
    private readonly _listener: ITrackListener,
    private readonly _unseen: ReadonlySet<string>
  ) {
    this._stream = new RunStream(
      cursors => _client.stream(id, cursors.points, cursors.events),
      async cursors => {
        await _client.metrics(id, cursors.points, 1);
        await _client.events(id, cursors.events);
      },
      this._heard
    );
  }

  get version(): number {
    return this._version;
  }

  names(): readonly string[] {
    return this._store.names().filter(name => !this._unseen.has(name));
  }

  points(metric: string): Points {
    return this._store.points(metric);
  }

  /** Everything that was measured, also what no chart shows. */
  get store(): SeriesStore {
    return this._store;
  }

  /** Whether its stream is open, or about to be. */
  get isLive(): boolean {
    return this._stream.isActive;
  }

  follow(onChange: () => void): () => void {
    const listener = (): void => onChange();
    this._followers.add(listener);
    this._keepPoints();
    if (this._followers.size === 1) {
      void this._begin();
    }
    return () => {
      // A track that was let go of has no followers any more.
      if (this._followers.delete(listener) && this._followers.size === 0) {
        this._rest();
        this._keepPoints(KEPT_MS);
      }
    };
  }

  /** The run goes on: follow it again, if anybody looks. */
  wake(): void {
    if (this._followers.size > 0 && this._isWhole) {
      this._stream.start();
    }
  }

  /** Let go of the connection for good. */
  dispose(): void {
    this._followers.clear();
    this._rest();
    this._keepPoints();
  }

  /** Keep the points for good, or for so long: a page that looks at many runs must not grow. */
  private _keepPoints(milliseconds: number | null = null): void {
    if (this._forgetting !== null) {
      clearTimeout(this._forgetting);
    }
    this._forgetting =
      milliseconds === null ? null : setTimeout(() => this._heard.onReset(), milliseconds);
  }

  private _rest(): void {
    this._round += 1;
    this._stream.stop();
    if (this._timer !== null) {
      clearTimeout(this._timer);
      this._timer = null;
    }
  }

  /** Bring the points up to date, and follow a run that goes on. */
  private async _begin(): Promise<void> {
    const round = ++this._round;
    const isCurrent = (): boolean => round === this._round;
    try {
      const run = await this._client.run(this.id);
      if (!isCurrent()) {
        return;
      }
      this._listener.onNow(run);
      if (!this._isWhole) {
        await this._load(isCurrent);
      }
      if (isCurrent() && hasEnded(run.state)) {
        await this._catchUp(isCurrent);
      }
      if (isCurrent()) {
        this._failures = 0;
        this._listener.onLost(false);
        if (!hasEnded(run.state)) {
          this._stream.start();
        }
      }
    } catch (error) {
      if (isCurrent()) {
        this._failed(error);
      }
    }
  }

  private _failed(error: unknown): void {
    const { code, status = 0 } = error as { code?: string; status?: number };
    if (code === 'not_found') {
      this._listener.onGone(String((error as Error).message));
      return;
    }
    this._listener.onLost(true);
    if (status === 400) {
      // The files were replaced: the cursors are of others.
      this._heard.onReset();
    }
    this._timer = setTimeout(() => void this._begin(), waitFor(this._failures++));
  }

  /** The whole curve: at once as the extremes of its parts, then, where that was less, exact. */
  private async _load(isCurrent: () => boolean): Promise<void> {
    const { series, cursor } = await this._client.series(this.id, FIRST_POINTS);
    if (!isCurrent()) {
      return;
    }
    const store = new SeriesStore();
    for (const [metric, { steps, values }] of Object.entries(series)) {
      store.append(metric, Float64Array.from(steps), numbers(values));
    }
    this._show(store, cursor);
    if (cursor >= EXACT_BYTES && cursor <= MOST_BYTES) {
      const exact = await readAll(this._client, this.id, isCurrent);
      if (!isCurrent()) {
        return;
      }
      this._show(exact.store, exact.cursor);
    }
    this._isWhole = true;
  }

  /** What came since, of a run that has no stream. */
  private async _catchUp(isCurrent: () => boolean): Promise<void> {
    const { cursors } = this._stream;
    for (;;) {
      const { items, cursor } = await this._client.metrics(this.id, cursors.points);
      if (!isCurrent() || cursor === cursors.points) {
        break;
      }
      cursors.points = cursor;
      this._heard.onItems(items);
    }
    for (;;) {
      const { items, cursor } = await this._client.events(this.id, cursors.events);
      if (!isCurrent() || cursor === cursors.events) {
        break;
      }
      cursors.events = cursor;
      this._heard.onEvents(items);
    }
  }

  private _show(store: SeriesStore, cursor: number): void {
    this._store = store;
    this._stream.cursors.points = cursor;
    this._changed();
  }

  private _changed(): void {
    this._version += 1;
    this._followers.forEach(listener => listener());
  }

  /** What the stream tells. */
  private readonly _heard: IStreamListener = {
    onStatus: (status: IStatusMessage) => this._listener.onNow(status),
    onItems: (items: readonly Item[]) => {
      put(this._store, items);
      this._changed();
    },
    onEvents: (events: readonly IRunEvent[]) => {
      this._events = [...this._events, ...events];
      this._listener.onMarks(marksOf(this._events), this._events);
    },
    onEnd: () => undefined,
    onGone: (message: string) => this._listener.onGone(message),
    onReset: () => {
      this._stream.cursors.events = 0;
      this._isWhole = false;
      this._events = [];
      this._show(new SeriesStore(), 0);
    },
    onLost: (isLost: boolean) => this._listener.onLost(isLost)
  };

  private readonly _stream: RunStream;
  private readonly _followers = new Set<() => void>();
  private _store = new SeriesStore();
  private _events: readonly IRunEvent[] = [];
  private _isWhole = false;
  private _version = 0;
  private _round = 0;
  private _failures = 0;
  private _timer: ReturnType<typeof setTimeout> | null = null;
  private _forgetting: ReturnType<typeof setTimeout> | null = null;
}

/** Every point of a run, and the cursor behind them. */
export async function readAll(
  client: IRunsClient,
  id: string,
  isWanted: () => boolean = () => true
): Promise<{ store: SeriesStore; cursor: number }> {
  const store = new SeriesStore();
  let since = 0;
  while (isWanted()) {
    const { items, cursor } = await client.metrics(id, since);
    if (cursor === since) {
      break;
    }
    put(store, items);
    since = cursor;
  }
  return { store, cursor: since };
}

/** Live changes, extensions and resumptions, for the charts. */
export function marksOf(events: readonly IRunEvent[]): StepMark[] {
  return events
    .filter(event => MARKED.includes(event.kind))
    .map(({ step, message, kind }) => ({ step, text: message || kind }));
}

function put(store: SeriesStore, items: readonly Item[]): void {
  for (const item of items) {
    if ('rewind' in item) {
      store.rewind(item.rewind);
    } else {
      for (const [metric, value] of Object.entries(item.values)) {
        store.push(metric, item.step, value ?? NaN);
      }
    }
  }
}

function numbers(values: readonly (number | null)[]): Float64Array {
  return Float64Array.from(values, value => value ?? NaN);
}
