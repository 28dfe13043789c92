/** What the charts of training runs are made of; widgets and the panel of runs give them these. */

/** How a series is drawn; the values are those of `domain/charts.py`. */
export type MarkKind = 'dots' | 'line' | 'squares';

/** One series of a chart; `label` is what the legend says. */
export type SeriesDescription = {
  readonly metric: string;
  readonly label: string;
  readonly mark: MarkKind;
};

/** One chart; `low` and `high` bound what its values can be. */
export type ChartDescription = {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  readonly meaning: string;
  readonly low: number | null;
  readonly high: number | null;
  readonly series: readonly SeriesDescription[];
};

/** Points of one metric, in the order of their steps. The arrays are views: do not keep them. */
export type Points = {
  readonly steps: Float64Array;
  readonly values: Float64Array;
};

/** The points of one run, as they come. */
export type SeriesSource = {
  /** Metrics that have points, in the order in which they first came. */
  names(): readonly string[];
  /** Points of a metric; empty when it has none. */
  points(metric: string): Points;
  /** Grows with every change. */
  readonly version: number;
};

/** Something that happened at a step: a live change, an extension, a resumption. */
export type StepMark = {
  readonly step: number;
  readonly text: string;
};

/** A run on the board. `colour` counts from 0 in the palette. */
export type Track = {
  readonly id: string;
  readonly label: string;
  readonly colour: number;
  readonly source: SeriesSource;
  readonly marks: readonly StepMark[];
};

/** Several runs of one setting as a line with an interval. */
export type Band = {
  readonly id: string;
  /** Ids of the tracks that it is made of: they are switched off with it. */
  readonly members?: readonly string[];
  /** Such as "learning_rate 0.001 (5 seeds)". */
  readonly label: string;
  readonly colour: number;
  readonly metric: string;
  /** Such as "median and interquartile range". */
  readonly statistic: string;
  readonly steps: Float64Array;
  readonly centre: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
};

/** How all charts of a board are drawn; a board keeps it across views. */
export type BoardSettings = {
  /** Trailing window: each point is the mean of itself and the points before it; 1 is none. */
  readonly smoothing: number;
  readonly logScale: boolean;
  /** Labels of the legend that are switched off: "<chart key>/<metric or track id>". */
  readonly hidden: readonly string[];
};

/** Charts with one cursor and one range of steps. `Board` in board.ts is the one there is. */
export interface IBoard {
  /** Show these runs, and these bands in front of them. */
  setTracks(tracks: readonly Track[], bands?: readonly Band[]): void;
  /** Draw soon, at most ten times a second, and only while the board can be seen. */
  drawSoon(): void;
  /** Remove everything and let go of all listeners. */
  dispose(): void;
}
