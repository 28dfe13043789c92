/** The points of a run as a table for spreadsheets and pandas. */
import type { SeriesSource } from './types';

/**
 * CSV with a column of steps and one of each metric, all or the given ones, sorted by step.
 *
 * Points of one step share a row; a metric with several points of one step has several rows. A
 * cell is empty where nothing was measured and NaN where the value is not defined.
 */
export function toCsv(source: SeriesSource, metrics: readonly string[] = source.names()): string {
  const columns = metrics.map(metric => source.points(metric));
  const places = columns.map(() => 0);
  const rows = [['step', ...metrics].map(quoted).join(',')];
  for (;;) {
    let step = Infinity;
    columns.forEach((column, i) => {
      step = Math.min(step, column.steps[places[i] ?? 0] ?? Infinity);
    });
    if (step === Infinity) {
      return `${rows.join('\r\n')}\r\n`;
    }
    const cells = columns.map((column, i) => {
      const place = places[i] ?? 0;
      if (column.steps[place] !== step) {
        return '';
      }
      places[i] = place + 1;
      return String(column.values[place]);
    });
    rows.push([String(step), ...cells].join(','));
  }
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
