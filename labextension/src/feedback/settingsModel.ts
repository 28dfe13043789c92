/** Settings of feedback as they are typed: an empty field is inherited. */

import { numberOf } from '../instructor/markDraft';
import type { ICaps, IEffectiveSettings, IFeedbackSettings, IStoredSettings } from './types';

export type Switch =
  'hints' | 'models_for_hints' | 'explanations' | 'models_for_explanations' | 'drafts';
export type Whole = 'hint_levels' | 'samples' | 'calibration_answers';
export type Share = 'bulk_threshold' | 'calibration_qwk';
export type Cap = keyof ICaps;

export const SWITCHES: readonly (readonly [Switch, string])[] = [
  ['hints', 'Hints'],
  ['models_for_hints', 'A model may write hints'],
  ['explanations', 'Explanations'],
  ['models_for_explanations', 'A model may write explanations'],
  ['drafts', 'Drafts by a model']
];

/** Names, labels, least and most. */
export const WHOLES: readonly (readonly [Whole, string, number, number])[] = [
  ['hint_levels', 'Levels of hints', 1, 4],
  ['samples', 'Samples of a draft', 1, 9],
  ['calibration_answers', 'Answers to mark for the calibration', 20, 1000]
];

export const SHARES: readonly (readonly [Share, string])[] = [
  ['bulk_threshold', 'Least agreement to approve many at once'],
  ['calibration_qwk', 'QWK that passes the calibration']
];

export const CAPS: readonly (readonly [Cap, string])[] = [
  ['user_day', 'Cap of a person and day'],
  ['assignment', 'Cap of an assignment'],
  ['course', 'Cap of the course']
];

export const HINT_COSTS = 4;

/** What stands in the fields. */
export interface ISettingsForm {
  switches: Record<Switch, '' | 'on' | 'off'>;
  numbers: Record<Whole | Share, string>;
  /** All four empty, or all four numbers. */
  hintCosts: string[];
  caps: Record<Cap, string>;
}

export function formOf(settings: Partial<IFeedbackSettings>): ISettingsForm {
  const switched = (name: Switch): '' | 'on' | 'off' => {
    const value = settings[name] ?? null;
    return value === null ? '' : value ? 'on' : 'off';
  };
  const text = (value: number | null | undefined): string =>
    value === null || value === undefined ? '' : String(value);
  const costs = settings.hint_costs ?? null;
  return {
    switches: {
      hints: switched('hints'),
      explanations: switched('explanations'),
      drafts: switched('drafts'),
      models_for_hints: switched('models_for_hints'),
      models_for_explanations: switched('models_for_explanations')
    },
    numbers: {
      hint_levels: text(settings.hint_levels),
      samples: text(settings.samples),
      calibration_answers: text(settings.calibration_answers),
      bulk_threshold: text(settings.bulk_threshold),
      calibration_qwk: text(settings.calibration_qwk)
    },
    hintCosts: Array.from({ length: HINT_COSTS }, (_, at) => text(costs?.[at])),
    caps: {
      user_day: text(settings.caps?.user_day),
      assignment: text(settings.caps?.assignment),
      course: text(settings.caps?.course)
    }
  };
}

export type Problems = Partial<Record<string, string>>;

/** What is wrong with the fields, by their names. */
export function problemsOf(form: ISettingsForm, ceilings: ICaps): Problems {
  const problems: Problems = {};
  for (const [name, , least, most] of WHOLES) {
    const value = numberOf(form.numbers[name]);
    if (value !== null && !(Number.isInteger(value) && value >= least && value <= most)) {
      problems[name] = `Use a whole number from ${least} to ${most}, or nothing.`;
    }
  }
  for (const [name] of SHARES) {
    const value = numberOf(form.numbers[name]);
    if (value !== null && !(value >= 0 && value <= 1)) {
      problems[name] = 'Use a number from 0 to 1, or nothing.';
    }
  }
  const cost = costProblem(form.hintCosts);
  if (cost !== null) {
    problems['hint_costs'] = cost;
  }
  for (const [name] of CAPS) {
    const value = numberOf(form.caps[name]);
    const ceiling = ceilings[name] ?? Infinity;
    if (value !== null && !(value >= 0 && value <= ceiling)) {
      problems[name] =
        ceiling === Infinity
          ? 'Use an amount from 0 on, or nothing.'
          : `Use an amount from 0 to ${ceiling}, which the server allows, or nothing.`;
    }
  }
  return problems;
}

function costProblem(texts: readonly string[]): string | null {
  const costs = texts.map(numberOf);
  if (costs.every(cost => cost === null)) {
    return null;
  }
  let least = 0;
  for (const cost of costs) {
    if (cost === null) {
      return 'Fill in all four, or none.';
    }
    if (!(cost >= 0 && cost <= 1)) {
      return 'Use shares from 0 to 1: 0.1 takes a tenth of the points.';
    }
    if (cost < least) {
      return 'A later level cannot cost less than an earlier one.';
    }
    least = cost;
  }
  return null;
}

/** The document to save; what is inherited is not in it. */
export function settingsOf(form: ISettingsForm): Partial<IFeedbackSettings> {
  const made: Partial<IFeedbackSettings> = {};
  for (const [name] of SWITCHES) {
    if (form.switches[name] !== '') {
      made[name] = form.switches[name] === 'on';
    }
  }
  for (const name of [...WHOLES.map(([each]) => each), ...SHARES.map(([each]) => each)]) {
    const value = numberOf(form.numbers[name]);
    if (value !== null) {
      made[name] = value;
    }
  }
  const costs = form.hintCosts.map(numberOf).filter(cost => cost !== null);
  if (costs.length === HINT_COSTS) {
    made.hint_costs = costs;
  }
  const caps: Partial<ICaps> = {};
  for (const [name] of CAPS) {
    const value = numberOf(form.caps[name]);
    if (value !== null) {
      caps[name] = value;
    }
  }
  if (Object.keys(caps).length > 0) {
    made.caps = caps;
  }
  return made;
}

/** What holds where nothing is typed, for the hint below a field. */
export function heldText(value: IEffectiveSettings[keyof IEffectiveSettings]): string {
  if (typeof value === 'boolean') {
    return value ? 'on' : 'off';
  }
  return Array.isArray(value) ? value.join(', ') : String(value ?? 'none');
}

/** The answer that a conflict carries. */
export function isStored(value: Record<string, unknown>): boolean {
  const found = value as Partial<IStoredSettings>;
  return typeof found.revision === 'number' && typeof found.settings === 'object';
}
