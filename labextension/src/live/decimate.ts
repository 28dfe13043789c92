/**
 * Fewer points that look the same, fast also for millions: the numbers of a series are summarised
 * in blocks once, as they come, so that a redraw looks at blocks and not at all the points.
 *
 * The summaries belong to the memory of the values: arrays over the same buffer are taken to hold
 * the same numbers from the beginning on. Whoever writes over numbers says so by `forgetAfter`.
 */
import type { Points } from './types';

const BLOCK = 64;
/** Below this many values a plain scan is as fast. */
const SMALL = 4096;
/** At most so many points are drawn of a column: the first, the lowest, the highest, the last. */
export const PER_COLUMN = 4;

/** Indices of the lowest and the highest value of each block of `BLOCK`; -1: no finite one. */
class Summary {
  /** Take in blocks that are full by now. */
  extend(values: Float64Array): void {
    const blocks = Math.floor(values.length / BLOCK);
    if (blocks > this.lows.length) {
      const room = Math.max(blocks, 2 * this.lows.length);
      this.lows = copied(this.lows, room);
      this.highs = copied(this.highs, room);
    }
    for (; this.blocks < blocks; this.blocks += 1) {
      const begin = this.blocks * BLOCK;
      let low = -1;
      let high = -1;
      let least = Infinity;
      let greatest = -Infinity;
      for (let i = begin; i < begin + BLOCK; i += 1) {
        const value = values[i] as number;
        if (value < least && value !== -Infinity) {
          least = value;
          low = i;
        }
        if (value > greatest && value !== Infinity) {
          greatest = value;
          high = i;
        }
      }
      this.lows[this.blocks] = low;
      this.highs[this.blocks] = high;
    }
  }

  truncate(length: number): void {
    this.blocks = Math.min(this.blocks, Math.floor(length / BLOCK));
  }

  blocks = 0;
  lows = new Int32Array(0);
  highs = new Int32Array(0);
}

function copied(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}

const summaries = new WeakMap<ArrayBufferLike, Summary>();

/** Say that numbers from `length` on are no longer what they were. */
export function forgetAfter(buffer: ArrayBufferLike, length: number): void {
  summaries.get(buffer)?.truncate(length);
}

/** Say that the numbers in one memory were copied to the beginning of another, for good. */
export function carryOver(from: ArrayBufferLike, to: ArrayBufferLike): void {
  const summary = summaries.get(from);
  if (summary !== undefined) {
    summaries.delete(from);
    summaries.set(to, summary);
  }
}

function summaryOf(values: Float64Array): Summary | null {
  if (values.length < SMALL || values.byteOffset !== 0) {
    return null;
  }
  let summary = summaries.get(values.buffer);
  if (summary === undefined) {
    summary = new Summary();
    summaries.set(values.buffer, summary);
  }
  summary.extend(values);
  return summary;
}

/** Index of the first step that is not below `step`. Steps do not decrease. */
export function lowerBound(steps: Float64Array, step: number, begin = 0): number {
  let low = begin;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle] as number) < step) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** Index of the first step that is above `step`. */
export function upperBound(steps: Float64Array, step: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle] as number) <= step) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** Index of the point whose step is nearest; the earlier of two; -1 when there is none. */
export function nearestIndex(steps: Float64Array, step: number): number {
  const after = lowerBound(steps, step);
  if (after === 0) {
    return steps.length > 0 ? 0 : -1;
  }
  if (after === steps.length) {
    return lowerBound(steps, steps[after - 1] as number);
  }
  const before = lowerBound(steps, steps[after - 1] as number);
  return step - (steps[before] as number) <= (steps[after] as number) - step ? before : after;
}

/** Where the extremes are. */
export type Extremes = { lowAt: number; highAt: number };

/** Indices of the lowest and the highest finite value of [begin, end); -1 when there is none. */
function extremes(
  values: Float64Array,
  summary: Summary | null,
  begin: number,
  end: number,
  found: Extremes
): void {
  let least = Infinity;
  let greatest = -Infinity;
  let lowAt = -1;
  let highAt = -1;
  let i = begin;
  while (i < end) {
    if (summary !== null && i % BLOCK === 0 && i + BLOCK <= end) {
      const block = i / BLOCK;
      const low = summary.lows[block] as number;
      if (low >= 0) {
        const high = summary.highs[block] as number;
        if ((values[low] as number) < least) {
          least = values[low] as number;
          lowAt = low;
        }
        if ((values[high] as number) > greatest) {
          greatest = values[high] as number;
          highAt = high;
        }
      }
      i += BLOCK;
      continue;
    }
    const value = values[i] as number;
    if (value < least && value !== -Infinity) {
      least = value;
      lowAt = i;
    }
    if (value > greatest && value !== Infinity) {
      greatest = value;
      highAt = i;
    }
    i += 1;
  }
  found.lowAt = lowAt;
  found.highAt = highAt;
}

/** The lowest and the highest finite value of the points [begin, end); null when there is none. */
export function lowHigh(
  points: Points,
  begin = 0,
  end = points.values.length
): { low: number; high: number } | null {
  const found: Extremes = { lowAt: -1, highAt: -1 };
  extremes(points.values, summaryOf(points.values), begin, end, found);
  if (found.lowAt < 0) {
    return null;
  }
  return { low: points.values[found.lowAt] as number, high: points.values[found.highAt] as number };
}

/**
 * The points to draw between two steps in so many columns of pixels, in their order.
 *
 * Of each column the first, the lowest, the highest and the last finite point are kept, so no peak
 * is lost; a column with nothing finite keeps one point as a gap. One point on either side comes
 * with them, so that lines run out of the picture. Few points come as they are: as views.
 */
export function minMax(points: Points, from: number, to: number, columns: number): Points {
  const { steps, values } = points;
  const begin = lowerBound(steps, from);
  const end = upperBound(steps, to);
  const first = Math.max(begin - 1, 0);
  const behind = Math.min(end + 1, steps.length);
  const count = Math.max(Math.floor(columns), 1);
  if (behind - first <= PER_COLUMN * count) {
    return { steps: steps.subarray(first, behind), values: values.subarray(first, behind) };
  }
  const summary = summaryOf(values);
  const kept = new Int32Array(PER_COLUMN * count + 2);
  let size = 0;
  if (first < begin) {
    kept[size++] = first;
  }
  const found: Extremes = { lowAt: -1, highAt: -1 };
  let at = begin;
  for (let column = 1; column <= count && at < end; column += 1) {
    const until =
      column === count ? end : lowerBound(steps, from + ((to - from) * column) / count, at);
    const next = Math.min(until, end);
    if (next > at) {
      size = keepColumn(values, summary, at, next, found, kept, size);
      at = next;
    }
  }
  if (behind > end) {
    kept[size++] = end;
  }
  const drawn = { steps: new Float64Array(size), values: new Float64Array(size) };
  for (let i = 0; i < size; i += 1) {
    drawn.steps[i] = steps[kept[i] as number] as number;
    drawn.values[i] = values[kept[i] as number] as number;
  }
  return drawn;
}

function keepColumn(
  values: Float64Array,
  summary: Summary | null,
  begin: number,
  end: number,
  found: Extremes,
  kept: Int32Array,
  size: number
): number {
  extremes(values, summary, begin, end, found);
  const { lowAt, highAt } = found;
  let length = size;
  if (lowAt < 0) {
    kept[length++] = begin;
    return length;
  }
  const earlier = Math.min(lowAt, highAt);
  const later = Math.max(lowAt, highAt);
  let head = begin;
  while (!Number.isFinite(values[head])) {
    head += 1;
  }
  let tail = end - 1;
  while (!Number.isFinite(values[tail])) {
    tail -= 1;
  }
  kept[length++] = head;
  if (earlier > head) {
    kept[length++] = earlier;
  }
  if (later > earlier) {
    kept[length++] = later;
  }
  if (tail > later) {
    kept[length++] = tail;
  }
  return length;
}
