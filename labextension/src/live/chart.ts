/** One chart: what it is called, its canvas, the values at the cursor, and its table. */
import type uPlot from 'uplot';

import { LINEAR, extentOf, stepAxis, valueAxis } from './axes';
import type { IAxis } from './axes';
import { node, smallButton } from './chartParts';
import type { IPalette } from './colours';
import { isSingle, readings, seriesKey, shownSeries } from './content';
import type { IScene, IShown } from './content';
import { lowerBound, nearestIndex, upperBound } from './decimate';
import { formatValue } from './format';
import { Frame } from './frame';
import { answerKey } from './keyboard';
import { layersOf } from './layers';
import { Legend } from './legend';
import { marksNear, paintMarks, shownMarks, WORDS_HEIGHT } from './marks';
import { Overlay } from './overlay';
import { readoutText, shownValue } from './readout';
import { DataTable } from './table';
import type { ChartDescription } from './types';
import { followPointer, panned, revealing, zoomed } from './zoom';
import type { IRange } from './zoom';

/** What a chart asks of its board. */
export interface IChartBoard {
  readonly scene: IScene;
  readonly palette: IPalette;
  readonly helpId: string;
  setCursor(step: number | null): void;
  /** Null shows all. */
  setRange(range: IRange | null): void;
  toggle(key: string): void;
}

const EMPTY_AXIS: IAxis = { scale: LINEAR, low: 0, high: 1, ticks: [], label: String };
/** Pixels from the cursor within which the words of a mark are read. */
const MARK_REACH = 8;

let made = 0;

/** A chart of a board. It keeps no points: each draw looks at the sources anew. */
export class Chart {
  readonly element = node('figure', 'ppo-chart');
  /** Whether it can be seen, and whether what it shows is out of date. */
  visible = true;
  stale = true;
  readonly #plot = node('div', 'ppo-chart-plot');
  readonly #latest = node('span', 'ppo-chart-latest');
  readonly #empty = node('p', 'ppo-chart-empty', 'No data yet');
  readonly #scaleNote = node('p', 'ppo-note ppo-scale-note');
  readonly #overlay = new Overlay();
  readonly #legend: Legend;
  readonly #table: DataTable;
  readonly #tableButton: HTMLButtonElement;
  readonly #letGo: () => void;
  #frame: Frame | null = null;
  #axis: IAxis = EMPTY_AXIS;
  #shown: IShown[] = [];
  #draws = 0;

  constructor(
    readonly description: ChartDescription,
    private readonly height: number,
    private readonly board: IChartBoard
  ) {
    made += 1;
    const { key, title, unit, meaning } = description;
    this.element.dataset.key = key;
    this.#legend = new Legend(`${title}: series`, entry => board.toggle(entry));
    this.#table = new DataTable(description, `ppo-table-${made}`, () => this.#closeTable());
    this.#tableButton = smallButton(
      'Table',
      `Table of the numbers: ${title}`,
      this.#table.element.id
    );
    this.#tableButton.classList.add('ppo-chart-table');
    this.#tableButton.addEventListener('click', () => this.toggleTable());
    const caption = node('figcaption', 'ppo-chart-caption');
    const first = node('div', 'ppo-chart-line');
    first.append(node('b', 'ppo-chart-title', title));
    const text = node('p', 'ppo-note', meaning);
    if (meaning) {
      text.id = `ppo-meaning-${made}`;
      text.hidden = true;
      const ask = smallButton('?', `What is ${title}?`, text.id);
      ask.addEventListener('click', () => {
        text.hidden = !text.hidden;
        ask.setAttribute('aria-expanded', String(!text.hidden));
      });
      first.append(ask);
    }
    first.append(this.#tableButton);
    const second = node('div', 'ppo-chart-line');
    second.append(node('span', 'ppo-chart-unit', unit), this.#latest);
    caption.append(first, second);
    if (meaning) {
      caption.append(text);
    }
    const plot = this.#plot;
    plot.tabIndex = 0;
    plot.style.height = `${height}px`;
    plot.dataset.lmSuppressShortcuts = 'true'; // else JupyterLab takes keys such as 0 and T
    plot.setAttribute('role', 'slider'); // arrow keys choose a step; its text is the readout
    plot.setAttribute('aria-label', `${title}${unit ? ` (${unit})` : ''} over environment steps`);
    plot.setAttribute('aria-describedby', board.helpId);
    plot.setAttribute('aria-valuenow', '0');
    plot.setAttribute('aria-valuetext', 'no data yet');
    this.#empty.hidden = true;
    this.#scaleNote.hidden = true;
    plot.append(this.#empty);
    this.element.append(caption, this.#legend.element, plot, this.#scaleNote, this.#table.element);
    const letPointerGo = this.#followPointer();
    const onKey = (event: KeyboardEvent): void => {
      if (event.target === plot) {
        this.#key(event);
      }
    };
    const onBlur = (): void => board.setCursor(null);
    plot.addEventListener('keydown', onKey);
    plot.addEventListener('blur', onBlur);
    this.#letGo = () => {
      letPointerGo();
      plot.removeEventListener('keydown', onKey);
      plot.removeEventListener('blur', onBlur);
    };
  }

  /** Where its canvas is; its width is the chart's. */
  get plot(): HTMLElement {
    return this.#plot;
  }

  /** Whether there is room for the words of marks. */
  get #hasWords(): boolean {
    return this.height > 200;
  }

  /** Whether there is a canvas. */
  get isDrawn(): boolean {
    return this.#frame !== null;
  }

  /** Whether the canvas no longer has the width of its place. */
  get isResized(): boolean {
    return this.#frame !== null && this.#plot.clientWidth !== this.#frame.width;
  }

  /** Let go of the points while nobody can see it. */
  rest(): void {
    this.#shown = [];
    this.stale = true;
  }

  /** Look at the sources and paint. */
  draw(): void {
    const began = performance.now();
    this.stale = false;
    const { scene, palette } = this.board;
    const { range } = scene;
    this.#shown = shownSeries(this.description, scene);
    this.#describe(scene);
    const width = this.#plot.clientWidth;
    if (width < 60) {
      return; // not laid out: nobody can see it
    }
    const count = this.height > 200 ? 5 : 3;
    const layers = layersOf(this.#shown, range, this.#frame?.columns ?? width, palette);
    const extent = extentOf(
      layers.flatMap(({ steps, values, low, high }) =>
        low && high
          ? [
              { steps, values: low },
              { steps, values: high }
            ]
          : [{ steps, values }]
      ),
      range.from,
      range.to
    );
    const { description } = this;
    this.#axis = extent
      ? valueAxis(extent, scene.settings.logScale, count, description)
      : EMPTY_AXIS;
    this.#noteScale();
    let looked = 0; // milliseconds; the canvas is painted later, when all charts have looked
    const picture = {
      layers,
      steps: stepAxis(range.from, range.to, Math.max(2, Math.floor(width / 90))),
      values: this.#axis,
      palette,
      headroom: this.#hasWords && shownMarks(scene).length > 0 ? WORDS_HEIGHT : 0,
      over: (plot: uPlot, painting: number) => {
        paintMarks(plot, scene, palette, this.#hasWords);
        this.#draws += 1;
        this.element.dataset.draws = String(this.#draws);
        this.element.dataset.ms = (looked + performance.now() - painting).toFixed(2);
      }
    };
    if (this.#frame) {
      this.#frame.resize(width, this.height);
      this.#frame.show(picture);
    } else {
      this.#frame = new Frame(this.#plot, width, this.height, picture);
      this.#frame.over.append(this.#overlay.element);
    }
    looked = performance.now() - began;
    this.drawCursor();
  }

  /** Show the values at the cursor of the board; the canvas stays as it is. */
  drawCursor(): void {
    const { cursor, range } = this.board.scene;
    const share = cursor === null ? NaN : (cursor - range.from) / (range.to - range.from);
    if (!this.#frame || cursor === null || !(share >= 0 && share <= 1)) {
      this.#overlay.hideCursor();
      return;
    }
    const reach = (MARK_REACH * (range.to - range.from)) / this.#frame.columns;
    const marks = marksNear(this.board.scene, cursor, reach);
    const used = this.#plot.matches(':hover, :focus');
    const isLarge = this.height > 200;
    const found = this.#readings(cursor);
    // a small chart says the least: step and words of marks stand in the large one
    const size = {
      rows: isLarge ? 8 : used ? 5 : 4,
      names: isLarge || used || (isSingle(this.board.scene) && found.length > 1),
      title: isLarge || used
    };
    const words = isLarge ? marks : [];
    this.#overlay.showCursor(found, cursor, share, words, range, this.#axis, size);
  }

  /** Open or close the table, and put the focus there. */
  toggleTable(): void {
    if (this.#table.isOpen) {
      this.#closeTable();
      return;
    }
    this.#table.open();
    this.#tableButton.setAttribute('aria-expanded', 'true');
    this.#updateTable();
  }

  dispose(): void {
    this.#letGo();
    this.#frame?.destroy();
    this.element.remove();
  }

  #closeTable(): void {
    this.#table.close();
    this.#tableButton.setAttribute('aria-expanded', 'false');
    this.#plot.focus({ preventScroll: true });
  }

  #updateTable(): void {
    const { scene } = this.board;
    const { range, full } = scene;
    const zoom = range.from > full.from || range.to < full.to ? range : null;
    this.#table.update(this.#shown, shownMarks(scene), zoom, performance.now());
  }

  /** Nearest values; of a run that had not begun or was at its end by then, none. */
  #readings(step: number): ReturnType<typeof readings> {
    const { from, to } = this.board.scene.range;
    const reach = (to - from) / 40;
    return readings(this.#shown, step).filter(reading => {
      const { steps } = reading.shown.points;
      const [first = 0, last = 0] = [steps[0], steps[steps.length - 1]];
      return step >= first - reach && step <= last + reach;
    });
  }

  /** Everything about the chart that is not on the canvas. */
  #describe(scene: IScene): void {
    const { description } = this;
    const single = isSingle(scene);
    const points = this.#shown.reduce((sum, one) => sum + one.points.steps.length, 0);
    const last = readings(this.#shown, null);
    const latest = Math.max(0, ...last.map(({ step }) => step));
    Object.assign(this.element.dataset, { points, latest, ...scene.range });
    this.#empty.hidden = points > 0;
    const first = this.#shown[0]?.points.steps[0] ?? 0;
    this.#plot.setAttribute('aria-valuemin', String(Math.min(first, latest)));
    this.#plot.setAttribute('aria-valuemax', String(latest));
    if (scene.cursor === null && !this.#plot.matches(':focus')) {
      this.#plot.setAttribute('aria-valuenow', String(latest));
      const text = points > 0 ? readoutText(last, latest) : 'no data yet';
      this.#plot.setAttribute('aria-valuetext', text);
    }
    const newest = last.find(({ shown }) => shown.mark === 'line') ?? last[0];
    this.#latest.textContent = single && newest ? `latest ${formatValue(newest.value)}` : '';
    const several = description.series.length > 1;
    this.#legend.update(
      description.series
        .filter(one => several && scene.tracks.length + scene.bands.length > 0 && one.label)
        .map((one, number) => ({
          key: seriesKey(description, one),
          label: one.label,
          mark: one.mark,
          colour: single ? (scene.tracks[0]?.colour ?? 0) + number : 6,
          dash: []
        })),
      scene.settings.hidden
    );
    this.#updateTable();
  }

  #noteScale(): void {
    const { kind, linearBelow } = this.#axis.scale;
    const [symmetric, bound] = [kind === 'symlog', shownValue(linearBelow)];
    this.#scaleNote.hidden = !symmetric;
    this.#scaleNote.textContent = symmetric
      ? 'Symmetric logarithm, because not all values are positive: about linear between ' +
        `−${bound} and ${bound}.`
      : '';
  }

  #key(event: KeyboardEvent): void {
    const { board } = this;
    const { range, full, cursor } = board.scene;
    answerKey(event, {
      step: points => this.#moveBy(points),
      zoom: factor =>
        board.setRange(zoomed(range, factor, cursor ?? (range.from + range.to) / 2, full)),
      pan: share => this.#panBy(share),
      all: () => board.setRange(null),
      table: () => this.toggleTable(),
      leave: () => {
        board.setCursor(null);
        return cursor !== null;
      }
    });
  }

  /** Pan by a share of what is shown; a cursor that could be seen stays in sight. */
  #panBy(share: number): void {
    const { range, full, cursor } = this.board.scene;
    const next = panned(range, share, full);
    this.board.setRange(next);
    const steps = this.#shown[0]?.points.steps;
    if (next && cursor !== null && cursor >= range.from && cursor <= range.to && steps) {
      this.board.setCursor(steps[nearestIndex(steps, cursor + next.from - range.from)] ?? cursor);
    }
  }

  /** Move the cursor by points of the first series; several at one step count as one. */
  #moveBy(points: number): void {
    const steps = this.#shown[0]?.points.steps;
    if (!steps || steps.length === 0) {
      return;
    }
    const end = steps.length - 1;
    const { cursor, range, full } = this.board.scene;
    const now = cursor ?? steps[end] ?? 0;
    const next = points > 0 ? upperBound(steps, now) + points - 1 : lowerBound(steps, now) + points;
    const step = steps[Math.min(Math.max(next, 0), end)] ?? now;
    if (step < range.from || step > range.to) {
      this.board.setRange(revealing(range, step, full));
    }
    this.board.setCursor(step);
    const { scene } = this.board;
    this.#plot.setAttribute('aria-valuenow', String(step));
    const text = readoutText(this.#readings(step), step, marksNear(scene, step, 0));
    this.#plot.setAttribute('aria-valuetext', text);
  }

  #stepAt(share: number): number {
    const { from, to } = this.board.scene.range;
    return from + share * (to - from);
  }

  #followPointer(): () => void {
    const { board } = this;
    return followPointer(this.#plot, {
      area: () => this.#frame?.over.getBoundingClientRect() ?? null,
      range: () => board.scene.range,
      point: share => {
        const steps = this.#shown[0]?.points.steps;
        const step = share === null ? null : this.#stepAt(share);
        const nearest = steps && step !== null ? steps[nearestIndex(steps, step)] : step;
        board.setCursor(nearest ?? step);
      },
      select: (from, to) => board.setRange({ from: this.#stepAt(from), to: this.#stepAt(to) }),
      pan: (start, share) => board.setRange(panned(start, share, board.scene.full)),
      zoom: (factor, share) =>
        board.setRange(zoomed(board.scene.range, factor, this.#stepAt(share), board.scene.full)),
      all: () => board.setRange(null),
      selection: (from, to) => this.#overlay.showSelection(from, to),
      selectionEnds: () => this.#overlay.hideSelection()
    });
  }
}
