/** Numbers for readers: enough digits to tell values apart, no noise. */

/** A value of a chart: "475", "0.0123", "1.23e-5"; "undefined" for what is no number. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) {
    return 'undefined';
  }
  if (value === 0) {
    return '0';
  }
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) {
    return value.toExponential(2);
  }
  return Number(value.toPrecision(4)).toLocaleString('en-US', { maximumFractionDigits: 8 });
}

/** A count, such as of steps: "12,345". */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** A duration in seconds: "8 s", "3 min 20 s", "1 h 5 min". */
export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A share as per cent: 0.123 is "12.3 %". */
export function formatPercent(share: number): string {
  return Number.isFinite(share) ? `${Number((100 * share).toPrecision(3))} %` : 'undefined';
}

/** A number of bytes: "512 B", "14 kB", "2.1 MB". */
export function formatSize(bytes: number): string {
  if (bytes < 1000) {
    return `${Math.round(bytes)} B`;
  }
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), 4);
  const value = bytes / 1000 ** power;
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ${['', 'k', 'M', 'G', 'T'][power] ?? ''}B`;
}
