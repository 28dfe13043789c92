/** From series to what is painted: few points of the visible steps, one layer upon the other. */
import type { IPalette } from './colours';
import type { IShown } from './content';
import { lowerBound, minMax, upperBound } from './decimate';
import type { MarkKind, Points } from './types';
import type { IRange } from './zoom';

/** Values of one look. `low` and `high` are there for bands: what is filled between. */
export interface ILayer {
  readonly kind: MarkKind | 'band';
  readonly steps: Float64Array;
  readonly values: Float64Array;
  readonly low: Float64Array | null;
  readonly high: Float64Array | null;
  readonly colour: string;
  readonly alpha: number;
  /** Of the line, in CSS pixels. */
  readonly width: number;
  readonly dash: readonly number[];
}

/** So few dots would hardly be seen when they were as faint as many must be over the lines. */
const FEW_DOTS = 1000;
/** Up to so many dots are all painted; of more, the extremes and an even choice of the others. */
const MOST_DOTS = 4000;

/** Indices of the points in a range, and of the neighbour on either side, to which lines lead. */
function span(steps: Float64Array, range: IRange): [begin: number, end: number] {
  return [
    Math.max(lowerBound(steps, range.from) - 1, 0),
    Math.min(upperBound(steps, range.to) + 1, steps.length)
  ];
}

function cut(values: Float64Array, begin: number, end: number): Float64Array {
  return values.subarray(begin, end);
}

/** Dots: all of them, or so many that the cloud looks the same. */
function dotPoints(points: Points, range: IRange, columns: number): Points {
  const [begin, end] = [lowerBound(points.steps, range.from), upperBound(points.steps, range.to)];
  if (end - begin <= MOST_DOTS) {
    return {
      steps: cut(points.steps, begin, end),
      values: cut(points.values, begin, end)
    };
  }
  const extremes = minMax(points, range.from, range.to, columns / 2);
  const count = Math.floor(MOST_DOTS / 2);
  const total = count + extremes.steps.length;
  const steps = new Float64Array(total);
  const values = new Float64Array(total);
  const stride = (end - begin) / count;
  for (let number = 0; number < count; number += 1) {
    const index = begin + Math.floor(number * stride);
    steps[number] = points.steps[index] ?? NaN;
    values[number] = points.values[index] ?? NaN;
  }
  steps.set(extremes.steps, count);
  values.set(extremes.values, count);
  return { steps, values };
}

/** The layers of a chart from back to front; values are as measured, not yet heights. */
export function layersOf(
  shown: readonly IShown[],
  range: IRange,
  columns: number,
  palette: IPalette
): ILayer[] {
  const layers: (ILayer & { readonly depth: number })[] = [];
  for (const one of shown) {
    const colour = palette.colour(one.colour);
    const none = { low: null, high: null, colour, dash: one.dash };
    const behind = one.faint ? 0.35 : 1;
    if (one.band) {
      const { steps, centre, low, high } = one.band;
      const [begin, end] = span(steps, range);
      const cutSteps = cut(steps, begin, end);
      const values = cut(centre, begin, end);
      const sides = { low: cut(low, begin, end), high: cut(high, begin, end) };
      const looks = { ...none, steps: cutSteps, values };
      layers.push({ ...looks, ...sides, kind: 'band', alpha: 0.22, width: 0, depth: 0 });
      layers.push({ ...looks, kind: 'line', alpha: 1, width: 2, depth: 5 });
    } else if (one.mark === 'dots') {
      const points = dotPoints(one.points, range, columns);
      const few = points.steps.length <= FEW_DOTS;
      const alpha = (few ? 0.75 : 0.45) * behind;
      layers.push({ ...none, ...points, kind: 'dots', alpha, width: few ? 4 : 3, depth: 1 });
    } else if (one.mark === 'squares') {
      const points = minMax(one.points, range.from, range.to, columns);
      layers.push({ ...none, ...points, kind: 'squares', alpha: behind, width: 1, depth: 4 });
    } else {
      const raw = minMax(one.points, range.from, range.to, columns);
      if (one.smooth) {
        const faint = { ...none, dash: [], alpha: 0.3 * behind, width: 1, depth: 2 };
        layers.push({ ...faint, ...raw, kind: 'line' });
      }
      const points = one.smooth ? minMax(one.smooth, range.from, range.to, columns) : raw;
      layers.push({ ...none, ...points, kind: 'line', alpha: behind, width: 1.8, depth: 3 });
    }
  }
  return layers.sort((a, b) => a.depth - b.depth);
}
