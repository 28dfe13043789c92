/** The pieces of a day's bar. */

import type { ISpendDay } from './types';

export const PURPOSES = [
  ['drafts', 'Drafts'],
  ['hints', 'Hints'],
  ['explanations', 'Explanations'],
  ['rest', 'Other']
] as const;

export type Purpose = (typeof PURPOSES)[number][0];

/** What was spent on a purpose; `rest` is on none of the others, and rounding leaves no dust. */
export function costOf(day: ISpendDay, purpose: Purpose): number {
  if (purpose !== 'rest') {
    return day[purpose];
  }
  const rest = day.cost - day.drafts - day.hints - day.explanations;
  return rest > 1e-9 ? rest : 0;
}

/** The pieces of a bar, one on top of the other. */
export function stackOf(day: ISpendDay): { purpose: Purpose; from: number; to: number }[] {
  const upTo = (count: number): number =>
    PURPOSES.slice(0, count).reduce((sum, [purpose]) => sum + costOf(day, purpose), 0);
  return PURPOSES.map(([purpose], at) => ({ purpose, from: upTo(at), to: upTo(at + 1) }));
}

/** The end of the axis: the largest day, up to 1, 2 or 5 times a power of ten. */
export function topOf(days: readonly ISpendDay[]): number {
  const most = Math.max(0, ...days.map(({ cost }) => cost));
  if (most <= 0) {
    return 0;
  }
  const power = 10 ** Math.floor(Math.log10(most));
  const steps = [1, 2, 5, 10].map(step => step * power);
  return steps.find(step => most <= step * (1 + 1e-9)) ?? 10 * power;
}
