/** What the page of preferences says. */

import type { IChartPreferences, IPreferences, Mode, Theme } from './types';

type Options<T> = readonly (readonly [T, string])[];

export const MODES: readonly (readonly [Mode, string, string])[] = [
  ['guided', 'Guided', 'Everything is explained where it stands.'],
  ['standard', 'Standard', 'The same without the explanations.'],
  ['expert', 'Expert', 'Compact: more on one screen, words only where they are needed.']
];

export const THEMES: Options<Theme> = [
  ['follow', "Leave JupyterLab's theme as it is"],
  ['light', 'Light'],
  ['dark', 'Dark']
];

export const AXES: Options<IChartPreferences['axis']> = [
  ['linear', 'Linear'],
  ['log', 'Logarithmic']
];

export const BANDS: Options<IChartPreferences['band']> = [
  ['none', 'Each run by itself'],
  ['iqr', 'Median and interquartile range'],
  ['ci', 'Interquartile mean and 95 % interval']
];

export const HINTS: Options<string> = [
  ['0', 'No hints'],
  ['1', 'What is asked'],
  ['2', 'Up to the idea'],
  ['3', 'Up to where to look'],
  ['4', 'Up to the next step']
];

/** The windows that the charts' own slider offers, in points. */
export const WINDOWS: Options<string> = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000].map(
  window => [String(window), window === 1 ? 'Off' : `${window} points`] as const
);

const LABELS: Readonly<Record<string, string>> = {
  mode: 'Mode',
  theme: 'Theme',
  'chart.smoothing': 'Smoothing',
  'chart.axis': 'Scale of the values',
  'chart.band': 'Seeds of one setting',
  hint_level: 'Hints',
  'notifications.feedback': 'Notice of new feedback',
  'notifications.due': 'Notice of due dates',
  'notifications.achievements': 'Notice of achievements',
  pseudonym: 'Pseudonym',
  'privacy.activity': 'Time on task',
  tour: 'Tour'
};

/** What a preference is called on the page. */
export function labelOf(name: string): string {
  return LABELS[name] ?? name;
}

/** A value in words. */
export function valueText(name: string, value: unknown): string {
  if (typeof value === 'boolean') {
    return value ? 'on' : 'off';
  }
  const options: Readonly<Record<string, Options<string>>> = {
    mode: MODES.map(([mode, label]) => [mode, label] as const),
    theme: THEMES,
    'chart.smoothing': WINDOWS,
    'chart.axis': AXES,
    'chart.band': BANDS,
    hint_level: HINTS
  };
  const text = String(value);
  const known = options[name]?.find(([each]) => each === text)?.[1];
  return known ?? (text === '' ? 'none' : text);
}

/** What the tour's row says. */
export function tourText(tour: IPreferences['tour']): string {
  return tour === 'done'
    ? 'You have taken it or declined it. It can be taken again.'
    : 'Six short steps through what you need, in about three minutes.';
}
