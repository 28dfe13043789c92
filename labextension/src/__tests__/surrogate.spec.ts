import {
  axesOf,
  clippedRatio,
  gain,
  type IMinibatch,
  isHeld,
  isOutside,
  sampleKl,
  samplesOf,
  summaryOf,
  surrogate
} from '../live/surrogate';

const EPSILON = 0.2;

function batch(ratios: number[], advantages: number[], clipRange = EPSILON): IMinibatch {
  return {
    ...{ step: 1024, update: 1, clipRange, rolloutSize: ratios.length },
    ratios: Float32Array.from(ratios),
    advantages: Float32Array.from(advantages)
  };
}

/** Numbers that are the same in every run of the tests. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ;) {
    state = (state * 48271) % 2147483647;
    yield state / 2147483647;
  }
}

describe('the clipped objective', () => {
  it.each([
    // ratio, advantage, objective, whether it is flat there
    [1, 2, 2, false],
    [1.1, 2, 2.2, false],
    [1.5, 2, 2.4, true],
    [0.5, 2, 1, false],
    [1, -2, -2, false],
    [0.9, -2, -1.8, false],
    [0.5, -2, -1.6, true],
    [1.5, -2, -3, false],
    [1.5, 0, 0, false]
  ])('is as in figure 1 of the paper for r = %d and A = %d', (ratio, advantage, value, flat) => {
    expect(surrogate(ratio, advantage, EPSILON)).toBeCloseTo(value, 12);
    expect(isHeld(ratio, advantage, EPSILON)).toBe(flat);
    expect(gain(ratio, advantage, EPSILON)).toBeCloseTo(value - advantage, 12);
  });

  it('is flat exactly where a sample is held, and never above r A', () => {
    const random = numbers(7);
    const next = (): number => random.next().value as number;
    for (let round = 0; round < 2000; round++) {
      const [ratio, advantage] = [3 * next(), 8 * next() - 4];
      const epsilon = 0.05 + 0.4 * next();
      const small = 1e-7;
      const slope =
        (surrogate(ratio + small, advantage, epsilon) -
          surrogate(ratio - small, advantage, epsilon)) /
        (2 * small);
      if (Math.abs(clippedRatio(ratio, epsilon) - ratio) > small || !isOutside(ratio, epsilon)) {
        const expected = isHeld(ratio, advantage, epsilon) ? 0 : advantage;
        expect(Math.abs(slope - expected)).toBeLessThan(1e-6);
      }
      expect(surrogate(ratio, advantage, epsilon)).toBeLessThanOrEqual(ratio * advantage);
    }
  });
});

describe('the KL of a sample', () => {
  it('is never negative, 0 at the ratio 1, and exact near it', () => {
    expect(sampleKl(1)).toBe(0);
    expect(sampleKl(2)).toBeCloseTo(1 - Math.log(2), 14);
    expect(sampleKl(0.5)).toBeCloseTo(-0.5 + Math.log(2), 14);
    expect(sampleKl(1 + 1e-7) / 5e-15).toBeCloseTo(1, 2);
    for (let exponent = -30; exponent <= 30; exponent += 0.25) {
      expect(sampleKl(10 ** exponent)).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('the summary', () => {
  it('counts what is outside and what is held, and takes means over all samples', () => {
    const summary = summaryOf(batch([1, 1.5, 0.5, 1.5, 0.5], [1, 2, 2, -2, -2]));
    expect(summary).toMatchObject({
      samples: 5,
      outside: 4,
      held: 2,
      lowRatio: 0.5,
      highRatio: 1.5
    });
    expect(summary.meanAdvantage).toBeCloseTo(0.2, 12);
    expect(summary.objective).toBeCloseTo((1 + 2.4 + 1 - 3 - 1.6) / 5, 12);
    expect(summary.gain).toBeCloseTo(summary.objective - 0.2, 12);
    expect(summary.plainGain).toBeCloseTo((0 + 1 - 1 - 1 + 1) / 5, 12);
    expect(summary.meanKl).toBeCloseTo((2 * sampleKl(1.5) + 2 * sampleKl(0.5)) / 5, 12);
  });

  it('parts samples by the sign of their advantage, in the order of their ratios', () => {
    const one = batch([1.2, 0.8, 1, 1.1], [1, -1, 0, 3]);
    expect(samplesOf(one, 1)).toEqual([3, 0]);
    expect(samplesOf(one, -1)).toEqual([1, 2]);
  });
});

describe('the axes', () => {
  it('hold the clip range with some room, however little an update moved', () => {
    const { ratios, above, below } = axesOf([batch([1, 1.001], [1, -1])]);
    expect(ratios[0]).toBeLessThan(0.7);
    expect(ratios[1]).toBeGreaterThan(1.3);
    expect(above[1]).toBeGreaterThan(EPSILON); // the bend of the line for the mean advantage
    expect(below[1]).toBeGreaterThan(EPSILON);
  });

  it('are those of all updates, and one strange update does not press the others flat', () => {
    const usual = Array.from({ length: 20 }, () => batch([0.9, 1.1, 1.3], [1, -1, 0.5]));
    const strange = batch([0.9, 1.1, 5], [1000, -1000, 1]);
    const [alone, all] = [axesOf(usual), axesOf([...usual, strange])];
    expect(all.ratios[1]).toBeGreaterThan(5);
    expect(all.above).toEqual(alone.above);
    expect(all.advantages).toEqual(alone.advantages);
  });

  it('end at the ratio 0, and have a width when there is no sample of a sign', () => {
    const { ratios, above, below } = axesOf([batch([8], [1])]);
    expect(ratios[0]).toBe(0);
    for (const [low, high] of [above, below]) {
      expect(low).toBeLessThan(0);
      expect(high).toBeGreaterThan(0);
    }
  });
});
