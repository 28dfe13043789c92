/** The values at the cursor, in words and in a box over the chart. */
import { sample } from './colours';
import type { IReading } from './content';
import { formatValue } from './format';
import type { StepMark } from './types';

/** Digits of values in the box and in sentences; the table has more. */
const DIGITS = 6;
const TABLE_DIGITS = 12;
/** Pixels between the cursor and the box. */
const BESIDE = 8;

/** How much the box says: rows of values, whose they are, and the step they are at. */
export interface IReadoutSize {
  readonly rows: number;
  readonly names: boolean;
  readonly title: boolean;
}

function written(value: number, digits: number): string {
  if (Number.isNaN(value)) {
    return 'undefined';
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? 'infinity' : 'minus infinity';
  }
  const size = Math.abs(value);
  const rounded = Number(value.toPrecision(digits));
  if (value !== 0 && (size >= 1e9 || size < 1e-4)) {
    return rounded.toExponential();
  }
  return rounded.toLocaleString('en-US', { maximumFractionDigits: 16 });
}

/** A value as it is read at the cursor; `formatValue` is for where there is less room. */
export function shownValue(value: number): string {
  return written(value, DIGITS);
}

/** A value with all the digits that mean something. */
export function exactValue(value: number): string {
  return written(value, TABLE_DIGITS);
}

/** A step for a reader, all digits. */
export function exactStep(step: number): string {
  return step.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** "0.0123", with the mean that is drawn and with the interval of a band. */
export function readingValue({ shown, index, value, mean }: IReading): string {
  const { band } = shown;
  if (band) {
    const [low, high] = [band.low[index] ?? NaN, band.high[index] ?? NaN];
    return low === high || Number.isNaN(low) || Number.isNaN(high)
      ? shownValue(value)
      : `${shownValue(value)} (${formatValue(low)} to ${formatValue(high)})`;
  }
  return mean === null ? shownValue(value) : `${shownValue(value)} (mean ${shownValue(mean)})`;
}

/** All values at a step in one sentence, for those who listen. */
export function readoutText(
  readings: readonly IReading[],
  step: number,
  marks: readonly StepMark[] = []
): string {
  const values = readings.map(reading => {
    const name = reading.shown.name ? `${reading.shown.name} ` : '';
    const at = reading.step === step ? '' : ` at step ${exactStep(reading.step)}`;
    return `${name}${readingValue(reading)}${at}`;
  });
  return [`step ${exactStep(step)}: ${values.join('; ')}`, ...marks.map(({ text }) => text)].join(
    '. '
  );
}

function row(...cells: (Node | string)[]): HTMLElement {
  const element = document.createElement('div');
  element.className = 'ppo-readout-row';
  element.append(...cells);
  return element;
}

function span(name: string, text: string): HTMLElement {
  const element = document.createElement('span');
  element.className = name;
  element.textContent = text;
  return element;
}

/** The box with the values at the cursor; screen readers get the sentence instead. */
export class Readout {
  readonly element = document.createElement('div');

  constructor() {
    this.element.className = 'ppo-readout';
    this.element.setAttribute('aria-hidden', 'true');
    this.element.hidden = true;
  }

  hide(): void {
    this.element.hidden = true;
  }

  /**
   * Show at most so many rows, beside the cursor where there is more room: `share` is where that
   * is, 0 to 1, and `edge` the end of the line that has fewer points. Names are left out where
   * there is no room: the colours and dashes tell.
   */
  show(
    readings: readonly IReading[],
    step: number,
    share: number,
    edge: 'top' | 'bottom',
    marks: readonly StepMark[],
    { rows: most, names, title: hasTitle }: IReadoutSize
  ): void {
    const chosen = mostImportant(readings, most);
    // the step of all values, when they have one; else each that differs says its own
    const common = chosen.every(one => one.step === chosen[0]?.step) ? chosen[0]?.step : undefined;
    const title = common ?? step;
    const rows = chosen.map(reading => {
      const { shown } = reading;
      return row(
        sample(shown.mark, shown.colour, shown.dash),
        span('ppo-readout-value', readingValue(reading)),
        ...(names ? [span('ppo-readout-name', shown.short)] : []),
        ...(reading.step === title
          ? []
          : [span('ppo-readout-step', `@ ${exactStep(reading.step)}`)])
      );
    });
    const left = readings.length - rows.length;
    this.element.replaceChildren(
      ...(hasTitle ? [span('ppo-readout-title', `step ${exactStep(title)}`)] : []),
      ...rows,
      ...(left > 0 ? [span('ppo-readout-step', `and ${left} more: see the table`)] : []),
      ...marks.map(({ text }) => span('ppo-readout-mark', text))
    );
    const isLeft = share > 0.5;
    const { dataset, style } = this.element;
    dataset.side = isLeft ? 'left' : 'right';
    dataset.edge = edge;
    const away = `calc(${(100 * (isLeft ? 1 - share : share)).toFixed(2)}% + ${BESIDE}px)`;
    style.left = isLeft ? 'auto' : away;
    style.right = isLeft ? away : 'auto';
    style.maxWidth = `calc(${(100 * Math.max(share, 1 - share)).toFixed(2)}% - ${BESIDE}px)`;
    this.element.hidden = readings.length === 0 && marks.length === 0;
  }
}

/** Bands before runs; when there are too many, lines and evaluations before single episodes. */
function mostImportant(readings: readonly IReading[], most: number): IReading[] {
  const rank = ({ shown }: IReading): number =>
    shown.band ? 0 : shown.mark === 'dots' && readings.length > most ? 2 : 1;
  return [...readings].sort((a, b) => rank(a) - rank(b)).slice(0, most);
}
