/** What a chart shows at the moment: series of runs, and bands over several runs. */
import { dashes } from './colours';
import { nearestIndex } from './decimate';
import { trailingMean } from './smoothing';
import type {
  Band,
  BoardSettings,
  ChartDescription,
  MarkKind,
  Points,
  SeriesDescription,
  Track
} from './types';
import type { IRange } from './zoom';

/** All that the charts of a board have in common. */
export interface IScene {
  readonly tracks: readonly Track[];
  readonly bands: readonly Band[];
  readonly settings: BoardSettings;
  /** The steps that are shown, and those that there are. */
  readonly range: IRange;
  readonly full: IRange;
  /** Step of the cursor; null: none. */
  readonly cursor: number | null;
}

/** One series of one run, or a band. */
export interface IShown {
  /** What tells it from the others of its chart; empty when there are none. */
  readonly name: string;
  /** The same where its mark is beside it: the run, or of a single run the series. */
  readonly short: string;
  readonly mark: MarkKind | 'band';
  /** As measured; of a band its centre. */
  readonly points: Points;
  /** Trailing means; null where none are wanted. */
  readonly smooth: Points | null;
  readonly band: Band | null;
  /** Number in the palette. */
  readonly colour: number;
  readonly dash: readonly number[];
  /** It stands behind bands. */
  readonly faint: boolean;
}

/** Name in the settings of a series that is switched off in one chart. */
export function seriesKey(chart: ChartDescription, series: SeriesDescription): string {
  return `${chart.key}/${series.metric}`;
}

/** Name in the settings of a run or band that is switched off in all charts. */
export function ownerKey(id: string): string {
  return `*/${id}`;
}

/** What switches a run off: its band, if it is part of one. */
export function switchOf(id: string, bands: readonly Band[]): string {
  return ownerKey(bands.find(band => band.members?.includes(id))?.id ?? id);
}

/** Whether the board has so few runs that nobody must tell them apart. */
export function isSingle(scene: IScene): boolean {
  return scene.tracks.length <= 1 && scene.bands.length === 0;
}

/** Trailing means for a line; dots and squares are measurements and stay what they are. */
function smoothed(points: Points, mark: MarkKind | 'band', window: number): Points | null {
  return mark === 'line' && window > 1 && points.steps.length > 1
    ? trailingMean(points, window)
    : null;
}

/** Everything of a chart that is switched on and has points; bands come last, in front. */
export function shownSeries(chart: ChartDescription, scene: IScene): IShown[] {
  const hidden = new Set(scene.settings.hidden);
  const single = isSingle(scene);
  const shown: IShown[] = [];
  const series = chart.series.filter(one => !hidden.has(seriesKey(chart, one)));
  const several = chart.series.length > 1;
  const bands = scene.bands.filter(
    band => !hidden.has(ownerKey(band.id)) && series.some(one => one.metric === band.metric)
  );
  for (const track of scene.tracks) {
    if (!single && hidden.has(switchOf(track.id, scene.bands))) {
      continue;
    }
    for (const one of series) {
      const points = track.source.points(one.metric);
      if (points.steps.length === 0) {
        continue;
      }
      const names = [...(single ? [] : [track.label]), ...(several ? [one.label] : [])];
      shown.push({
        name: names.join(', '),
        short: names[0] ?? '',
        mark: one.mark,
        points,
        smooth: smoothed(points, one.mark, scene.settings.smoothing),
        band: null,
        colour: single ? track.colour + chart.series.indexOf(one) : track.colour,
        dash: single || one.mark !== 'line' ? [] : dashes(track.colour),
        faint: bands.length > 0
      });
    }
  }
  for (const band of bands) {
    const label = series.find(one => one.metric === band.metric)?.label ?? '';
    shown.push({
      name: several ? `${band.label}, ${label}` : band.label,
      short: several ? `${label}, ${band.label}` : band.label,
      mark: 'band',
      points: { steps: band.steps, values: band.centre },
      smooth: null,
      band,
      colour: band.colour,
      dash: dashes(band.colour),
      faint: false
    });
  }
  return shown;
}

/** What a series is near a step. */
export interface IReading {
  readonly shown: IShown;
  readonly index: number;
  readonly step: number;
  readonly value: number;
  /** Its trailing mean, when one is drawn. */
  readonly mean: number | null;
}

/** The point of each series that is nearest to a step; null reads the last ones. */
export function readings(shown: readonly IShown[], step: number | null): IReading[] {
  return shown.flatMap(one => {
    const { steps, values } = one.points;
    const index = step === null ? steps.length - 1 : nearestIndex(steps, step);
    const at = steps[index];
    const value = values[index];
    if (at === undefined || value === undefined) {
      return [];
    }
    return [{ shown: one, index, step: at, value, mean: one.smooth?.values[index] ?? null }];
  });
}

/** Last step of anything that is shown; 0 without any. */
export function lastStep(charts: readonly ChartDescription[], scene: IScene): number {
  let last = 0;
  for (const chart of charts) {
    for (const { metric } of chart.series) {
      for (const { source } of scene.tracks) {
        const { steps } = source.points(metric);
        last = Math.max(last, steps[steps.length - 1] ?? 0);
      }
    }
  }
  for (const { steps } of scene.bands) {
    last = Math.max(last, steps[steps.length - 1] ?? 0);
  }
  return last;
}
