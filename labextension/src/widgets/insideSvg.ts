/** What the figures of "Inside PPO" are drawn with. */
import { formatValue } from '../live/format';
import { roundTicks } from '../live/histogram';

const SVG = 'http://www.w3.org/2000/svg';
const PIXELS_BETWEEN_LABELS = 40;

export type Attributes = Readonly<Record<string, string | number>>;

/** Return a shape of a picture. */
export function shape(tag: string, attributes: Attributes, text = ''): SVGElement {
  const made = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, String(value)));
  made.textContent = text;
  return made;
}

/** Something in a picture that can be pointed at, and what is said of it. */
export interface ISpot {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** Where the axes of a figure lie, in pixels, and what they mean. */
export interface IFrame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** Return the frame of a figure of this size whose axes have these ends. */
export function frame(
  [width, height]: readonly [width: number, height: number],
  [lowX, highX]: readonly [low: number, high: number],
  [lowY, highY]: readonly [low: number, high: number]
): IFrame {
  const [left, right, top, bottom] = [54, width - 14, 10, height - 38];
  const within = (value: number, low: number, high: number): number =>
    Math.min(Math.max((value - low) / (high - low), 0), 1);
  return {
    ...{ width, height, left, right, top, bottom },
    x: value => round(left + (right - left) * within(value, lowX, highX)),
    y: value => round(bottom - (bottom - top) * within(value, lowY, highY))
  };
}

/** Tenths of a pixel are enough, and keep paths short. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The path of a line through points, as far as its values are between `low` and `high`. */
export function lineWithin(
  { x, y }: IFrame,
  points: readonly (readonly [x: number, y: number])[],
  low: number,
  high: number
): string {
  let path = '';
  points.slice(1).forEach(([toX, toY], index) => {
    const [fromX, fromY] = points[index] ?? [toX, toY];
    // Shares of the way at which the value is low and high; a level line has none.
    const shares = [low, high].map(end => (end - fromY) / (toY - fromY));
    const isLevel = toY === fromY;
    if (isLevel && (fromY < low || fromY > high)) {
      return;
    }
    const begin = isLevel ? 0 : Math.max(Math.min(...shares), 0);
    const end = isLevel ? 1 : Math.min(Math.max(...shares), 1);
    if (begin < end) {
      const at = (share: number): string =>
        `${x(fromX + (toX - fromX) * share)} ${y(fromY + (toY - fromY) * share)}`;
      path += `M${at(begin)}L${at(end)}`;
    }
  });
  return path;
}

/** The labels below a figure; of those that would overlap the first one stays. */
export function xLabels(
  { x, bottom }: IFrame,
  values: readonly number[],
  text: (value: number) => string = formatValue
): SVGElement[] {
  const taken: number[] = [];
  return values.flatMap(value => {
    const at = x(value);
    if (taken.some(other => Math.abs(other - at) < PIXELS_BETWEEN_LABELS)) {
      return [];
    }
    taken.push(at);
    return [
      shape('path', { class: 'ppo-inside-axis', d: `M${at} ${bottom}v4` }),
      shape('text', { x: at, y: bottom + 16, 'text-anchor': 'middle' }, text(value))
    ];
  });
}

/** Round numbers on the left of a figure, and a faint line at 0. */
export function yLabels(
  { y, left, right }: IFrame,
  low: number,
  high: number,
  most: number
): SVGElement[] {
  return roundTicks(low, high, most).flatMap(value => [
    shape('path', {
      class: value === 0 ? 'ppo-inside-grid' : 'ppo-inside-axis',
      d: `M${left} ${y(value)}${value === 0 ? `H${right}` : 'h-4'}`
    }),
    shape('text', { x: left - 7, y: y(value) + 4, 'text-anchor': 'end' }, formatValue(value))
  ]);
}

/** The two lines of the axes, and their titles. */
export function axes(place: IFrame, xTitle: string, yTitle: string): SVGElement[] {
  const { left, right, top, bottom, height } = place;
  const middle = (top + bottom) / 2;
  return [
    shape('path', { class: 'ppo-inside-axis', d: `M${left} ${top}V${bottom}H${right}` }),
    shape('text', { x: (left + right) / 2, y: height - 4, 'text-anchor': 'middle' }, xTitle),
    shape(
      'text',
      {
        x: 11,
        y: middle,
        'text-anchor': 'middle',
        transform: `rotate(-90 11 ${middle})`
      },
      yTitle
    )
  ];
}
