/** Histograms of what an update did to its samples: ratios, advantages, and KL. */
import { formatPercent, formatValue } from '../live/format';
import { type IBins, binsAround, logBins, roundTicks } from '../live/histogram';
import { type IAxes, type IMinibatch, sampleKl, summaryOf } from '../live/surrogate';
import type { IDrawing } from './insidePlot';
import { axes, frame, type IFrame, shape, xLabels, yLabels } from './insideSvg';

type Size = readonly [width: number, height: number];

/** The KL of samples is drawn from 1e-7 to 10 nats, three intervals per decade. */
const [LOW_KL, HIGH_KL, PER_DECADE] = [-7, 1, 3];

interface IHistogram {
  readonly bins: IBins;
  readonly ghost: IBins | null;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly labels: readonly number[];
  /** Values that are marked by a line, in front. */
  readonly lines: readonly (readonly [value: number, kind: string])[];
  /** From the number on the axis to what is said of it. */
  readonly shown: (value: number) => string;
  readonly isMarked: (low: number, high: number) => boolean;
  readonly unit: string;
  readonly name: string;
}

/** Draw how the ratios are spread; those outside of 1 ± epsilon are marked. */
export function drawRatios(
  size: Size,
  batch: IMinibatch,
  other: IMinibatch | null,
  reach: IAxes
): IDrawing {
  const epsilon = batch.clipRange;
  const [lowRatio, highRatio] = reach.ratios;
  const count = ({ ratios }: IMinibatch): IBins =>
    binsAround(ratios, 1, epsilon / 8, lowRatio, highRatio);
  const { outside, samples, lowRatio: low, highRatio: high } = summaryOf(batch);
  const half = 1e-9;
  const drawing = draw(size, {
    bins: count(batch),
    ghost: other && count(other),
    xTitle: 'probability ratio r',
    yTitle: 'samples',
    labels: [1, 1 - epsilon, 1 + epsilon, ...roundTicks(lowRatio, highRatio, 5)],
    lines: [
      [1 - epsilon, 'edge'],
      [1, 'one'],
      [1 + epsilon, 'edge']
    ],
    shown: formatValue,
    isMarked: (from, to) => to <= 1 - epsilon + half || from >= 1 + epsilon - half,
    unit: '',
    name: 'ratio'
  });
  const description =
    `From ${formatValue(low)} to ${formatValue(high)}; ${outside} of ${samples} ` +
    `(${formatPercent(outside / samples)}) outside of 1 ± ε.`;
  return { ...drawing, description };
}

/** Draw how the advantages are spread. */
export function drawAdvantages(
  size: Size,
  batch: IMinibatch,
  other: IMinibatch | null,
  reach: IAxes,
  isNormalised: boolean
): IDrawing {
  const [low, high] = reach.advantages;
  const width = (high - low) / 24;
  const count = ({ advantages }: IMinibatch): IBins => binsAround(advantages, 0, width, low, high);
  const above = batch.advantages.filter(value => value > 0).length;
  const drawing = draw(size, {
    bins: count(batch),
    ghost: other && count(other),
    xTitle: isNormalised ? 'advantage A (mean 0, standard deviation 1)' : 'advantage A',
    yTitle: 'samples',
    labels: [0, ...roundTicks(low, high, 7)],
    lines: [[0, 'one']],
    shown: formatValue,
    isMarked: () => false,
    unit: '',
    name: 'advantage'
  });
  const { meanAdvantage, samples } = summaryOf(batch);
  const description =
    `${above} of ${samples} samples are above 0; their mean is ` +
    `${formatValue(Math.abs(meanAdvantage) < 1e-6 ? 0 : meanAdvantage)}.`;
  return { ...drawing, description };
}

/** Draw how the KL of the samples is spread, on a logarithmic axis, with its mean. */
export function drawKl(size: Size, batch: IMinibatch, other: IMinibatch | null): IDrawing {
  const count = ({ ratios }: IMinibatch): IBins =>
    logBins(Array.from(ratios, sampleKl), LOW_KL, HIGH_KL, PER_DECADE);
  const { meanKl } = summaryOf(batch);
  const mean = Math.log10(Math.max(meanKl, 10 ** LOW_KL));
  const drawing = draw(size, {
    bins: count(batch),
    ghost: other && count(other),
    xTitle: 'KL of a sample, nats (logarithmic axis)',
    yTitle: 'samples',
    labels: [-6, -4, -2, 0],
    lines: [[mean, 'mean']],
    shown: powerOfTen,
    isMarked: () => false,
    unit: ' nats',
    name: 'KL'
  });
  const description = `The mean is ${formatValue(meanKl)} nats, the dashed line.`;
  return { ...drawing, description };
}

/** "10⁻⁴", and between whole exponents "2.2e-4". */
function powerOfTen(exponent: number): string {
  if (!Number.isInteger(Number(exponent.toFixed(9)))) {
    return formatValue(Number((10 ** exponent).toPrecision(2)));
  }
  const digits = [...Math.abs(Math.round(exponent)).toString()];
  return `10${exponent < -0.5 ? '⁻' : ''}${digits.map(digit => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('')}`;
}

function draw(size: Size, histogram: IHistogram): Omit<IDrawing, 'description'> {
  const { bins, ghost, shown, name, unit } = histogram;
  const { edges, counts } = bins;
  const highest = Math.max(...counts, ...(ghost?.counts ?? []), 1);
  const [low, high] = [edges[0] ?? 0, edges[edges.length - 1] ?? 1];
  const place = frame(size, [low, high], [0, highest * 1.08]);
  const { x, y, top, bottom } = place;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const last = counts.length - 1;

  const bars: SVGElement[] = [];
  const spots = counts.map((count, index) => {
    const [from, to] = [edges[index] ?? low, edges[index + 1] ?? high];
    const [left, right] = [x(from), x(to)];
    if (count) {
      bars.push(
        shape('rect', {
          class: histogram.isMarked(from, to) ? 'ppo-inside-bar-held' : 'ppo-inside-bar',
          x: left,
          y: y(count),
          width: Math.max(right - left - 1, 1),
          height: Math.max(bottom - y(count), 0)
        })
      );
    }
    const range =
      index === 0 && bins.below
        ? `below ${shown(to)}`
        : index === last && bins.above
          ? `${shown(from)} and above`
          : `${shown(from)} to ${shown(to)}`;
    const share = formatPercent(count / Math.max(total, 1));
    const text = `${name} ${range}${unit}: ${count} samples (${share}).`;
    return { x: (left + right) / 2, y: y(count), text: text[0]?.toUpperCase() + text.slice(1) };
  });
  return {
    shapes: [
      ...yLabels(place, 0, highest * 1.08, 4),
      ...bars,
      ...(ghost ? [shape('path', { class: 'ppo-inside-outline', d: outline(place, ghost) })] : []),
      ...histogram.lines.map(([value, kind]) =>
        shape('path', { class: `ppo-inside-${kind}`, d: `M${x(value)} ${top}V${bottom}` })
      ),
      ...axes(place, histogram.xTitle, histogram.yTitle),
      ...xLabels(place, histogram.labels, shown)
    ],
    spots
  };
}

/** The contour of another histogram. */
function outline({ x, y, bottom }: IFrame, { edges, counts }: IBins): string {
  const steps = counts.map((count, index) => `V${y(count)}H${x(edges[index + 1] ?? 0)}`);
  return `M${x(edges[0] ?? 0)} ${bottom}${steps.join('')}V${bottom}`;
}
