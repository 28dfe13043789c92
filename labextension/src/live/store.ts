/** The points of one run in the browser: columns that grow, and are bounded. */
import { PER_COLUMN, carryOver, forgetAfter, minMax, upperBound } from './decimate';
import { carryMeansOver, forgetMeansAfter } from './smoothing';
import type { Points, SeriesSource } from './types';

/** Values of one metric, as in the kernel (widgets/points.py). */
export const VALUES_AT_MOST = 4_000_000;
const FIRST_ROOM = 256;

type Column = { steps: Float64Array; values: Float64Array; length: number; view: Points | null };

const NONE: Points = { steps: new Float64Array(0), values: new Float64Array(0) };

/** Append-only columns of steps and values by metric; what comes costs no more than itself. */
export class SeriesStore implements SeriesSource {
  /** Above `limit` values of a metric the older half is thinned; its peaks are kept. */
  constructor(private readonly limit = VALUES_AT_MOST) {}

  /** Grows with every change. */
  get version(): number {
    return this.changes;
  }

  /** Metrics that have points, in the order in which they first came. */
  names(): readonly string[] {
    return [...this.columns].filter(([, column]) => column.length > 0).map(([name]) => name);
  }

  /** Points of a metric; empty when it has none. The arrays are views: do not keep them. */
  points(metric: string): Points {
    const column = this.columns.get(metric);
    if (column === undefined) {
      return NONE;
    }
    column.view ??= {
      steps: column.steps.subarray(0, column.length),
      values: column.values.subarray(0, column.length)
    };
    return column.view;
  }

  /** Add one point. */
  push(metric: string, step: number, value: number): void {
    const column = this.columnWithRoom(metric, 1);
    column.steps[column.length] = step;
    column.values[column.length] = value;
    column.length += 1;
    this.changed(column);
  }

  /** Add points behind those that are there; both arrays are copied. */
  append(metric: string, steps: Float64Array, values: Float64Array): void {
    if (steps.length !== values.length) {
      throw new RangeError(`${values.length} values do not belong to ${steps.length} steps.`);
    }
    const column = this.columnWithRoom(metric, steps.length);
    column.steps.set(steps, column.length);
    column.values.set(values, column.length);
    column.length += steps.length;
    this.changed(column);
  }

  /** Take back what came after a step: the run went on from there. Below 0 is all, and its memory. */
  rewind(step: number): void {
    if (step < 0) {
      this.clear();
      return;
    }
    for (const column of this.columns.values()) {
      const kept = upperBound(column.steps.subarray(0, column.length), step);
      if (kept < column.length) {
        column.length = kept;
        column.view = null;
        forgetAfter(column.values.buffer, kept);
        forgetMeansAfter(column.values.subarray(0, kept));
      }
    }
    this.changes += 1;
  }

  /** Forget everything. */
  clear(): void {
    this.columns.clear();
    this.changes += 1;
  }

  private columnWithRoom(metric: string, more: number): Column {
    let column = this.columns.get(metric);
    if (column === undefined) {
      const room = Math.max(FIRST_ROOM, more);
      const [steps, values] = [new Float64Array(room), new Float64Array(room)];
      column = { steps, values, length: 0, view: null };
      this.columns.set(metric, column);
    }
    const length = column.length + more;
    if (length > column.steps.length) {
      const room = Math.max(length, 2 * column.steps.length);
      const [steps, values] = [new Float64Array(room), new Float64Array(room)];
      steps.set(column.steps.subarray(0, column.length));
      values.set(column.values.subarray(0, column.length));
      carryOver(column.values.buffer, values.buffer);
      carryMeansOver(column.values.buffer, values.buffer);
      column.steps = steps;
      column.values = values;
    }
    return column;
  }

  private changed(column: Column): void {
    column.view = null;
    while (column.length > this.limit) {
      this.thin(column);
    }
    this.changes += 1;
  }

  private thin(column: Column): void {
    const half = Math.floor(column.length / 2);
    const steps = column.steps.subarray(0, half);
    const older = minMax(
      { steps, values: column.values.subarray(0, half) },
      steps[0] ?? 0,
      steps[half - 1] ?? 0,
      half / (4 * PER_COLUMN)
    );
    // New memory, so that no summary of the old numbers is used for the new ones.
    const [newSteps, newValues] = [
      new Float64Array(column.steps.length),
      new Float64Array(column.steps.length)
    ];
    newSteps.set(older.steps);
    newValues.set(older.values);
    newSteps.set(column.steps.subarray(half, column.length), older.steps.length);
    newValues.set(column.values.subarray(half, column.length), older.steps.length);
    column.length += older.steps.length - half;
    column.steps = newSteps;
    column.values = newValues;
  }

  private readonly columns = new Map<string, Column>();
  private changes = 0;
}
