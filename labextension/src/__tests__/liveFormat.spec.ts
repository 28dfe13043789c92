import {
  formatCount,
  formatDuration,
  formatPercent,
  formatSize,
  formatValue
} from '../live/format';

describe('numbers are written for readers', () => {
  it.each([
    [0, '0'],
    [1234.5678, '1,235'],
    [0.00001234, '1.23e-5'],
    [-0.25, '-0.25'],
    [12_345_678, '1.23e+7'],
    [NaN, 'undefined'],
    [Infinity, 'undefined']
  ])('value %d', (value, text) => expect(formatValue(value)).toBe(text));

  it.each([
    [8, '8 s'],
    [59.2, '1 min 0 s'],
    [3900, '1 h 5 min']
  ])('duration %d', (value, text) => expect(formatDuration(value)).toBe(text));

  it('shares, counts and sizes', () => {
    expect(formatPercent(0.1234)).toBe('12.3 %');
    expect(formatPercent(NaN)).toBe('undefined');
    expect(formatCount(12_345.4)).toBe('12,345');
    expect([999, 14_200, 2_140_000].map(formatSize)).toEqual(['999 B', '14 kB', '2.1 MB']);
  });
});
