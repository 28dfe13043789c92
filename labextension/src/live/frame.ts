/** uPlot as the charts use it: one pair of axes, and layers that paint themselves. */
import uPlot from 'uplot';

import type { IAxis } from './axes';
import type { IPalette } from './colours';
import type { ILayer } from './layers';
import { pathsOf } from './paths';

/** What is painted next. */
export interface IPicture {
  readonly layers: readonly ILayer[];
  readonly steps: Omit<IAxis, 'scale'>;
  readonly values: IAxis;
  readonly palette: IPalette;
  /** Pixels above the drawn area, for words. */
  readonly headroom: number;
  /** Paints on top of the layers; is told when the painting began, in `performance.now()`. */
  readonly over: (plot: uPlot, began: number) => void;
}

const NOTHING: [Float64Array, Float64Array] = [new Float64Array(0), new Float64Array(0)];

/** One canvas with axes. It keeps only the picture that it shows. */
export class Frame {
  readonly #plot: uPlot;
  #picture: IPicture;
  #began = 0;

  constructor(host: HTMLElement, width: number, height: number, picture: IPicture) {
    this.#picture = picture;
    const font = `11px ${picture.palette.font}`;
    const looks = {
      font,
      labelFont: font,
      stroke: () => this.#picture.palette.faint,
      grid: { stroke: () => this.#picture.palette.grid, width: 1 },
      ticks: { stroke: () => this.#picture.palette.grid, width: 1, size: 4 }
    };
    this.#plot = new uPlot(
      {
        mode: 2,
        width,
        height,
        padding: [() => 8 + this.#picture.headroom, 20, 0, 0], // right: half a number
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: {
            time: false,
            range: () => [this.#picture.steps.low, this.#picture.steps.high]
          },
          y: { range: () => [this.#picture.values.low, this.#picture.values.high] }
        },
        axes: [
          {
            ...looks,
            scale: 'x',
            side: 2,
            size: 22,
            gap: 3,
            label: 'environment steps',
            labelSize: 15,
            labelGap: 0,
            splits: () => [...this.#picture.steps.ticks],
            values: (_, ticks) => ticks.map(tick => this.#picture.steps.label(tick))
          },
          {
            ...looks,
            scale: 'y',
            side: 3,
            gap: 3,
            size: (_, labels) =>
              Math.max(44, 14 + 6.3 * Math.max(0, ...(labels ?? []).map(label => label.length))),
            splits: () => {
              const { ticks, scale } = this.#picture.values;
              return ticks.map(tick => scale.forward(tick));
            },
            values: () => {
              const { ticks, label } = this.#picture.values;
              return ticks.map(tick => label(tick));
            }
          }
        ],
        series: [{}, this.#series()],
        hooks: {
          drawClear: [
            () => {
              this.#began = performance.now();
            }
          ],
          draw: [plot => this.#picture.over(plot, this.#began)]
        }
      },
      [null, NOTHING] as unknown as uPlot.AlignedData, // uPlot's types know its mode 1 only
      host
    );
    this.show(picture);
  }

  /** The element over the drawn area, without the axes. */
  get over(): HTMLElement {
    return this.#plot.over;
  }

  /** Width of all, with the axes. */
  get width(): number {
    return this.#plot.width;
  }

  /** Width of the drawn area in CSS pixels. */
  get columns(): number {
    return this.#plot.over.clientWidth || this.#plot.width;
  }

  resize(width: number, height: number): void {
    if (width !== this.#plot.width || height !== this.#plot.height) {
      this.#plot.setSize({ width, height });
    }
  }

  /** Paint; `over` of the picture is called when it is done, in a microtask. */
  show(picture: IPicture): void {
    this.#picture = picture;
    const plot = this.#plot;
    while (plot.series.length - 1 < picture.layers.length) {
      plot.addSeries(this.#series());
    }
    while (plot.series.length - 1 > Math.max(picture.layers.length, 1)) {
      plot.delSeries(plot.series.length - 1);
    }
    picture.layers.forEach((layer, number) => {
      const series = plot.series[number + 1];
      if (series) {
        series.width = layer.width;
        series.alpha = layer.alpha;
        series.dash = layer.dash.map(length => length * uPlot.pxRatio);
      }
    });
    const data = picture.layers.map(({ steps, values }) => [steps, values]);
    const all = [null, ...(data.length > 0 ? data : [NOTHING])];
    plot.setData(all as unknown as uPlot.AlignedData);
  }

  destroy(): void {
    this.#plot.destroy();
  }

  #layer(number: number): ILayer | undefined {
    return this.#picture.layers[number - 1];
  }

  /** A series of uPlot that paints the layer of its number, whichever that is. */
  #series(): uPlot.Series {
    return {
      auto: false,
      pxAlign: 0,
      cap: 'butt',
      facets: [
        { scale: 'x', auto: false },
        { scale: 'y', auto: false }
      ],
      stroke: (_, number) => this.#layer(number)?.colour ?? 'transparent',
      fill: (_, number) => {
        const layer = this.#layer(number);
        return layer && layer.kind !== 'line' ? layer.colour : 'transparent';
      },
      points: { show: false },
      paths: (plot, number) => {
        const layer = this.#layer(number);
        return layer ? pathsOf(plot, layer, this.#picture.values.scale.forward) : null;
      }
    };
  }
}
