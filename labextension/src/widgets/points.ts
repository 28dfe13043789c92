/** The view's side of the points protocol; widgets/points.py describes it. */
import { SeriesStore } from '../live/store';
import type { WidgetModel } from './model';

/** What a kernel says about points of one run: go back, or append. */
type Op = { rewind: number } | { metric: string; count: number };
type TrackOps = { id: string; ops: Op[] };
type Message =
  | { type: 'points'; seq: number; tracks: TrackOps[] }
  | { type: 'points'; to: string; part: number; last: boolean; tracks: TrackOps[] }
  | { type: 'reset'; to: string; asked: number; seq: number };

/** While points come and the history does not, it is asked for again after so long. */
const ASK_AGAIN_MS = 5000;
const ASK_AGAIN_MS_AT_MOST = 60_000;

/** A message's buffer as float64; it may lie anywhere in a larger one. */
export function asFloat64(buffer: ArrayBuffer | ArrayBufferView | undefined): Float64Array {
  if (buffer === undefined) {
    return new Float64Array(0);
  }
  const bytes = ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);
  return new Float64Array(bytes.slice().buffer);
}

/** Takes numbers from the front of a buffer, as views. */
class Numbers {
  constructor(private readonly values: Float64Array) {}

  take(count: number): Float64Array {
    this.place += count;
    return this.values.subarray(this.place - count, this.place);
  }

  private place = 0;
}

/** The stores of the runs of one view, filled by its kernel; a gap is noticed and filled. */
export class PointsClient {
  /** `onChange` is called when points came. */
  constructor(
    private readonly model: WidgetModel,
    private readonly onChange: () => void
  ) {
    model.on('msg:custom', this.receive);
  }

  /** Whether all that the kernel had when asked is here. */
  get isComplete(): boolean {
    return this.state === 'complete';
  }

  /** The points of a run; empty ones for a run that has none yet. */
  source(id: string): SeriesStore {
    let store = this.stores.get(id);
    if (store === undefined) {
      store = new SeriesStore();
      this.stores.set(id, store);
    }
    return store;
  }

  /** Forget all runs but these. */
  keep(ids: readonly string[]): void {
    for (const id of [...this.stores.keys()].filter(one => !ids.includes(one))) {
      this.stores.delete(id);
    }
  }

  /** Ask for everything. */
  start(): void {
    this.asked += 1;
    this.askAgainMs = ASK_AGAIN_MS;
    this.ask();
  }

  dispose(): void {
    window.clearTimeout(this.timer);
    this.model.off('msg:custom', this.receive);
    this.stores.clear();
  }

  private ask(): void {
    this.state = 'asked';
    this.askedAt = Date.now();
    this.model.send({ type: 'history', from: this.id, asked: this.asked });
  }

  private readonly receive = (content: Message, buffers: readonly ArrayBufferView[]): void => {
    if (content.type === 'reset') {
      if (content.to === this.id && content.asked === this.asked) {
        this.reset(content.seq);
      }
    } else if (content.type !== 'points') {
      return;
    } else if ('seq' in content) {
      this.takeNew(content.seq, content.tracks, buffers[0]);
    } else if (content.to === this.id) {
      this.takePart(content.part, content.last, content.tracks, buffers[0]);
    }
  };

  private reset(seq: number): void {
    for (const store of this.stores.values()) {
      store.clear();
    }
    this.seq = seq;
    this.part = 0;
    this.state = 'filling';
    this.startAgainLater();
  }

  private takePart(
    part: number,
    last: boolean,
    tracks: readonly TrackOps[],
    buffer: ArrayBufferView | undefined
  ): void {
    if (this.state !== 'filling') {
      return;
    }
    if (part !== this.part) {
      this.start();
      return;
    }
    this.part += 1;
    this.apply(tracks, buffer);
    this.startAgainLater();
    if (last) {
      window.clearTimeout(this.timer);
      this.startAgainMs = ASK_AGAIN_MS;
      this.state = 'complete';
    }
    this.onChange();
  }

  private takeNew(
    seq: number,
    tracks: readonly TrackOps[],
    buffer: ArrayBufferView | undefined
  ): void {
    if (this.state === 'asked') {
      // The answer will hold this. A kernel that is busy answers late, so it is not pressed.
      if (Date.now() - this.askedAt > this.askAgainMs) {
        this.askAgainMs = Math.min(2 * this.askAgainMs, ASK_AGAIN_MS_AT_MOST);
        this.ask();
      }
      return;
    }
    if (this.state !== 'complete' || seq > this.seq + 1) {
      this.start();
      return;
    }
    if (seq <= this.seq) {
      return;
    }
    this.seq = seq;
    this.apply(tracks, buffer);
    this.onChange();
  }

  private apply(tracks: readonly TrackOps[], buffer: ArrayBufferView | undefined): void {
    const numbers = new Numbers(asFloat64(buffer));
    for (const { id, ops } of tracks) {
      const store = this.source(id);
      for (const op of ops) {
        if ('rewind' in op) {
          store.rewind(op.rewind);
        } else {
          store.append(op.metric, numbers.take(op.count), numbers.take(op.count));
        }
      }
    }
  }

  /** A part of the history may be lost, and no other message follow; or the line is slow. */
  private startAgainLater(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.startAgainMs = Math.min(2 * this.startAgainMs, ASK_AGAIN_MS_AT_MOST);
      this.start();
    }, this.startAgainMs);
  }

  private readonly id = crypto.getRandomValues(new Uint32Array(2)).join('-');
  private readonly stores = new Map<string, SeriesStore>();
  private state: 'asked' | 'filling' | 'complete' = 'asked';
  private asked = 0;
  private askedAt = 0;
  private askAgainMs = ASK_AGAIN_MS;
  private startAgainMs = ASK_AGAIN_MS;
  private seq = 0;
  private part = 0;
  private timer: number | undefined;
}
