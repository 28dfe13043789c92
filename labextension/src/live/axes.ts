/** Where values lie on an axis, and which of them are written beside it. */

/** How values become heights: as they are, by their logarithm, or by one that takes all values. */
export interface IScale {
  readonly kind: 'linear' | 'log' | 'symlog';
  /** Symmetric logarithm: it is about linear between minus this and this. */
  readonly linearBelow: number;
  forward(value: number): number;
}

/** The range of an axis, in what `forward` gives, and the values that are written beside it. */
export interface IAxis {
  readonly scale: IScale;
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  label(value: number): string;
}

export const LINEAR: IScale = { kind: 'linear', linearBelow: 0, forward: value => value };

const LOG: IScale = {
  kind: 'log',
  linearBelow: 0,
  forward: value => (value > 0 ? Math.log10(value) : NaN)
};

/** log10(1 + |value| / linearBelow) with the sign of the value: 0 stays 0. */
function symmetricLog(linearBelow: number): IScale {
  return {
    kind: 'symlog',
    linearBelow,
    forward: value => Math.sign(value) * Math.log10(1 + Math.abs(value) / linearBelow)
  };
}

/** What is drawn of all series of a chart. `smallest` is the least size of a value that is not 0. */
export interface IExtent {
  readonly low: number;
  readonly high: number;
  readonly smallest: number;
}

/** Extent of the values at steps in [from, to]; of all values where none is inside. */
export function extentOf(
  series: readonly { readonly steps: Float64Array; readonly values: Float64Array }[],
  from: number,
  to: number
): IExtent | null {
  for (const [first, last] of [
    [from, to],
    [-Infinity, Infinity]
  ] as const) {
    let low = Infinity;
    let high = -Infinity;
    let smallest = Infinity;
    for (const { steps, values } of series) {
      for (let index = 0; index < values.length; index += 1) {
        const value = values[index] ?? NaN;
        const step = steps[index] ?? NaN;
        if (step < first || step > last || !Number.isFinite(value)) {
          continue;
        }
        low = Math.min(low, value);
        high = Math.max(high, value);
        if (value !== 0) {
          smallest = Math.min(smallest, Math.abs(value));
        }
      }
    }
    if (low <= high) {
      return { low, high, smallest };
    }
  }
  return null;
}

/** The scale for an extent: a plain logarithm only where all values have one. */
export function scaleFor(logScale: boolean, extent: IExtent): IScale {
  if (!logScale) {
    return LINEAR;
  }
  if (extent.low > 0) {
    return LOG;
  }
  const largest = Math.max(Math.abs(extent.low), Math.abs(extent.high));
  if (largest === 0) {
    return symmetricLog(1);
  }
  // few decades: values next to 0 are noise and must not take the room of all others
  const least = Math.max(Math.min(extent.smallest, largest), largest * 1e-2);
  return symmetricLog(10 ** Math.floor(Math.log10(least)));
}

/** 1, 2 or 5 times a power of ten: about (high - low) / count. */
function niceUnit(low: number, high: number, count: number): number {
  const rough = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find(factor => factor * power >= rough * 0.999) ?? 10) * power;
}

/** Round numbers about `count` of them; the outer ones enclose [low, high]. */
export function niceTicks(low: number, high: number, count: number): number[] {
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (!(high - low > size * 1e-9)) {
    const pad = size * 0.1 || 1;
    return niceTicks(low - pad, low + pad, count);
  }
  const unit = niceUnit(low, high, count);
  const first = Math.floor(low / unit + 1e-9);
  const ticks: number[] = [];
  for (let number = first; ticks.length < 100; number += 1) {
    ticks.push(Number((number * unit).toPrecision(12)));
    if (number * unit >= high - unit * 1e-9) {
      break;
    }
  }
  return ticks;
}

/** Values of a logarithmic axis, the most important first: powers of ten, then what divides them. */
function logCandidates(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const powers = Array.from({ length: last - first + 1 }, (_, number) => last - number);
  const factors = last - first <= 3 ? [1, 5, 2, 3, 7] : [1];
  const ticks = factors.flatMap(factor => powers.map(power => factor * 10 ** power));
  return [...ticks, ...niceTicks(low, high, 3)];
}

/** Values of a symmetric logarithmic axis, the most important first. */
function symmetricCandidates(scale: IScale, low: number, high: number): number[] {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const ticks = [0];
  for (let power = Math.floor(Math.log10(largest)); ; power -= 1) {
    const tick = 10 ** power;
    if (tick < scale.linearBelow * 0.999) {
      break;
    }
    ticks.push(tick, -tick);
  }
  return [...ticks, ...niceTicks(low, high, 3)];
}

/** Those of the candidates that are in [low, high] and far enough from all that came before. */
function spaced(
  candidates: readonly number[],
  scale: IScale,
  low: number,
  high: number,
  count: number
): number[] {
  const gap = (scale.forward(high) - scale.forward(low)) / (2 * count);
  const ticks: number[] = [];
  for (const candidate of candidates) {
    const tick = Number(candidate.toPrecision(12));
    const height = scale.forward(tick);
    const free = ticks.every(other => Math.abs(scale.forward(other) - height) >= gap);
    if (tick >= low && tick <= high && free) {
      ticks.push(tick);
    }
  }
  return ticks.sort((a, b) => a - b);
}

/** Write a tick: as many digits as tell it from its neighbours. */
function tickLabel(value: number, unit: number): string {
  if (value === 0) {
    return '0';
  }
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) {
    const digits = Math.max(0, Math.floor(Math.log10(size)) - Math.floor(Math.log10(unit)));
    const rounded = Number(value.toPrecision(Math.min(digits + 1, 9)));
    return rounded.toExponential().replace('e+', 'e');
  }
  const decimals = Math.max(0, -Math.floor(Math.log10(unit) + 1e-9));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(decimals, 12) });
}

/**
 * The axis of the values of a chart. `bounds` limit what the values can be: no room is given to
 * what cannot be.
 */
export function valueAxis(
  extent: IExtent,
  logScale: boolean,
  count: number,
  bounds: { readonly low: number | null; readonly high: number | null }
): IAxis {
  const scale = scaleFor(logScale, extent);
  const [low, high] = [scale.forward(extent.low), scale.forward(extent.high)];
  if (scale.kind === 'linear') {
    const nice = niceTicks(extent.low, extent.high, count);
    const unit = (nice[1] ?? 1) - (nice[0] ?? 0);
    const ticks = nice.filter(
      tick => tick >= (bounds.low ?? -Infinity) && tick <= (bounds.high ?? Infinity)
    );
    const [bottom, top] = [ticks[0] ?? low, ticks[ticks.length - 1] ?? high];
    const span = Math.max(top, high) - Math.min(bottom, low) || unit || 1;
    // what lies on the edge is drawn whole
    return {
      scale,
      low: Math.min(bottom, low - span * 0.03),
      high: Math.max(top, high + span * 0.03),
      ticks,
      label: value => tickLabel(value, unit)
    };
  }
  const span = high - low || 0.2;
  const candidates =
    scale.kind === 'log'
      ? logCandidates(extent.low, extent.high)
      : symmetricCandidates(scale, extent.low, extent.high);
  const ticks = spaced(candidates, scale, extent.low, extent.high, count);
  return {
    scale,
    low: low - span * 0.06,
    high: high + span * 0.06,
    ticks: ticks.length > 0 ? ticks : [extent.low],
    label: value => {
      const gaps = ticks.map(tick => Math.abs(tick - value)).filter(gap => gap > 0);
      return tickLabel(value, Math.min(Math.abs(value) || 1, ...gaps));
    }
  };
}

/** Steps that are written below a chart, and how; neighbours never read alike. */
export function stepAxis(from: number, to: number, count: number): Omit<IAxis, 'scale'> {
  const nice = niceTicks(from, to, count);
  const unit = (nice[1] ?? 1) - (nice[0] ?? 0);
  const ticks = nice.filter(tick => tick >= from && tick <= to && Number.isInteger(tick));
  const label = (step: number): string => {
    const [size, letter] = to >= 1e6 && unit >= 1e4 ? [1e6, 'M'] : [1e3, 'k'];
    if (step === 0 || to < 1e4 || unit < 100) {
      return step.toLocaleString('en-US');
    }
    const decimals = Math.max(0, -Math.floor(Math.log10(unit / size) + 1e-9));
    return `${(step / size).toLocaleString('en-US', { maximumFractionDigits: decimals })}${letter}`;
  };
  return { low: from, high: to, ticks, label };
}
