/** Words and rules of the panel of runs, without any drawing. */

import { formatCount, formatDuration } from '../live/format';
import type { Plain, RunCommand, RunRow, RunState } from '../live/runsSource';
import { showValue } from '../live/settingsDiff';
import type { IProgress, IRunEvent, ISetting } from './types';

/** The states in which a command makes sense; the service has the last word. */
const ENABLED: Readonly<Record<RunCommand, readonly RunState[]>> = {
  pause: ['starting', 'running'],
  resume: ['paused', 'stopped', 'interrupted', 'failed'],
  stop: ['queued', 'starting', 'running', 'paused'],
  set: ['starting', 'running', 'paused'],
  extend: [
    'queued',
    'starting',
    'running',
    'paused',
    'finished',
    'stopped',
    'interrupted',
    'failed'
  ]
};

export function mayAsk(command: RunCommand, state: RunState): boolean {
  return ENABLED[command].includes(state);
}

/** How far a run is, in one line. */
export function progressText(row: RunRow, progress: IProgress | null): string {
  const total = row.totalSteps;
  const parts = [
    total > 0
      ? `${formatCount(row.step)} of ${formatCount(total)} steps`
      : `${formatCount(row.step)} steps`
  ];
  if (total > 0) {
    parts.push(`${Math.floor(Math.min(100, (100 * row.step) / total))} %`);
  }
  if (progress !== null && progress.seconds > 0) {
    if (row.state === 'running') {
      parts.push(`${formatCount(progress.steps_per_second)} steps/s`);
    }
    parts.push(`${formatDuration(progress.seconds)} trained`);
    if (row.state === 'running' && progress.seconds_left !== null) {
      parts.push(`${formatDuration(progress.seconds_left)} left`);
    }
  }
  return parts.join(' · ');
}

/** What a setting is at now: its value in the spec, unless it was changed meanwhile. */
export function liveText(name: string, row: RunRow, events: readonly IRunEvent[]): string {
  let value: Plain | undefined = row.hyperparameters[name];
  for (const event of events) {
    if (event.kind === 'changed' && name in event.data) {
      value = event.data[name] as Plain;
    }
  }
  return valueText(value);
}

/** A value as it is typed: a number, or `linear:2e-3:0`. */
export function valueText(value: Plain | undefined): string {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    const { kind, start, end } = value as Record<string, Plain>;
    return `${String(kind)}:${String(start)}:${String(end ?? 0)}`;
  }
  if (Array.isArray(value)) {
    return value.join(', ');
  }
  return value === undefined ? '' : value === null ? 'none' : String(value);
}

/** What was typed, as the service takes it; a text when it cannot be that. */
export function typedValue(setting: ISetting, text: string): { value: Plain } | string {
  const typed = text.trim();
  if (typed.toLowerCase() === 'none' && setting.can_be_none) {
    return { value: null };
  }
  switch (setting.kind) {
    case 'flag':
      return ['true', 'false'].includes(typed)
        ? { value: typed === 'true' }
        : 'Write true or false.';
    case 'choice':
      return setting.choices.includes(typed)
        ? { value: typed }
        : `Write one of ${setting.choices.join(', ')}.`;
    case 'layers':
      return typedLayers(setting, typed);
    default:
      return typedNumber(setting, typed);
  }
}

/** Widths with commas; `[]` is no hidden layer. */
function typedLayers(setting: ISetting, typed: string): { value: Plain } | string {
  const inner = typed.replace(/^\[|\]$/g, '').trim();
  const widths = inner === '' ? [] : inner.split(',').map(numberOf);
  if (typed === '' || widths.some(width => width === null || !Number.isInteger(width))) {
    return 'Write whole numbers with commas, such as 64, 64, or [] for no hidden layer.';
  }
  const wrong = widths.map(width => inBounds(setting, width ?? 0)).find(said => said !== null);
  return wrong ?? { value: widths };
}

/** A number, or a schedule where there may be one. */
function typedNumber(setting: ISetting, typed: string): { value: Plain } | string {
  const [kind = '', ...ends] = typed.split(':');
  if (setting.kind === 'schedule' && ends.length > 0) {
    const [start, end] = [numberOf(ends[0]), numberOf(ends[1] ?? '0')];
    const isKind = ['linear', 'cosine', 'exponential'].includes(kind);
    if (!isKind || ends.length > 2 || start === null || end === null) {
      return `Write a number, or a schedule such as linear:${formatSmall(setting)}:0.`;
    }
    return inBounds(setting, start) ?? { value: { kind, start, end } };
  }
  const value = numberOf(/^\d{1,3}(,\d{3})+$/.test(typed) ? typed.replaceAll(',', '') : typed);
  if (value === null) {
    return setting.can_be_none ? 'Write a number, or none.' : 'Write a number.';
  }
  if (setting.kind === 'whole' && !Number.isInteger(value)) {
    return 'Write a whole number.';
  }
  return inBounds(setting, value) ?? { value };
}

/** Seeds as typed: `0, 1, 2` or `0-4`; a text when they are none. */
export function typedSeeds(text: string): number[] | string {
  const seeds: number[] = [];
  for (const part of text.split(',').map(each => each.trim())) {
    const range = /^(\d{1,10})(?:\s*-\s*(\d{1,10}))?$/.exec(part);
    const first = Number(range?.[1]);
    const last = Number(range?.[2] ?? range?.[1]);
    if (range === null || first > last || last > 2 ** 31 - 1) {
      return 'Write whole numbers with commas, such as 0, 1, 2, or a range such as 0-4.';
    }
    if (seeds.length + last - first >= 50) {
      return 'At most 50 seeds can be started at once.';
    }
    for (let seed = first; seed <= last; seed += 1) {
      if (seeds.includes(seed)) {
        return `${seed} is there twice, which would give two equal runs.`;
      }
      seeds.push(seed);
    }
  }
  return seeds;
}

/** A setting's value for a table. */
export const settingText = showValue;

function numberOf(text: string | undefined): number | null {
  const value = text === undefined || text.trim() === '' ? NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

function inBounds({ low, high }: ISetting, value: number): string | null {
  return value >= low && value <= high ? null : `It must be from ${low} to ${high}.`;
}

function formatSmall({ high }: ISetting): string {
  return high <= 1 ? '1e-3' : '0.2';
}
