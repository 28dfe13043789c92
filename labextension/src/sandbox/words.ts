/** How outcomes, verdicts, limits and measurements read. */

import type {
  CaseVerdict,
  IExecuteLimits,
  IHealth,
  IHistoryItem,
  ILimitHit,
  IRange,
  Outcome
} from './types';
import type { ISandbox } from '../types';

const OUTCOMES: Record<Outcome, string> = {
  succeeded: 'Finished without an error',
  raised: 'Ended with an error',
  syntax_error: 'Not valid Python',
  timeout: 'Stopped: the time was up',
  memory: 'Stopped: out of memory',
  output_limit: 'Stopped: too much output',
  died: 'The process ended by itself',
  stopped: 'Stopped by you'
};

const VERDICTS: Record<CaseVerdict, string> = {
  passed: 'Passed',
  failed: 'Failed',
  raised: 'Error',
  syntax_error: 'Not valid Python',
  timeout: 'Time was up',
  memory: 'Out of memory',
  output_limit: 'Too much output',
  died: 'Process ended',
  stopped: 'Stopped by you'
};

interface ILimitWords {
  name: string;
  remedy: (limits: IExecuteLimits | null) => string;
}

const LIMITS: Record<string, ILimitWords> = {
  timeout: {
    name: 'Time',
    remedy: limits => `Make the program faster, or raise Timeout${upTo(limits?.timeout)}.`
  },
  memory: {
    name: 'Memory',
    remedy: limits => `Use less memory, or raise Memory${upTo(limits?.memory)}.`
  },
  output_bytes: { name: 'Output', remedy: () => 'Print less.' },
  outputs: { name: 'Outputs', remedy: () => 'Print less often.' },
  pids: { name: 'Processes and threads', remedy: () => 'Start fewer of them.' },
  file_mb: { name: 'Size of one file', remedy: () => 'Write smaller files.' },
  disk_mb: { name: 'Files together', remedy: () => 'Write less, or remove files.' },
  inodes: { name: 'Number of files', remedy: () => 'Make fewer files, or remove some.' },
  open_files: { name: 'Open files', remedy: () => 'Close files that are no longer needed.' }
};

/** The sign that goes with a word; it is not read out. */
export function signOf(success: boolean): string {
  return success ? '✓' : '✗';
}

/** How a program ended. */
export function outcomeText(outcome: Outcome): string {
  return OUTCOMES[outcome] ?? outcome;
}

/** How an earlier execution ended. */
export function historyText(item: IHistoryItem): string {
  if (item.state === 'running') {
    return 'Running';
  }
  if (item.state === 'failed') {
    return 'The sandbox failed';
  }
  if (item.cases_total !== null) {
    return passedText(item.cases_passed ?? 0, item.cases_total);
  }
  return item.outcome === null ? 'Finished' : outcomeText(item.outcome);
}

/** What a test case gave. */
export function verdictText(verdict: CaseVerdict): string {
  return VERDICTS[verdict] ?? verdict;
}

/** How many of the test cases passed. */
export function passedText(passed: number, total: number): string {
  return `${passed} of ${total} test ${total === 1 ? 'case' : 'cases'} passed`;
}

/** Which limit was hit, its figure, and what to do. */
export function limitText(hit: ILimitHit, limits: IExecuteLimits | null): string {
  const words = LIMITS[hit.name];
  const figure = hit.unit === 'bytes' ? bytesText(hit.value) : `${hit.value} ${hit.unit}`;
  const name = words?.name ?? hit.name;
  return `The limit was reached. ${name}: ${figure}. ${words?.remedy(limits) ?? ''}`.trim();
}

function upTo(range: IRange | undefined): string {
  return range === undefined ? '' : ` (up to ${range.max} ${range.unit})`;
}

function bytesText(value: number): string {
  const mib = value / 2 ** 20;
  return mib >= 1 ? `${round(mib, 1)} MiB` : `${round(value / 2 ** 10, 1)} KiB`;
}

/** `0.012 s`, `3.4 s`. */
export function secondsText(seconds: number): string {
  return `${round(seconds, seconds < 1 ? 3 : 1)} s`;
}

/** Peak memory, in MiB. */
export function memoryText(mib: number): string {
  return `${round(mib, 1)} MiB`;
}

function round(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

/** How long ago a server time was, in the reader's own language. */
export function agoText(iso: string, now: number, locale?: string): string {
  const time = new Date(iso).getTime();
  if (Number.isNaN(time)) {
    return iso;
  }
  // The clocks of server and reader differ a little: nothing is in the future.
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  if (seconds < 60) {
    return format.format(0 - seconds, 'second');
  }
  if (seconds < 3600) {
    return format.format(0 - Math.floor(seconds / 60), 'minute');
  }
  if (seconds < 86_400) {
    return format.format(0 - Math.floor(seconds / 3600), 'hour');
  }
  return format.format(0 - Math.floor(seconds / 86_400), 'day');
}

/** Plain data as indented JSON. */
export function dataText(value: unknown): string {
  return jsonText(value, 2);
}

/** Plain data as JSON with every digit of whole numbers. */
export function jsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(
    value,
    (_, item: unknown) => (typeof item === 'bigint' ? `\u0000${item}` : item),
    indent
  );
  return (text ?? 'null').replace(/"\\u0000(-?\d+)"/g, '$1');
}

/** A program's text without control characters that a screen would hide. */
export function visible(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, character =>
    character === '\u007f' ? '␡' : String.fromCharCode(0x2400 + character.charCodeAt(0))
  );
}

/** Whether code can run here. */
export function isReady(health: IHealth | null): boolean {
  return health !== null && health.engine && health.image;
}

/** The state line; `sandbox` says why nothing can run, where that is known. */
export function healthText(health: IHealth, sandbox: ISandbox | null): string {
  if (isReady(health)) {
    const { ready, size } = health.pool;
    return size === 0 ? 'Ready' : `Ready, ${ready} of ${size} containers waiting`;
  }
  const reason = [sandbox?.problem, sandbox?.remedy].filter(Boolean).join(' ');
  const what = health.engine ? 'No sandbox image' : 'No engine';
  return reason === '' ? `${what}. Programs cannot run here now.` : `${what}: ${reason}`;
}

const NO_NETWORK = /\b(gaierror|URLError|ConnectTimeout|NewConnectionError|MaxRetryError)$/;
const UNREACHABLE = /Network is unreachable|name resolution|Name or service not known/;

/** What to do about an error that the sandbox, not the program, is the reason of; else null. */
export function hintText(
  type: string | null,
  message: string | null,
  isCase: boolean
): string | null {
  if (type === 'EOFError' && /reading a line/.test(message ?? '')) {
    return isCase
      ? 'input() found no more lines in the input of this case.'
      : 'input() found nothing to read. Type it under "Input", or use test cases with an input.';
  }
  const isNetwork = NO_NETWORK.test(type ?? '') || UNREACHABLE.test(message ?? '');
  return isNetwork ? 'There is no network here.' : null;
}
