import { extentOf, niceTicks, scaleFor, stepAxis, valueAxis } from '../live/axes';

const free = { low: null, high: null };

function extent(...values: number[]) {
  const found = extentOf(
    [{ steps: Float64Array.from(values.keys()), values: Float64Array.from(values) }],
    0,
    values.length
  );
  if (!found) {
    throw new Error('no extent');
  }
  return found;
}

describe('The axis of values', () => {
  it('has round ticks that enclose the values', () => {
    expect(niceTicks(0, 100, 5)).toEqual([0, 20, 40, 60, 80, 100]);
    expect(niceTicks(-0.31, 0.99, 3)).toEqual([-0.5, 0, 0.5, 1]);
  });

  it('has a range for values that are all the same, also 0 and very large ones', () => {
    for (const value of [0, 3, -7, 1e300, 1e-300]) {
      const axis = valueAxis(extent(value, value), false, 3, free);
      expect(axis.low).toBeLessThan(value);
      expect(axis.high).toBeGreaterThan(value);
      expect(axis.ticks.length).toBeGreaterThan(0);
    }
  });

  it('gives no ticks to what the values cannot be', () => {
    const axis = valueAxis(extent(0, 0), false, 3, { low: 0, high: 1 });
    expect(axis.ticks[0]).toBe(0);
    expect(axis.ticks[axis.ticks.length - 1]).toBeLessThanOrEqual(1);
  });

  it('takes its range from the steps in sight, and from all where none is', () => {
    const series = [
      { steps: Float64Array.of(0, 10, 20), values: Float64Array.of(100, 1, Number.NaN) }
    ];
    expect(extentOf(series, 5, 15)).toEqual({ low: 1, high: 1, smallest: 1 });
    expect(extentOf(series, 11, 12)).toEqual({ low: 1, high: 100, smallest: 1 });
    expect(extentOf([], 0, 1)).toBeNull();
  });

  it('writes neighbouring ticks differently', () => {
    for (const values of [
      [475.1, 475.2],
      [1e-5, 3.1e-4],
      [2.5e-5, 2.9e-5],
      [0, 3e7],
      [0.00024, 0.00026]
    ]) {
      for (const log of [false, true]) {
        const axis = valueAxis(extent(...values), log, 5, free);
        const labels = axis.ticks.map(axis.label);
        expect(new Set(labels).size).toBe(labels.length);
      }
    }
  });

  it('is a plain logarithm only for positive values, else one that keeps 0 and the signs', () => {
    expect(scaleFor(true, extent(0.1, 5)).kind).toBe('log');
    const scale = scaleFor(true, extent(-3, 0, 5));
    expect(scale.kind).toBe('symlog');
    expect(scale.forward(0)).toBe(0);
    expect(scale.forward(-3)).toBeCloseTo(-scale.forward(3));
    expect(scale.forward(5)).toBeGreaterThan(scale.forward(3));
    const axis = valueAxis(extent(-3, 0, 5), true, 3, free);
    expect(axis.ticks).toContain(0);
    expect(axis.ticks.length).toBeGreaterThanOrEqual(3);
  });

  it('is linear when no logarithm is asked for', () => {
    expect(scaleFor(false, extent(0.1, 5)).kind).toBe('linear');
  });
});

describe('The axis of steps', () => {
  it('writes few digits as long as they tell neighbours apart', () => {
    const labels = (from: number, to: number): string[] => {
      const axis = stepAxis(from, to, 4);
      return axis.ticks.map(axis.label);
    };
    expect(labels(0, 60_000)).toEqual(['0', '20k', '40k', '60k']);
    expect(labels(0, 3_000_000)).toEqual(['0', '1M', '2M', '3M']);
    expect(labels(1_200_000, 1_260_000)).toEqual(['1.2M', '1.22M', '1.24M', '1.26M']);
    expect(labels(100_000, 100_040)).toEqual([
      '100,000',
      '100,010',
      '100,020',
      '100,030',
      '100,040'
    ]);
    expect(labels(0, 2)).toEqual(['0', '1', '2']);
  });
});
