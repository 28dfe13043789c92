/** Charts of runs with one cursor and one range of steps. */
import { Chart } from './chart';
import type { IChartBoard } from './chart';
import { dashes, followTheme, paletteOf } from './colours';
import type { IPalette } from './colours';
import { isSingle, lastStep, ownerKey, switchOf } from './content';
import type { IScene } from './content';
import { Legend } from './legend';
import type { ILegendEntry } from './legend';
import { ownCharts } from './ownMetrics';
import { Toolbar } from './toolbar';
import type { Band, BoardSettings, ChartDescription, IBoard, Track } from './types';
import { inside, zoomed } from './zoom';
import type { IRange } from './zoom';

export const defaultSettings: BoardSettings = { smoothing: 1, logScale: false, hidden: [] };

/** Milliseconds between two redraws for new points. */
const INTERVAL = 100;
const [WIDE, SMALL] = [250, 160];

let made = 0;

/**
 * The charts of one or several runs. It holds no points; it looks at the sources of its tracks when
 * it draws: after `drawSoon`, at most ten times a second, and only charts that are in sight.
 */
export class Board implements IBoard, IChartBoard {
  readonly helpId: string;
  readonly #root = document.createElement('div');
  readonly #grid = document.createElement('div');
  readonly #toolbar: Toolbar;
  readonly #legend = new Legend('Runs', key => this.toggle(key));
  readonly #seen: IntersectionObserver | null;
  readonly #sizes: ResizeObserver | null;
  readonly #letThemeGo: () => void;
  #charts: Chart[] = [];
  readonly #descriptions: readonly ChartDescription[];
  #settings: BoardSettings;
  #tracks: readonly Track[] = [];
  #bands: readonly Band[] = [];
  #zoom: IRange | null = null;
  #last = 1;
  #cursor: number | null = null;
  #scene: IScene | null = null;
  #palette: IPalette | null = null;
  #timer: number | undefined;
  #frame: number | undefined;
  #cursorFrame: number | undefined;
  #drawn = -Infinity;
  #disposed = false;

  constructor(
    host: HTMLElement,
    charts: readonly ChartDescription[],
    settings: BoardSettings,
    private readonly onSettings: (settings: BoardSettings) => void
  ) {
    made += 1;
    this.#descriptions = charts;
    this.#settings = settings;
    this.#root.className = 'ppo-board ppo-palette';
    this.#grid.className = 'ppo-charts';
    const help = document.createElement('p');
    this.helpId = `ppo-board-help-${made}`;
    help.id = this.helpId;
    help.className = 'ppo-hidden-text';
    help.textContent =
      'Arrow keys read the values point by point. Plus and minus zoom, 0 shows all, T opens the ' +
      'numbers as a table.';
    this.#toolbar = new Toolbar({
      smoothing: (smoothing, done) => this.#change({ smoothing }, done),
      logScale: logScale => this.#change({ logScale }, true),
      zoom: factor => {
        const { range, full, cursor } = this.scene;
        this.setRange(zoomed(range, factor, cursor ?? (range.from + range.to) / 2, full));
      },
      all: () => this.setRange(null)
    });
    this.#root.append(this.#toolbar.element, this.#legend.element, this.#grid, help);
    host.append(this.#root);
    this.#seen =
      typeof IntersectionObserver === 'undefined'
        ? null
        : new IntersectionObserver(entries => this.#see(entries), { rootMargin: '80px' });
    this.#sizes =
      typeof ResizeObserver === 'undefined'
        ? null
        : new ResizeObserver(() => {
            this.#charts.forEach(chart => {
              chart.stale ||= chart.isResized || !chart.isDrawn;
            });
            this.#redraw();
          });
    this.#arrange();
    this.#letThemeGo = followTheme(this.#root, () => {
      this.#palette = null;
      this.#redrawAll();
    });
    this.#redrawAll();
  }

  get settings(): BoardSettings {
    return this.#settings;
  }

  get palette(): IPalette {
    this.#palette ??= paletteOf(this.#root);
    return this.#palette;
  }

  get scene(): IScene {
    const full = { from: 0, to: this.#last };
    this.#scene ??= {
      tracks: this.#tracks,
      bands: this.#bands,
      settings: this.#settings,
      range: this.#zoom ?? full,
      full,
      cursor: this.#cursor
    };
    return this.#scene;
  }

  /** Show these runs, and these bands in front of them. */
  setTracks(tracks: readonly Track[], bands: readonly Band[] = []): void {
    this.#tracks = tracks;
    this.#bands = bands;
    this.#arrange();
    this.#redrawAll();
  }

  /** Take over settings that were changed elsewhere. */
  setSettings(settings: BoardSettings): void {
    this.#settings = settings;
    this.#redrawAll();
  }

  drawSoon(): void {
    this.#charts.forEach(chart => {
      chart.stale = true;
    });
    if (this.#timer !== undefined || this.#disposed) {
      return;
    }
    const wait = Math.max(0, this.#drawn + INTERVAL - performance.now());
    this.#timer = window.setTimeout(() => {
      this.#timer = undefined;
      this.#redraw();
    }, wait);
  }

  setCursor(step: number | null): void {
    if (step === this.#cursor) {
      return;
    }
    this.#cursor = step;
    this.#scene = null;
    this.#cursorFrame ??= window.requestAnimationFrame(() => {
      this.#cursorFrame = undefined;
      this.#charts.forEach(chart => chart.visible && chart.drawCursor());
    });
  }

  setRange(range: IRange | null): void {
    this.#zoom = range && inside(range, { from: 0, to: this.#last });
    this.#redrawAll();
  }

  toggle(key: string): void {
    const { hidden } = this.#settings;
    const without = hidden.filter(one => one !== key);
    this.#change({ hidden: without.length < hidden.length ? without : [...hidden, key] }, true);
  }

  dispose(): void {
    this.#disposed = true;
    this.#seen?.disconnect();
    this.#sizes?.disconnect();
    this.#letThemeGo();
    window.clearTimeout(this.#timer);
    window.cancelAnimationFrame(this.#frame ?? 0);
    window.cancelAnimationFrame(this.#cursorFrame ?? 0);
    this.#charts.forEach(chart => chart.dispose());
    this.#charts = [];
    this.#tracks = [];
    this.#bands = [];
    this.#scene = null;
    this.#root.remove();
  }

  #change(values: Partial<BoardSettings>, done: boolean): void {
    this.#settings = { ...this.#settings, ...values };
    this.#redrawAll();
    if (done) {
      this.onSettings(this.#settings);
    }
  }

  /** Make the charts that there have to be, and only those. */
  #arrange(): void {
    const wanted = [...this.#descriptions, ...ownCharts(this.#descriptions, this.#tracks)];
    const old = new Map(this.#charts.map(chart => [JSON.stringify(chart.description), chart]));
    this.#charts = wanted.map((description, number) => {
      const name = JSON.stringify(description);
      const kept = old.get(name);
      if (kept) {
        old.delete(name);
        return kept;
      }
      const chart = new Chart(description, number === 0 ? WIDE : SMALL, this);
      chart.visible = this.#seen === null; // until the page says so
      this.#seen?.observe(chart.element);
      this.#sizes?.observe(chart.plot);
      return chart;
    });
    for (const chart of old.values()) {
      this.#seen?.unobserve(chart.element);
      this.#sizes?.unobserve(chart.plot);
      chart.dispose();
    }
    const elements = this.#charts.map(({ element }) => element);
    if (elements.some((element, number) => this.#grid.children[number] !== element)) {
      this.#grid.replaceChildren(...elements);
    }
  }

  #see(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const chart = this.#charts.find(({ element }) => element === target);
      if (chart) {
        chart.visible = isIntersecting;
        if (!isIntersecting) {
          chart.rest();
        }
      }
    }
    this.#redraw();
  }

  #redrawAll(): void {
    this.#charts.forEach(chart => {
      chart.stale = true;
    });
    this.#redraw();
  }

  /** Draw in the next frame of the page what is in sight and out of date. */
  #redraw(): void {
    if (this.#disposed) {
      return;
    }
    this.#scene = null;
    this.#frame ??= window.requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#draw();
    });
  }

  #draw(): void {
    const due = this.#charts.filter(chart => chart.stale && chart.visible);
    if (due.length === 0) {
      return;
    }
    this.#drawn = performance.now();
    if (
      ownCharts(
        this.#charts.map(chart => chart.description),
        this.#tracks
      ).length > 0
    ) {
      this.#arrange();
    }
    this.#last = Math.max(
      1,
      lastStep(
        this.#charts.map(chart => chart.description),
        this.scene
      )
    );
    this.#zoom = this.#zoom && inside(this.#zoom, { from: 0, to: this.#last });
    this.#scene = null;
    const { settings, range } = this.scene;
    this.#toolbar.update(settings, range, this.#zoom === null);
    this.#legend.update(this.#owners(), settings.hidden);
    this.#charts.forEach(chart => chart.stale && chart.visible && chart.draw());
  }

  /** The runs and bands of the legend; a single run needs none. */
  #owners(): ILegendEntry[] {
    if (isSingle(this.scene)) {
      return [];
    }
    const entries = new Map<string, ILegendEntry>();
    for (const { id, label, colour } of this.#bands) {
      entries.set(id, { key: ownerKey(id), label, colour, mark: 'band', dash: dashes(colour) });
    }
    for (const { id, label, colour } of this.#tracks) {
      const key = ownerKey(id);
      if (switchOf(id, this.#bands) !== key) {
        continue; // its band stands there
      }
      entries.set(id, { key, label, colour, mark: 'line', dash: dashes(colour) });
    }
    return [...entries.values()];
  }
}
