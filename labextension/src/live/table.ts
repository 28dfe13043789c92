/** The numbers behind a chart as a table: all of them, page by page, the newest first. */
import type { IShown } from './content';
import { lowerBound, upperBound } from './decimate';
import { exactStep, exactValue } from './readout';
import type { ChartDescription, StepMark } from './types';
import type { IRange } from './zoom';

const ROWS = 50;
/** Milliseconds between two looks at points that came while the table is open. */
const UPDATE = 1000;

/** One column: where its points are, and how far from the end the page begins. */
interface IColumn {
  readonly title: string;
  readonly steps: Float64Array;
  readonly values: Float64Array;
}

function columnsOf(chart: ChartDescription, shown: readonly IShown[]): IColumn[] {
  return shown.flatMap(({ name, points, band, smooth }) => {
    const title = name || chart.title;
    const { steps, values } = points;
    if (band) {
      return [
        { title, steps, values },
        { title: `${title}: low`, steps, values: band.low },
        { title: `${title}: high`, steps, values: band.high }
      ];
    }
    const means = smooth ? [{ title: `${title}: mean`, steps, values: smooth.values }] : [];
    return [{ title, steps, values }, ...means];
  });
}

/** The part of a column in a range of steps. */
function within(column: IColumn, range: IRange | null): IColumn {
  if (range === null) {
    return column;
  }
  const { steps, values } = column;
  const [from, to] = [lowerBound(steps, range.from), upperBound(steps, range.to)];
  return { ...column, steps: steps.subarray(from, to), values: values.subarray(from, to) };
}

/** A row: a step, and the value that each column has there. */
export interface ITableRow {
  readonly step: number;
  readonly values: readonly (number | null)[];
}

/**
 * Rows before the given ends of the columns, newest first, and the ends for the page after it.
 * Equal steps share a row; two points of a column at one step are two rows.
 */
export function rowsBefore(
  columns: readonly { readonly steps: Float64Array; readonly values: Float64Array }[],
  ends: readonly number[],
  count: number
): { rows: ITableRow[]; ends: number[] } {
  const at = columns.map(({ steps }, number) => Math.min(ends[number] ?? 0, steps.length));
  const rows: ITableRow[] = [];
  while (rows.length < count) {
    let step = -Infinity;
    columns.forEach(({ steps }, number) => {
      step = Math.max(step, steps[(at[number] ?? 0) - 1] ?? -Infinity);
    });
    if (step === -Infinity) {
      break;
    }
    const values = columns.map(({ steps, values: all }, number) => {
      const index = (at[number] ?? 0) - 1;
      if (steps[index] !== step) {
        return null;
      }
      at[number] = index;
      return all[index] ?? null;
    });
    rows.push({ step, values });
  }
  return { rows, ends: at };
}

/** The table of one chart, closed at first. */
export class DataTable {
  readonly element = document.createElement('div');
  readonly #older = document.createElement('button');
  readonly #newer = document.createElement('button');
  readonly #caption = document.createElement('caption');
  readonly #scroller = document.createElement('div');
  readonly #table = document.createElement('table');
  readonly #marks = document.createElement('ul');
  /** Ends of the columns of the pages before this one. */
  #pages: (readonly number[])[] = [];
  #next: readonly number[] = [];
  #first = 1;
  #looked = -Infinity;
  #columns: readonly IColumn[] = [];
  #range: IRange | null = null;

  constructor(
    private readonly chart: ChartDescription,
    id: string,
    onClose: () => void
  ) {
    this.element.id = id;
    this.element.className = 'ppo-data';
    this.element.hidden = true;
    this.#table.className = 'ppo-table';
    this.#marks.className = 'ppo-data-marks';
    this.#scroller.className = 'ppo-data-scroller';
    this.#scroller.tabIndex = 0; // so that keys can scroll it
    this.#scroller.setAttribute('role', 'region');
    this.#scroller.setAttribute('aria-label', `${chart.title}: the numbers`);
    this.#scroller.append(this.#table);
    const buttons = document.createElement('div');
    buttons.className = 'ppo-data-buttons';
    const close = document.createElement('button');
    for (const [button, text, act] of [
      [this.#newer, 'Newer', () => this.#turn(-1)],
      [this.#older, 'Older', () => this.#turn(1)],
      [close, 'Close table', onClose]
    ] as const) {
      button.type = 'button';
      button.className = 'ppo-button';
      button.textContent = text;
      button.addEventListener('click', act);
      buttons.append(button);
    }
    this.element.append(buttons, this.#scroller, this.#marks);
    this.element.addEventListener('keydown', event => {
      if (event.key === 'Escape' || event.key === 't' || event.key === 'T') {
        event.preventDefault();
        event.stopPropagation();
        onClose();
      }
    });
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  open(): void {
    this.element.hidden = false;
    this.#pages = [];
    this.#looked = -Infinity;
    this.#scroller.focus({ preventScroll: false });
  }

  close(): void {
    this.element.hidden = true;
    this.#table.replaceChildren(); // a hidden table holds no points
    this.#columns = [];
  }

  /** Show what the chart shows, of all steps or of a range; while points come, once a second. */
  update(
    shown: readonly IShown[],
    marks: readonly StepMark[],
    range: IRange | null,
    now: number
  ): void {
    if (!this.isOpen) {
      return;
    }
    const columns = columnsOf(this.chart, shown).map(column => within(column, range));
    const titles = (all: readonly IColumn[]): string => all.map(({ title }) => title).join('\n');
    const same =
      titles(columns) === titles(this.#columns) &&
      range?.from === this.#range?.from &&
      range?.to === this.#range?.to;
    if (same && now - this.#looked < UPDATE) {
      return;
    }
    this.#looked = now;
    if (!same) {
      this.#pages = [];
    }
    this.#columns = columns;
    this.#range = range;
    this.#marks.replaceChildren(
      ...marks.map(({ step, text }) => {
        const item = document.createElement('li');
        item.textContent = `step ${exactStep(step)}: ${text}`;
        return item;
      })
    );
    this.#write();
  }

  #turn(by: 1 | -1): void {
    if (by > 0) {
      this.#pages.push(this.#next);
    } else {
      this.#pages.pop();
    }
    this.#write();
    this.#scroller.scrollTop = 0;
    if ((by > 0 ? this.#older : this.#newer).disabled) {
      this.#scroller.focus({ preventScroll: true }); // a disabled button loses the focus
    }
  }

  #write(): void {
    const columns = this.#columns;
    const ends = this.#pages[this.#pages.length - 1] ?? columns.map(({ steps }) => steps.length);
    const { rows, ends: next } = rowsBefore(columns, ends, ROWS);
    this.#next = next;
    this.#first = this.#pages.length * ROWS + 1;
    const { title, unit } = this.chart;
    const part = this.#range ? ', of the steps that are shown' : '';
    this.#caption.textContent =
      rows.length === 0
        ? `${title} (${unit})${part}: no data yet`
        : `${title} (${unit})${part}, newest first: rows ${this.#first} to ` +
          `${this.#first + rows.length - 1}`;
    const head = document.createElement('thead');
    const titles = document.createElement('tr');
    for (const text of ['step', ...columns.map(column => column.title)]) {
      const cell = document.createElement('th');
      cell.scope = 'col';
      cell.textContent = text;
      titles.append(cell);
    }
    head.append(titles);
    const body = document.createElement('tbody');
    body.append(...rows.map(rowElement));
    this.#table.replaceChildren(this.#caption, head, body);
    this.#newer.disabled = this.#pages.length === 0;
    this.#older.disabled = !next.some(end => end > 0);
  }
}

function rowElement({ step, values }: ITableRow): HTMLTableRowElement {
  const row = document.createElement('tr');
  const head = document.createElement('th');
  head.scope = 'row';
  head.textContent = exactStep(step);
  row.append(head);
  for (const value of values) {
    row.insertCell().textContent = value === null ? '' : exactValue(value);
  }
  return row;
}
