/** What lies over a chart's canvas and moves without painting: cursor, markers, readout, selection. */
import type { IAxis } from './axes';
import type { IReading } from './content';
import { colourVariable } from './colours';
import { Readout } from './readout';
import type { IReadoutSize } from './readout';
import type { StepMark } from './types';
import type { IRange } from './zoom';

const MOST_MARKERS = 24;

function layer(name: string): HTMLElement {
  const element = document.createElement('div');
  element.className = name;
  element.hidden = true;
  return element;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(3)}%`;
}

/** It fills the drawn area of a chart; the pointer passes through it. */
export class Overlay {
  readonly element = document.createElement('div');
  readonly #line = layer('ppo-cursor');
  readonly #selection = layer('ppo-selection');
  readonly #markers = layer('ppo-markers');
  readonly #readout = new Readout();

  constructor() {
    this.element.className = 'ppo-overlay';
    this.element.append(this.#selection, this.#line, this.#markers, this.#readout.element);
  }

  hideCursor(): void {
    this.#line.hidden = true;
    this.#markers.hidden = true;
    this.#readout.hide();
  }

  /** Show the cursor at a share of the width, and a marker on the point of every reading. */
  showCursor(
    readings: readonly IReading[],
    step: number,
    share: number,
    marks: readonly StepMark[],
    range: IRange,
    axis: IAxis,
    size: IReadoutSize
  ): void {
    this.#line.hidden = false;
    this.#line.style.left = percent(share);
    this.#markers.hidden = false;
    const tops: number[] = [];
    this.#markers.replaceChildren(
      ...readings.slice(0, MOST_MARKERS).flatMap(reading => {
        const left = (reading.step - range.from) / (range.to - range.from);
        const height = axis.scale.forward(reading.mean ?? reading.value);
        const top = (axis.high - height) / (axis.high - axis.low);
        if (!(left >= 0 && left <= 1 && top >= 0 && top <= 1)) {
          return [];
        }
        tops.push(top);
        const marker = document.createElement('span');
        marker.className = 'ppo-marker';
        marker.style.left = percent(left);
        marker.style.top = percent(top);
        marker.style.background = `var(${colourVariable(reading.shown.colour)})`;
        return [marker];
      })
    );
    const middle = tops.reduce((sum, top) => sum + top, 0) / Math.max(tops.length, 1);
    const edge = tops.length > 0 && middle < 0.5 ? 'bottom' : 'top';
    this.#readout.show(readings, step, share, edge, marks, size);
  }

  showSelection(from: number, to: number): void {
    this.#selection.hidden = false;
    this.#selection.style.left = percent(from);
    this.#selection.style.width = percent(to - from);
  }

  hideSelection(): void {
    this.#selection.hidden = true;
  }
}
