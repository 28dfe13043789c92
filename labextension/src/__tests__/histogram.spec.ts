import { binsAround, countInBins, logBins, roundTicks } from '../live/histogram';

describe('counts in intervals', () => {
  it('take every number once, those beyond in the outermost', () => {
    const bins = countInBins([-5, 0, 0.5, 0.999, 1, 2.5, 3, 9, NaN], 0, 1, 3);
    expect(bins).toEqual({ edges: [0, 1, 2, 3], counts: [4, 1, 3], below: 1, above: 2 });
  });

  it('have edges at the anchor and at the clip range, and reach to both ends', () => {
    const { edges, counts } = binsAround([0.79, 0.81, 1.19, 1.21], 1, 0.2 / 8, 0.55, 1.45);
    for (const wanted of [0.8, 1, 1.2]) {
      expect(edges.some(edge => Math.abs(edge - wanted) < 1e-9)).toBe(true);
    }
    expect(edges[0]).toBeLessThanOrEqual(0.55 + 1e-9);
    expect(edges[edges.length - 1]).toBeGreaterThanOrEqual(1.45 - 1e-9);
    expect(counts.reduce((sum, count) => sum + count)).toBe(4);
    expect(counts.filter(count => count > 0)).toHaveLength(4);
  });

  it('become wider rather than too many', () => {
    const { edges } = binsAround([1], 1, 0.01, 0, 50);
    expect(edges.length).toBeLessThanOrEqual(63);
    expect(edges).toContain(1);
  });

  it('of logarithms take zero as below', () => {
    const bins = logBins([0, 1e-9, 2e-4, 0.5, 100], -7, 1, 3);
    expect(bins.edges).toHaveLength(25);
    expect([bins.below, bins.above]).toEqual([2, 1]);
    expect(bins.counts[0]).toBe(2);
    expect(bins.counts[9]).toBe(1); // 1e-4 to 2.15e-4
  });
});

describe('round numbers', () => {
  it.each([
    [0, 1, 6, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [-0.6, 0.49, 7, [-0.6, -0.4, -0.2, 0, 0.2, 0.4]],
    [0.41, 1.59, 5, [0.6, 0.8, 1, 1.2, 1.4]],
    [0.41, 1.59, 4, [0.5, 1, 1.5]],
    [0, 173, 4, [0, 50, 100, 150]],
    [3, 3, 5, [3]]
  ])('from %d to %d', (low, high, most, expected) => {
    expect(roundTicks(low, high, most)).toEqual(expected);
  });

  it('are within the ends and never too many', () => {
    for (let exponent = -6; exponent <= 6; exponent++) {
      for (const [low, high] of [
        [-1, 2.7],
        [0.13, 0.14],
        [-9.9, -1.1]
      ] as const) {
        const scale = 10 ** exponent;
        const ticks = roundTicks(low * scale, high * scale, 7);
        expect(ticks.length).toBeLessThanOrEqual(7);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        const room = 1e-6 * (high - low) * scale;
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(low * scale - room);
          expect(tick).toBeLessThanOrEqual(high * scale + room);
        }
      }
    }
  });
});
