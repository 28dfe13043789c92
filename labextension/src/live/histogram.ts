/** Counts of values in intervals, and the round numbers beside them. */

/** Counts of values: `counts[i]` lie from `edges[i]` to below `edges[i + 1]`. */
export interface IBins {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  /** How many values lie beyond the edges; they count in the first and in the last interval. */
  readonly below: number;
  readonly above: number;
}

const MOST_BINS = 60;

/** Count values in intervals of equal width from `low` on. */
export function countInBins(
  values: ArrayLike<number>,
  low: number,
  width: number,
  count: number
): IBins {
  const counts = new Array<number>(count).fill(0);
  let [below, above] = [0, 0];
  for (let index = 0; index < values.length; index++) {
    const at = Math.floor(((values[index] ?? NaN) - low) / width);
    if (Number.isNaN(at)) {
      continue;
    }
    below += at < 0 ? 1 : 0;
    above += at >= count ? 1 : 0;
    const bin = Math.min(Math.max(at, 0), count - 1);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const edges = Array.from({ length: count + 1 }, (_, index) => low + width * index);
  return { edges, counts, below, above };
}

/**
 * Count values between `low` and `high` so that `anchor` is an edge. Intervals are of this width,
 * or of twice, four times, ... of it where there would be too many.
 */
export function binsAround(
  values: ArrayLike<number>,
  anchor: number,
  width: number,
  low: number,
  high: number
): IBins {
  while ((high - low) / width > MOST_BINS) {
    width *= 2;
  }
  const from = Math.ceil((anchor - low) / width - 1e-9);
  const to = Math.ceil((high - anchor) / width - 1e-9);
  return countInBins(values, anchor - from * width, width, from + to);
}

/** Count the decimal logarithms of values from 10^low to 10^high; the edges are logarithms. */
export function logBins(
  values: ArrayLike<number>,
  low: number,
  high: number,
  perDecade: number
): IBins {
  const logs = Array.from(values, value => (value > 0 ? Math.log10(value) : -Infinity));
  return countInBins(logs, low, 1 / perDecade, (high - low) * perDecade);
}

/** Round numbers from `low` to `high`, at most `most`, 1, 2 or 5 times a power of ten apart. */
export function roundTicks(low: number, high: number, most: number): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) {
    return [low];
  }
  let step = 10 ** Math.floor(Math.log10(span / most));
  for (const factor of [2, 2.5, 2, 2, 2.5, 2]) {
    if (Math.floor(high / step) - Math.ceil(low / step) + 1 <= most) {
      break;
    }
    step *= factor;
  }
  const ticks = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index++) {
    ticks.push(Number((index * step).toPrecision(12)));
  }
  return ticks;
}
