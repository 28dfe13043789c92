/** JupyterLab's theme, as the person wants it. */

import type { IThemeManager } from '@jupyterlab/apputils';

import type { PreferencesModel } from './model';
import type { Theme } from './types';

/** What is needed of JupyterLab's themes. */
export type IThemes = Pick<IThemeManager, 'theme' | 'themes' | 'isLight' | 'setTheme'>;

/** The theme to change to, or null when the one in use is right. */
export function themeFor(wanted: Theme, themes: IThemes): string | null {
  if (wanted === 'follow') {
    return null;
  }
  const isLight = wanted === 'light';
  if (themes.theme !== null && themes.isLight(themes.theme) === isLight) {
    return null; // any light theme is one, also a high-contrast one that they chose themselves
  }
  const own = isLight ? 'JupyterLab Light' : 'JupyterLab Dark';
  const fitting = themes.themes.filter(name => themes.isLight(name) === isLight);
  return fitting.includes(own) ? own : (fitting[0] ?? null);
}

/**
 * Change the theme when the preference is known, and whenever it changes; not in between, so that
 * JupyterLab's own menu of themes goes on to work. Returns how to stop.
 */
export function followPreference(model: PreferencesModel, themes: IThemes): () => void {
  let applied: Theme = 'follow';
  const look = (): void => {
    const { phase, preferences } = model.snapshot();
    if (phase !== 'ready' || preferences.theme === applied) {
      return;
    }
    applied = preferences.theme;
    const name = themeFor(applied, themes);
    if (name !== null) {
      void themes.setTheme(name);
    }
  };
  look();
  return model.subscribe(look);
}
