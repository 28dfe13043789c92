/** The mean of each point and the points before it, as far as they are asked for. */
import { carryOver, forgetAfter } from './decimate';
import type { Points } from './types';

/**
 * Trailing means over one window, taken further as points come.
 *
 * The values are cut in blocks as wide as the window. A window is the end of one block and the
 * beginning of the next, whose sums are at hand; nothing is ever subtracted, so no digits are lost.
 */
class Means {
  constructor(private readonly window: number) {
    this.endSums = new Float64Array(window + 1);
    this.endCounts = new Int32Array(window + 1);
  }

  /** Take in the values that are new. */
  extend(values: Float64Array): void {
    if (values.length > this.means.length) {
      const means = new Float64Array(Math.max(values.length, 2 * this.means.length));
      means.set(this.means.subarray(0, this.length));
      carryOver(this.means.buffer, means.buffer);
      this.means = means;
    }
    for (; this.length < values.length; this.length += 1) {
      const place = this.length % this.window;
      if (place === 0 && this.length > 0) {
        this.sumBlock(values, this.length - this.window);
      }
      const value = values[this.length] as number;
      const isNumber = Number.isFinite(value);
      if (isNumber) {
        this.sum += value;
        this.count += 1;
      }
      const count = this.count + (this.endCounts[place + 1] as number);
      this.means[this.length] = isNumber
        ? (this.sum + (this.endSums[place + 1] as number)) / count
        : value;
    }
  }

  /** Forget what came from `length` values on; `values` are those before. */
  truncate(values: Float64Array): void {
    if (values.length >= this.length) {
      return;
    }
    forgetAfter(this.means.buffer, values.length);
    // From the beginning of the block before on: its sums are needed.
    const block = Math.floor(values.length / this.window);
    this.length = Math.max(block - 1, 0) * this.window;
    this.sum = this.count = 0;
    this.endSums.fill(0);
    this.endCounts.fill(0);
    const redo = this.length;
    if (redo > 0) {
      this.sumBlock(values, redo - this.window);
      this.length = redo;
    }
    // The first point of a block sums the block before anew, which is the same.
    this.extend(values);
  }

  /** Sums of the ends of the block that begins at `begin`: entry i is that of [begin + i, ...). */
  private sumBlock(values: Float64Array, begin: number): void {
    let sum = 0;
    let count = 0;
    this.endSums[this.window] = 0;
    this.endCounts[this.window] = 0;
    for (let i = this.window - 1; i >= 0; i -= 1) {
      const value = values[begin + i] as number;
      if (Number.isFinite(value)) {
        sum += value;
        count += 1;
      }
      this.endSums[i] = sum;
      this.endCounts[i] = count;
    }
    this.sum = this.count = 0;
  }

  means = new Float64Array(0);
  length = 0;
  private sum = 0;
  private count = 0;
  private readonly endSums: Float64Array;
  private readonly endCounts: Int32Array;
}

const known = new WeakMap<ArrayBufferLike, { window: number; means: Means }>();

/** Say that of the values in this memory only these are as they were; see decimate.ts. */
export function forgetMeansAfter(values: Float64Array): void {
  known.get(values.buffer)?.means.truncate(values);
}

/** Say that the values in one memory were copied to the beginning of another; see decimate.ts. */
export function carryMeansOver(from: ArrayBufferLike, to: ArrayBufferLike): void {
  const found = known.get(from);
  if (found !== undefined) {
    known.delete(from);
    known.set(to, found);
  }
}

/**
 * Each point as the mean of itself and the `window` - 1 points before it: as many as there are.
 *
 * What is not finite stays as it is and counts in no mean. The values are views: do not keep them.
 */
export function trailingMean(points: Points, window: number): Points {
  const width = Math.max(Math.floor(window), 1);
  if (width === 1) {
    return points;
  }
  const { values } = points;
  let found = known.get(values.buffer);
  if (values.byteOffset !== 0 || found === undefined || found.window !== width) {
    found = { window: width, means: new Means(width) };
    if (values.byteOffset === 0) {
      known.set(values.buffer, found);
    }
  }
  found.means.extend(values);
  return { steps: points.steps, values: found.means.means.subarray(0, values.length) };
}
