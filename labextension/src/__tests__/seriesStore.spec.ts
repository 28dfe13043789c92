import {
  PER_COLUMN,
  lowHigh,
  lowerBound,
  minMax,
  nearestIndex,
  upperBound
} from '../live/decimate';
import { trailingMean } from '../live/smoothing';
import { SeriesStore } from '../live/store';
import { toCsv } from '../live/csv';
import type { Points } from '../live/types';

/** Numbers that look random and are the same each time (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function valueFrom(random: () => number): number {
  const kind = random();
  if (kind < 0.03) {
    return NaN;
  }
  if (kind < 0.05) {
    return random() < 0.5 ? Infinity : -Infinity;
  }
  return (random() - 0.5) * 10 ** Math.floor(random() * 6);
}

function pointsFrom(random: () => number, count: number): Points {
  const steps = new Float64Array(count);
  const values = new Float64Array(count);
  let step = 0;
  for (let i = 0; i < count; i += 1) {
    step += Math.floor(random() * 4); // several points of one step are allowed
    steps[i] = step;
    values[i] = valueFrom(random);
  }
  return { steps, values };
}

/** How many places differ; quicker than toEqual for long arrays. */
function differences(one: Float64Array, other: Float64Array): number {
  let count = Math.abs(one.length - other.length);
  one.forEach((value, i) => {
    count += i >= other.length || Object.is(value, other[i]) ? 0 : 1;
  });
  return count;
}

function finite(values: Iterable<number>): number[] {
  return [...values].filter(Number.isFinite);
}

describe('the store of a run', () => {
  it.each([1, 2, 3, 4, 5, 6])('equals plain lists under any appends and rewinds (%i)', seed => {
    const random = generator(seed);
    const store = new SeriesStore();
    const lists = new Map<string, [number, number][]>();
    let step = 0;
    for (let turn = 0; turn < 40; turn += 1) {
      if (random() < 0.2) {
        step = Math.floor(step * random());
        store.rewind(step);
        for (const [name, list] of lists) {
          lists.set(
            name,
            list.filter(([at]) => at <= step)
          );
        }
      } else {
        const name = `m${Math.floor(random() * 3)}`;
        const list = lists.get(name) ?? [];
        lists.set(name, list);
        const count = Math.floor(random() ** 3 * 3000);
        const steps = new Float64Array(count);
        const values = new Float64Array(count);
        for (let i = 0; i < count; i += 1) {
          step += Math.floor(random() * 3);
          steps[i] = step;
          values[i] = valueFrom(random);
          list.push([steps[i] as number, values[i] as number]);
        }
        const before = store.version;
        store.append(name, steps, values);
        expect(store.version).toBeGreaterThan(before);
      }
      for (const [name, list] of lists) {
        const { steps, values } = store.points(name);
        expect(
          differences(
            steps,
            Float64Array.from(list, ([at]) => at)
          )
        ).toBe(0);
        expect(
          differences(
            values,
            Float64Array.from(list, ([, value]) => value)
          )
        ).toBe(0);
        const means = trailingMean(store.points(name), 20);
        if (turn % 8 === 7) {
          // What is kept beside the points goes back with them as well.
          expectNothingLost(store.points(name), 0, step, 37);
          expectMeans(store.points(name), 20, means);
        } else {
          minMax(store.points(name), 0, step, 37);
        }
      }
    }
    expect(store.names()).toEqual(
      [...lists].filter(([, list]) => list.length > 0).map(([name]) => name)
    );
  });

  it('is empty for a metric that it does not have and after clear', () => {
    const store = new SeriesStore();
    expect(store.points('x').steps).toHaveLength(0);
    store.push('x', 1, 2);
    expect([...store.points('x').values]).toEqual([2]);
    store.clear();
    expect(store.names()).toEqual([]);
    expect(store.points('x').values).toHaveLength(0);
  });

  it('gives the memory back when a run is shown no longer', () => {
    const store = new SeriesStore();
    store.append('x', new Float64Array(10_000), new Float64Array(10_000));
    const { version } = store;
    store.rewind(-1);
    expect(store.names()).toEqual([]);
    expect(store.version).toBeGreaterThan(version);
    store.push('x', 1, 2);
    expect(store.points('x').values.buffer.byteLength).toBeLessThan(10_000);
  });

  it('refuses columns that do not belong together', () => {
    const store = new SeriesStore();
    expect(() => store.append('x', new Float64Array(2), new Float64Array(3))).toThrow(
      '3 values do not belong to 2 steps.'
    );
  });

  it('stays bounded, keeps its peaks and its newest points', () => {
    const store = new SeriesStore(10_000);
    for (let i = 0; i < 100_000; i += 1) {
      store.push('x', i, i === 4321 ? 99 : i % 7);
      expect(store.points('x').steps.length).toBeLessThanOrEqual(10_000);
    }
    const { steps, values } = store.points('x');
    expect(Math.max(...values)).toBe(99);
    expect(steps[0]).toBe(0);
    expect([...steps.slice(-1000)]).toEqual(Array.from({ length: 1000 }, (_, i) => 99_000 + i));
    expect([...steps]).toEqual([...steps].sort((a, b) => a - b));
  });

  it('stays bounded when one message brings more than it holds, all of one step', () => {
    const store = new SeriesStore(1000);
    store.append('x', new Float64Array(50_000), new Float64Array(50_000));
    expect(store.points('x').steps.length).toBeLessThanOrEqual(1000);
  });
});

/** The points that have to be drawn from the plain definition. */
function expectNothingLost(points: Points, from: number, to: number, columns: number): void {
  const drawn = minMax(points, from, to, columns);
  const inside = Math.max(upperBound(points.steps, to) - lowerBound(points.steps, from), 0);
  expect(drawn.steps.length).toBeLessThanOrEqual(Math.min(PER_COLUMN * columns, inside) + 2);
  expect(differences(drawn.steps, drawn.steps.slice().sort())).toBe(0);
  const low = new Float64Array(columns).fill(Infinity);
  const high = new Float64Array(columns).fill(-Infinity);
  const fill = (some: Points, least: Float64Array, greatest: Float64Array): void => {
    let column = 0;
    some.steps.forEach((step, i) => {
      const value = some.values[i] as number;
      if (step < from || step > to || !Number.isFinite(value)) {
        return;
      }
      while (column < columns - 1 && step >= from + ((to - from) * (column + 1)) / columns) {
        column += 1;
      }
      least[column] = Math.min(least[column] as number, value);
      greatest[column] = Math.max(greatest[column] as number, value);
    });
  };
  fill(points, low, high);
  const [drawnLow, drawnHigh] = [new Float64Array(columns), new Float64Array(columns)];
  drawnLow.fill(Infinity);
  drawnHigh.fill(-Infinity);
  fill(drawn, drawnLow, drawnHigh);
  expect(differences(drawnLow, low) + differences(drawnHigh, high)).toBe(0);
}

function expectMeans(points: Points, window: number, found: Points): void {
  expect(found.values).toHaveLength(points.values.length);
  let worst = 0;
  let scale = 1;
  points.values.forEach((value, i) => {
    let sum = 0;
    let count = 0;
    for (let j = Math.max(i - window + 1, 0); j <= i; j += 1) {
      const other = points.values[j] as number;
      if (Number.isFinite(other)) {
        sum += other;
        count += 1;
        scale = Math.max(scale, Math.abs(other));
      }
    }
    const exact = Number.isFinite(value) ? sum / count : value;
    const mean = found.values[i] as number;
    worst = Object.is(exact, mean) ? worst : Math.max(worst, Math.abs(exact - mean));
  });
  expect(worst).toBeLessThan(1e-12 * scale);
}

describe('decimation', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('never loses an extreme of a column (%i)', seed => {
    const random = generator(100 + seed);
    const points = pointsFrom(random, Math.floor(random() * 20_000));
    const last = points.steps[points.steps.length - 1] ?? 0;
    for (let i = 0; i < 6; i += 1) {
      const from = random() < 0.3 ? -10 : random() * last;
      const to = random() < 0.3 ? from : from + random() * last;
      expectNothingLost(points, from, to, 1 + Math.floor(random() * 300));
    }
  });

  it('gives few points as they are, with one on either side', () => {
    const points = {
      steps: Float64Array.from([0, 10, 20, 30, 40]),
      values: Float64Array.from([1, NaN, 3, 4, 5])
    };
    const drawn = minMax(points, 15, 25, 100);
    expect([...drawn.steps]).toEqual([10, 20, 30]);
    expect([...drawn.values]).toEqual([NaN, 3, 4]);
  });

  it('keeps a gap where a column has no number', () => {
    const count = 10_000;
    const steps = Float64Array.from({ length: count }, (_, i) => i);
    const values = Float64Array.from({ length: count }, (_, i) =>
      i >= 4000 && i < 6000 ? NaN : i
    );
    const drawn = minMax({ steps, values }, 0, count, 10);
    expect([...drawn.values].filter(Number.isNaN)).toHaveLength(2);
    expect(minMax({ steps, values: values.fill(NaN) }, 0, count, 10).values).toHaveLength(10);
  });

  it('looks only at what is new of many points, also when they need more memory', () => {
    const store = new SeriesStore();
    const many = pointsFrom(generator(9), 40_000);
    store.append('x', many.steps, many.values);
    const last = many.steps[39_999] as number;
    const place = many.values.findIndex((value, i) => i > 20_000 && Math.abs(value) < 0.5);
    const peak = (): number => lowHigh(store.points('x'))?.high ?? NaN;
    const means = (): number => trailingMean(store.points('x'), 10).values[place] as number;
    const [before, meanBefore] = [peak(), means()];
    // Nobody may do this; it shows what is looked at again.
    store.points('x').values[place] = 1e12;
    expect([peak(), means()]).toEqual([before, meanBefore]);
    for (let i = 0; i < 40_010; i += 1) {
      store.push('x', last + i, 0);
    }
    expect([peak(), means()]).toEqual([before, meanBefore]);
    store.push('x', last + 50_000, 1e13);
    expect(peak()).toBe(1e13);
  });

  it('tells the extremes of a range, also of one without any number', () => {
    const points = pointsFrom(generator(3), 9000);
    for (const [begin, end] of [
      [0, 9000],
      [70, 8001],
      [64, 128],
      [5, 6]
    ] as const) {
      const numbers = finite(points.values.subarray(begin, end));
      expect(lowHigh(points, begin, end)).toEqual({
        low: Math.min(...numbers),
        high: Math.max(...numbers)
      });
    }
    expect(lowHigh({ steps: new Float64Array(1), values: Float64Array.of(NaN) })).toBeNull();
    expect(lowHigh(points, 5, 5)).toBeNull();
  });

  it.each([
    [[], 5, -1],
    [[10, 20, 40], 31, 2],
    [[10, 20, 40], 30, 1],
    [[10, 20, 40], -3, 0],
    [[10, 20, 40], 99, 2],
    [[10, 10, 10], 10, 0],
    [[10, 10, 40, 40], 50, 2]
  ])('finds the nearest point of %j to %d', (steps, step, expected) => {
    expect(nearestIndex(Float64Array.from(steps), step)).toBe(expected);
  });
});

describe('smoothing', () => {
  it.each([1, 2, 7, 100, 1000])('is the mean of so many points (%i)', window => {
    const points = pointsFrom(generator(window), 1500);
    expectMeans(points, window, trailingMean(points, window));
  });

  it('loses no digits after a huge value has left the window', () => {
    const values = Float64Array.from([1e17, 1, 2, 3, 4, 5, 6]);
    const { values: means } = trailingMean({ steps: values, values }, 2);
    expect([...means.subarray(2)]).toEqual([1.5, 2.5, 3.5, 4.5, 5.5]);
  });

  it('keeps what is not finite where it is', () => {
    const values = Float64Array.from([1, NaN, 3, Infinity, 5]);
    expect([...trailingMean({ steps: values, values }, 3).values]).toEqual([
      1,
      NaN,
      2,
      Infinity,
      4
    ]);
  });

  it('follows a store through growth and another window', () => {
    const random = generator(77);
    const store = new SeriesStore();
    for (let i = 0; i < 3000; i += 1) {
      store.push('x', i, random());
      if (i % 97 === 0) {
        const window = i % 2 === 0 ? 10 : 33;
        expectMeans(store.points('x'), window, trailingMean(store.points('x'), window));
      }
    }
  });
});

describe('CSV', () => {
  it('has a row for each step and several where a metric has several points of one', () => {
    const store = new SeriesStore();
    for (const [metric, step, value] of [
      ['return', 16, 20],
      ['return', 16, 21.5],
      ['kl, mean', 16, NaN],
      ['kl, mean', 32, 1e-9]
    ] as const) {
      store.push(metric, step, value);
    }
    expect(toCsv(store)).toBe('step,return,"kl, mean"\r\n16,20,NaN\r\n16,21.5,\r\n32,,1e-9\r\n');
    expect(toCsv(store, ['return'])).toBe('step,return\r\n16,20\r\n16,21.5\r\n');
    expect(toCsv(new SeriesStore())).toBe('step\r\n');
  });
});
