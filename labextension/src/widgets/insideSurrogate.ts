/** The clipped objective against the ratio, with the samples on it, for one sign of the advantage. */
import { formatPercent, formatValue } from '../live/format';
import {
  type IAxes,
  type IMinibatch,
  type Sign,
  gain,
  isHeld,
  isOutside,
  sampleKl,
  samplesOf,
  surrogate
} from '../live/surrogate';
import { roundTicks } from '../live/histogram';
import type { IDrawing } from './insidePlot';
import {
  axes,
  frame,
  type IFrame,
  type ISpot,
  lineWithin,
  round,
  shape,
  xLabels,
  yLabels
} from './insideSvg';

/** What is said of one sample. */
export function sampleText(ratio: number, advantage: number, epsilon: number): string {
  const added = gain(ratio, advantage, epsilon);
  const without = (ratio - 1) * advantage;
  const clipped = isHeld(ratio, advantage, epsilon)
    ? ` (without the clip ${formatValue(without)})`
    : '';
  const gradient = isHeld(ratio, advantage, epsilon)
    ? 'clipped, no gradient'
    : advantage === 0
      ? 'an advantage of 0 has no gradient'
      : isOutside(ratio, epsilon)
        ? 'outside of 1 ± ε, but the gradient still pulls it back'
        : 'not clipped';
  return (
    `Ratio ${formatValue(ratio)}, advantage ${formatValue(advantage)}: objective ` +
    `${formatValue(surrogate(ratio, advantage, epsilon))}, gain ${formatValue(added)}${clipped}; ${gradient}; KL ${formatValue(sampleKl(ratio))} nats.`
  );
}

/** Draw the samples with one sign of the advantage, and faintly those of another minibatch. */
export function drawSurrogate(
  size: readonly [width: number, height: number],
  batch: IMinibatch,
  other: IMinibatch | null,
  sign: Sign,
  reach: IAxes
): IDrawing {
  const epsilon = batch.clipRange;
  const [lowRatio, highRatio] = reach.ratios;
  const edge = 1 + sign * epsilon;
  const [low, high] = sign > 0 ? reach.above : reach.below;
  const place = frame(size, [lowRatio, highRatio], [low, high]);
  const numbers = samplesOf(batch, sign);
  const mean =
    numbers.reduce((sum, index) => sum + (batch.advantages[index] ?? 0), 0) / numbers.length;
  const slope = numbers.length && mean !== 0 ? mean : sign;
  const held = numbers.filter(index => isHeld(...sampleOf(batch, index), epsilon));
  const beyond = numbers.filter(index => {
    const [ratio, advantage] = sampleOf(batch, index);
    const added = gain(ratio, advantage, epsilon);
    return ratio < lowRatio || ratio > highRatio || added < low || added > high;
  }).length;
  const beyondText = beyond ? `${beyond} beyond the axes, drawn at the edge` : '';

  const ghosts = other ? samplesOf(other, sign).map(index => spotOf(place, other, index)) : [];
  const spots = numbers.map(index => spotOf(place, batch, index));
  const isCross = new Set(held);
  const plain = [lowRatio, highRatio].map(ratio => [ratio, (ratio - 1) * slope] as const);
  const bent = [lowRatio, edge, highRatio].map(
    ratio => [ratio, gain(ratio, slope, epsilon)] as const
  );
  const [from, to] = sign > 0 ? [edge, highRatio] : [lowRatio, edge];
  const shapes = [
    ...shaded(place, from, to),
    ...yLabels(place, low, high, 7),
    ...[1 - epsilon, 1, 1 + epsilon].map(ratio =>
      shape('path', {
        class: ratio === 1 ? 'ppo-inside-one' : 'ppo-inside-edge',
        d: `M${place.x(ratio)} ${place.top}V${place.bottom}`
      })
    ),
    shape('path', { class: 'ppo-inside-ghost', d: ghosts.map(ring).join('') }),
    shape('path', { class: 'ppo-inside-plain', d: lineWithin(place, plain, low, high) }),
    shape('path', {
      class: 'ppo-inside-line',
      d: lineWithin(place, bent, low, high)
    }),
    shape('path', {
      class: 'ppo-inside-free',
      d: spots
        .filter((_, at) => !isCross.has(numbers[at] ?? -1))
        .map(dot)
        .join('')
    }),
    shape('path', {
      class: 'ppo-inside-held',
      d: spots
        .filter((_, at) => isCross.has(numbers[at] ?? -1))
        .map(cross)
        .join('')
    }),
    // In the upper corner that the line does not pass.
    shape(
      'text',
      {
        x: sign > 0 ? place.left + 6 : place.right - 2,
        y: place.top + 10,
        'text-anchor': sign > 0 ? 'start' : 'end'
      },
      beyondText
    ),
    ...axes(place, 'probability ratio r = new policy / old policy', 'gain of the objective'),
    ...xLabels(place, [1, 1 - epsilon, 1 + epsilon, ...roundTicks(lowRatio, highRatio, 7)])
  ];
  const count = numbers.length;
  const description =
    `${count} of ${batch.ratios.length} samples; ${held.length} of them ` +
    `(${formatPercent(count ? held.length / count : 0)}) are ${sign > 0 ? 'above' : 'below'} ` +
    `${formatValue(edge)}, where the objective is flat.` +
    (beyond ? ` ${beyondText}.` : '') +
    (count ? ` The line is the gain for their mean advantage, ${formatValue(mean)}.` : '');
  return { shapes, spots, description };
}

function sampleOf(batch: IMinibatch, index: number): [ratio: number, advantage: number] {
  return [batch.ratios[index] ?? 1, batch.advantages[index] ?? 0];
}

function spotOf({ x, y }: IFrame, batch: IMinibatch, index: number): ISpot {
  const [ratio, advantage] = sampleOf(batch, index);
  return {
    x: x(ratio),
    y: y(gain(ratio, advantage, batch.clipRange)),
    text: sampleText(ratio, advantage, batch.clipRange)
  };
}

/** The side on which the objective is flat. */
function shaded({ x, top, bottom }: IFrame, from: number, to: number): SVGElement[] {
  const [left, right] = [x(from), x(to)];
  const words = right - left > 110 ? 'clipped: no gradient' : right - left > 48 ? 'clipped' : '';
  return [
    shape('rect', {
      class: 'ppo-inside-shade',
      x: left,
      y: top,
      width: round(right - left),
      height: bottom - top
    }),
    shape(
      'text',
      {
        class: 'ppo-inside-words',
        x: round((left + right) / 2),
        y: bottom - 10, // the line and the samples are at the top there
        'text-anchor': 'middle'
      },
      words
    )
  ];
}

function dot({ x, y }: ISpot): string {
  return `M${x} ${y}h0`;
}

function cross({ x, y }: ISpot): string {
  return `M${round(x - 3)} ${round(y - 3)}l6 6m-6 0l6 -6`;
}

function ring({ x, y }: ISpot): string {
  return `M${round(x - 2.5)} ${y}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0`;
}
