/** The terms of an assignment as a form: texts that can be typed, and back. */

import type { Counting, GradeRelease, ILatePolicy, ITerms, LateRule } from './types';
import {
  attemptsText,
  durationText,
  HOUR,
  lateText,
  localInput,
  MINUTE,
  timeOr,
  utcTime
} from './words';

/** What stands in the fields. Times are datetime-local texts, the grace is in minutes. */
export interface ITermsForm {
  opens_at: string;
  due_at: string;
  closes_at: string;
  grace: string;
  rule: LateRule;
  percent_per_day: string;
  at_least_percent: string;
  steps: readonly IStepForm[];
  max_attempts: string;
  counting: Counting;
  autograde: boolean;
  grades: GradeRelease;
}

/** One step of a custom rule: hours late, and how many percent are kept from then on. */
export interface IStepForm {
  hours: string;
  keep: string;
}

/** What is wrong, by the name that the service gives to the field. */
export type Problems = Readonly<Record<string, string>>;

export const LATE_RULES: readonly (readonly [LateRule, string])[] = [
  ['none', 'Takes nothing off'],
  ['per_day', 'Takes a share off for each day'],
  ['custom', 'As a table says'],
  ['zero', 'Scores zero']
];

export const COUNTINGS: readonly (readonly [Counting, string])[] = [
  ['latest', 'The latest'],
  ['best', 'The one with most points']
];

export const RELEASES: readonly (readonly [GradeRelease, string])[] = [
  ['at_once', 'As soon as they are there'],
  ['by_hand', 'When they are released by hand']
];

/** What to fill the fields with. */
export function formOf(terms: ITerms): ITermsForm {
  return {
    opens_at: localInput(terms.opens_at),
    due_at: localInput(terms.due_at),
    closes_at: localInput(terms.closes_at),
    grace: numberText(terms.grace_seconds / MINUTE),
    rule: terms.late.rule,
    percent_per_day: numberText(terms.late.percent_per_day),
    at_least_percent: numberText(terms.late.at_least_percent),
    steps: terms.late.steps.map(step => ({
      hours: numberText(step.after_seconds / HOUR),
      keep: numberText(step.keep_percent)
    })),
    max_attempts: terms.max_attempts === 0 ? '' : String(terms.max_attempts),
    counting: terms.counting,
    autograde: terms.autograde,
    grades: terms.grades
  };
}

/**
 * What the fields say, or what is wrong with them.
 *
 * `seen` are the terms that the fields were filled from: times that were not touched stay exact,
 * and their revision is the one that is named.
 */
export function termsOf(form: ITermsForm, seen: ITerms): ITerms | Problems {
  const problems: Record<string, string> = {};
  const number = (text: string, field: string, most: number): number => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (!(value >= 0 && value <= most)) {
      problems[field] = Number.isFinite(most)
        ? `Use a number from 0 to ${most}.`
        : 'Use a number from 0 on.';
    }
    return value;
  };
  const times = {
    opens_at: utcTime(form.opens_at, seen.opens_at),
    due_at: utcTime(form.due_at, seen.due_at),
    closes_at: utcTime(form.closes_at, seen.closes_at)
  };
  checkOrder(times, problems);
  const attempts = form.max_attempts.trim() === '' ? 0 : Number(form.max_attempts);
  if (!Number.isInteger(attempts) || attempts < 0) {
    problems['max_attempts'] = 'Use a whole number, or nothing for any number.';
  }
  const grace = number(form.grace, 'grace_seconds', Infinity);
  const late = lateOf(form, seen.late, number, problems);
  if (Object.keys(problems).length > 0) {
    return problems;
  }
  return {
    ...times,
    grace_seconds: Math.round(grace * MINUTE),
    late,
    max_attempts: attempts,
    counting: form.counting,
    autograde: form.autograde,
    grades: form.grades,
    revision: seen.revision
  };
}

/** Whether `termsOf` gave terms. */
export function isTerms(made: ITerms | Problems): made is ITerms {
  return 'revision' in made;
}

/** The terms in an answer that says more than them. */
export function pickTerms(answer: ITerms): ITerms {
  const { opens_at, due_at, closes_at, grace_seconds, late } = answer;
  const { max_attempts, counting, autograde, grades, revision } = answer;
  return {
    opens_at,
    due_at,
    closes_at,
    grace_seconds,
    late,
    max_attempts,
    counting,
    autograde,
    grades,
    revision
  };
}

/** One term that two people want to be different. */
export interface IDifference {
  label: string;
  yours: string;
  theirs: string;
}

/** Where two sets of terms differ, in words. */
export function differences(yours: ITerms, theirs: ITerms): IDifference[] {
  const rows = describe(yours);
  const others = new Map(describe(theirs));
  return rows
    .map(([label, text]) => ({ label, yours: text, theirs: others.get(label) ?? '' }))
    .filter(row => row.yours !== row.theirs);
}

/** The terms line by line, as they read. */
export function describe(terms: ITerms): [string, string][] {
  return [
    ['Opens', timeOr(terms.opens_at, 'at once')],
    ['Due', timeOr(terms.due_at, 'no due date')],
    ['Closes', timeOr(terms.closes_at, 'never')],
    ['Grace', durationText(terms.grace_seconds)],
    ['Late work', lateText(terms.late)],
    ['Attempts', attemptsText(terms.max_attempts)],
    ['Attempt that counts', choiceText(COUNTINGS, terms.counting)],
    ['Grading', terms.autograde ? 'at once' : 'when the staff asks for it'],
    ['Students see grades', choiceText(RELEASES, terms.grades)]
  ];
}

function choiceText<T extends string>(
  options: readonly (readonly [T, string])[],
  chosen: T
): string {
  return (options.find(([value]) => value === chosen)?.[1] ?? chosen).toLowerCase();
}

function lateOf(
  form: ITermsForm,
  seen: ILatePolicy,
  number: (text: string, field: string, most: number) => number,
  problems: Record<string, string>
): ILatePolicy {
  // What another rule would use is kept as it is, so that a change of mind loses nothing.
  const late = { ...seen, rule: form.rule };
  if (form.rule === 'per_day') {
    late.percent_per_day = number(form.percent_per_day, 'late.percent_per_day', 100);
    late.at_least_percent = number(form.at_least_percent, 'late.at_least_percent', 100);
  }
  if (form.rule === 'custom') {
    if (form.steps.length === 0) {
      problems['late.steps'] = 'Add one line or more.';
    }
    late.steps = form.steps.map(step => ({
      after_seconds: Math.round(number(step.hours, 'late.steps', Infinity) * HOUR),
      keep_percent: number(step.keep, 'late.steps', 100)
    }));
    if (problems['late.steps'] !== undefined && form.steps.length > 0) {
      problems['late.steps'] = 'Use hours from 0 on and 0 to 100 percent in every line.';
    }
  }
  return late;
}

function checkOrder(
  times: Record<'opens_at' | 'due_at' | 'closes_at', string | null>,
  problems: Record<string, string>
): void {
  const names = { opens_at: 'it opens', due_at: 'it is due', closes_at: 'it closes' };
  let before: { time: number; name: string } | null = null;
  for (const field of ['opens_at', 'due_at', 'closes_at'] as const) {
    const text = times[field];
    if (text === null) {
      continue;
    }
    const time = new Date(text).getTime();
    if (before !== null && time < before.time) {
      problems[field] = `This is before ${before.name}.`;
    }
    before = { time, name: names[field] };
  }
}

function numberText(value: number): string {
  return String(Math.round(value * 1e6) / 1e6);
}
