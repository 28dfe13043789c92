import type { INotebookTracker } from '@jupyterlab/notebook';
import type { ServerConnection } from '@jupyterlab/services';

import type { ValidationModel } from '../course/validationModel';
import { preferencesOf } from '../preferences/shared';
import { ActivityChoice } from './choice';
import { EventsClient } from './client';
import { LabEvents } from './lab';

/** Follow the work in the notebooks of this JupyterLab, as far as the person allows it. */
export function followWork(
  settings: ServerConnection.ISettings,
  notebooks: INotebookTracker,
  validation: ValidationModel
): LabEvents {
  return new LabEvents({
    notebooks,
    validation,
    client: new EventsClient(settings),
    choice: new ActivityChoice(preferencesOf(settings)),
    server: settings.baseUrl
  });
}
