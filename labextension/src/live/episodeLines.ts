/** Values and rewards of an episode as two small charts with one cursor. */
import type { EpisodeData } from './episodeData';
import { element, setText } from './elements';
import { formatValue } from './format';

const SVG = 'http://www.w3.org/2000/svg';
/** Units of the drawing; it is stretched to the width of its place. */
const WIDTH = 600;
const HEIGHT = 80;
/** More points than this are not to be told apart: least and greatest of each column stay. */
const COLUMNS = 600;

/** One chart: a line, maybe a second one behind it, and the cursor. */
class Lines {
  readonly root: HTMLElement;
  private readonly readout = element('span', { class: 'ppo-episode-number' });
  private readonly high = element('span', { class: 'ppo-episode-scale' });
  private readonly low = element('span', { class: 'ppo-episode-scale' });
  private readonly behind = path('ppo-episode-line ppo-episode-line-behind');
  private readonly line = path('ppo-episode-line');
  private readonly zero = path('ppo-episode-zero');
  private readonly cursor = path('ppo-episode-cursor');
  private count = 1;

  constructor(title: string, meaning: string, onSeek: (share: number) => void, legend?: Node) {
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true'); // the numbers beside it say the same
    svg.append(this.zero, this.behind, this.line, this.cursor);
    const seek = (event: PointerEvent): void => {
      const { left, width } = svg.getBoundingClientRect();
      onSeek(Math.min(Math.max((event.clientX - left) / (width || 1), 0), 1));
    };
    svg.addEventListener('pointerdown', event => {
      svg.setPointerCapture?.(event.pointerId);
      seek(event);
    });
    svg.addEventListener('pointermove', event => {
      if (event.buttons & 1) {
        seek(event);
      }
    });
    const head = element('div', { class: 'ppo-episode-head' }, element('b', {}, title));
    head.title = meaning;
    if (legend) {
      head.append(legend);
    }
    head.append(this.readout);
    const scale = element('div', { class: 'ppo-episode-scales' }, this.high, this.low);
    this.root = element('div', { class: 'ppo-episode-lines' }, head);
    this.root.append(element('div', { class: 'ppo-episode-plot' }, scale, svg));
  }

  /** Draw values by moment; the second ones lie behind. */
  draw(values: readonly number[], behind: readonly number[], isStepped: boolean): void {
    this.count = Math.max(values.length, behind.length, 2);
    let low = Infinity;
    let high = -Infinity;
    for (const value of [...values, ...behind]) {
      if (Number.isFinite(value)) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    if (low > high) {
      low = 0;
      high = 1;
    }
    [low, high] = heightsOf(low, high);
    const y = (value: number): number => 4 + ((high - value) / (high - low)) * (HEIGHT - 8);
    this.line.setAttribute('d', pathOf(values, this.count, y, isStepped));
    this.behind.setAttribute('d', pathOf(behind, this.count, y, isStepped));
    const hasZero = low < 0 && high > 0;
    this.zero.setAttribute('d', hasZero ? `M0 ${y(0).toFixed(2)}H${WIDTH}` : '');
    setText(this.high, scaleLabel(high, high - low));
    setText(this.low, scaleLabel(low, high - low));
  }

  /** Put the cursor on a moment. */
  point(index: number, words: string): void {
    this.cursor.setAttribute(
      'd',
      `M${((index / (this.count - 1)) * WIDTH).toFixed(2)} 0V${HEIGHT}`
    );
    setText(this.readout, words);
  }
}

/** Both charts of an episode. */
export class EpisodeLines {
  private readonly values: Lines;
  private readonly rewards: Lines;
  private readonly came = element('span', { class: 'ppo-episode-came' }, 'return that came');
  private toGo: number[] = [];

  /** `onSeek` is told the share of the episode, 0 to 1, where the reader pointed. */
  constructor(host: HTMLElement, onSeek: (share: number) => void) {
    this.values = new Lines(
      'Value',
      'The critic’s estimate of the discounted return from here on; dashed: what came.',
      onSeek,
      this.came
    );
    this.rewards = new Lines('Reward', 'What the environment gave for the action.', onSeek);
    host.append(this.values.root, this.rewards.root);
  }

  /** Draw all that has come. */
  draw(data: EpisodeData): void {
    this.toGo = data.returnsToGo();
    this.came.hidden = this.toGo.length === 0;
    this.values.draw(
      data.moments.map(({ value }) => value ?? NaN),
      this.toGo,
      false
    );
    this.rewards.draw(
      data.moments.map(({ reward }) => reward ?? NaN),
      [],
      true
    );
  }

  /** Show a moment's numbers and put the cursor there. */
  point(data: EpisodeData, index: number): void {
    const moment = data.moments[index];
    if (!moment) {
      return;
    }
    const unit = data.info.value_is_scaled ? ' (of normalised rewards)' : '';
    const came = this.toGo[index];
    const value = `${formatValue(moment.value ?? NaN)}${unit}`;
    this.values.point(
      index,
      came !== undefined && Number.isFinite(came) ? `${value}, came ${formatValue(came)}` : value
    );
    const sum = formatValue(data.returnBefore(index + 1));
    this.rewards.point(
      index,
      moment.reward === null ? `sum ${sum}` : `${formatValue(moment.reward)}, sum so far ${sum}`
    );
  }
}

/** What is less than this share of the values is noise, and not drawn as high as the chart. */
const LEAST_SPAN = 0.05;

/** The ends of the axis for values from `low` to `high`; for one and the same value, from 0. */
export function heightsOf(low: number, high: number): [number, number] {
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low < 1e-6 * Math.max(size, 1e-9)) {
    const floor = Math.min(low, 0);
    return [floor, Math.max(high, 0, floor + 1e-9)];
  }
  const missing = Math.max(LEAST_SPAN * size - (high - low), 0) / 2;
  return [low - missing, high + missing];
}

/** A label of an axis, with the digits that tell its two ends apart. */
export function scaleLabel(value: number, span: number): string {
  const size = Math.abs(value);
  if (size >= 1e6 || (size < 1e-4 && span < 1e-3)) {
    return formatValue(value);
  }
  const digits = Math.min(Math.max(1 - Math.floor(Math.log10(span)), 0), 8);
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

function path(kind: string): SVGPathElement {
  const made = document.createElementNS(SVG, 'path');
  made.setAttribute('class', kind);
  return made;
}

/** The path of a line; of very many points the least and greatest of each column. */
export function pathOf(
  values: readonly number[],
  count: number,
  y: (value: number) => number,
  isStepped: boolean
): string {
  const parts: string[] = [];
  const perColumn = Math.ceil(values.length / COLUMNS);
  let isDown = false;
  const add = (index: number): void => {
    const value = values[index] ?? NaN;
    if (!Number.isFinite(value)) {
      isDown = false;
      return;
    }
    const x = ((index / (count - 1)) * WIDTH).toFixed(2);
    const height = y(value).toFixed(2);
    parts.push(!isDown ? `M${x} ${height}` : isStepped ? `H${x}V${height}` : `L${x} ${height}`);
    isDown = true;
  };
  for (let begin = 0; begin < values.length; begin += perColumn) {
    const end = Math.min(begin + perColumn, values.length);
    let [low, high] = [begin, begin];
    for (let index = begin; index < end; index++) {
      const value = values[index] ?? NaN;
      if (!((values[low] ?? NaN) <= value)) {
        low = index;
      }
      if (!((values[high] ?? NaN) >= value)) {
        high = index;
      }
    }
    for (const index of new Set([Math.min(low, high), Math.max(low, high)])) {
      add(index);
    }
  }
  return parts.join('');
}
