/** The one model of the page, for whoever adapts to the preferences. */

import type { ServerConnection } from '@jupyterlab/services';
import * as React from 'react';

import { PreferencesClient } from './client';
import { PreferencesModel } from './model';
import type { IPreferences, Mode } from './types';

const models = new WeakMap<ServerConnection.ISettings, PreferencesModel>();

/** The preferences of whoever is signed in to this server; the same object for the same settings. */
export function preferencesOf(settings: ServerConnection.ISettings): PreferencesModel {
  let model = models.get(settings);
  if (model === undefined) {
    model = new PreferencesModel(new PreferencesClient(settings));
    models.set(settings, model);
  }
  return model;
}

/** The preferences now, and again after every change. */
export function usePreferences(model: PreferencesModel): IPreferences {
  return React.useSyncExternalStore(model.subscribe, () => model.preferences);
}

/** The mode now, and again after every change. */
export function useMode(model: PreferencesModel): Mode {
  return React.useSyncExternalStore(model.subscribe, () => model.mode);
}

interface IWithProps {
  model: PreferencesModel;
  children: (preferences: IPreferences) => React.ReactNode;
}

/** Draws what depends on the preferences; asks for them when it is shown first. */
export function WithPreferences({ model, children }: IWithProps): JSX.Element {
  const preferences = usePreferences(model);
  React.useEffect(() => void model.ready(), [model]);
  return <>{children(preferences)}</>;
}
