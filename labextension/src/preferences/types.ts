/** What a person chose for themselves, as the service tells it; see docs/preferences.md. */

/** How much of the panels is shown and explained. */
export type Mode = 'guided' | 'standard' | 'expert';

/** JupyterLab's theme; `follow` leaves it as it is. */
export type Theme = 'follow' | 'light' | 'dark';

/** What charts begin with. */
export interface IChartPreferences {
  /** So many points are averaged; 1 is none. */
  smoothing: number;
  /** The scale of the values. */
  axis: 'linear' | 'log';
  /** How seeds of one setting are drawn: each by itself, or together with a band. */
  band: 'none' | 'iqr' | 'ci';
}

export interface IPreferences {
  mode: Mode;
  theme: Theme;
  chart: IChartPreferences;
  /** How much a hint may give away: 0 (no hints) to 4. */
  hint_level: number;
  notifications: { feedback: boolean; due: boolean; achievements: boolean };
  /** Offered when they join a leaderboard; '' is none. */
  pseudonym: string;
  /** Whether this page reports time on task. */
  privacy: { activity: boolean };
  tour: 'new' | 'later' | 'done';
}

/** Changes of preferences: a JSON merge patch. */
export type PreferencesPatch = {
  [Name in keyof IPreferences]?: IPreferences[Name] extends object
    ? Partial<IPreferences[Name]>
    : IPreferences[Name];
};

/** Preferences with the number of changes so far. */
export interface IStoredPreferences {
  revision: number;
  updated_at: string | null;
  preferences: IPreferences;
}

/** What the model asks of the service. */
export interface IPreferencesClient {
  load(): Promise<IStoredPreferences>;
  /** Change some; `revision` is the one that was seen, null: whichever is stored. */
  patch(patch: PreferencesPatch, revision: number | null): Promise<IStoredPreferences>;
}

/** What everybody begins with. */
export const DEFAULTS: IPreferences = {
  mode: 'guided',
  theme: 'follow',
  chart: { smoothing: 1, axis: 'linear', band: 'none' },
  hint_level: 4,
  notifications: { feedback: true, due: true, achievements: true },
  pseudonym: '',
  privacy: { activity: true },
  tour: 'new'
};
