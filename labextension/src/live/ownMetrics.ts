/** Charts of metrics that no chart of the table shows: those that a loop of one's own logs. */
import type { ChartDescription, Track } from './types';

/** Metrics of `domain/training.py` that are measured for tables and files and get no chart. */
const NOT_CHARTED: ReadonlySet<string> = new Set([
  'length',
  'eval_length',
  'loss',
  'action_std',
  'clip_range',
  'seconds_env',
  'seconds_forward',
  'seconds_update'
]);

/** A chart for each metric that the runs have and the charts do not show. */
export function ownCharts(
  charts: readonly ChartDescription[],
  tracks: readonly Track[]
): ChartDescription[] {
  const known = new Set(charts.flatMap(({ series }) => series.map(({ metric }) => metric)));
  const own: ChartDescription[] = [];
  for (const { source } of tracks) {
    for (const metric of source.names()) {
      if (known.has(metric) || NOT_CHARTED.has(metric)) {
        continue;
      }
      known.add(metric);
      own.push({
        key: metric,
        title: metric,
        unit: '',
        meaning: '',
        low: null,
        high: null,
        series: [{ metric, label: metric, mark: 'line' }]
      });
    }
  }
  return own;
}
