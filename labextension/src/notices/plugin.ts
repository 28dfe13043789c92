import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';

import { HomeClient } from '../home/client';
import { preferencesOf } from '../preferences/shared';
import type { INotice } from './notices';
import { NoticeWatcher } from './watcher';
import type { IToldStore } from './watcher';

/** The name of what was told in JupyterLab's state. */
const TOLD = 'ppo-notices:told';

/** What shows more of a notice, by its kind. */
const COMMANDS: Readonly<Record<INotice['kind'], string>> = {
  feedback: 'ppo-course:open',
  due: 'ppo-course:open',
  achievements: 'ppo-course:home'
};

/** Tells students of feedback, due dates and achievements, as far as they want that. */
export const noticesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ppo:notices',
  description: 'Notices of feedback, due dates and achievements.',
  autoStart: true,
  requires: [IStateDB],
  activate: (app: JupyterFrontEnd, database: IStateDB) => {
    const settings = app.serviceManager.serverSettings;
    const tell = (notice: INotice): void => {
      const { course, kind, text } = notice;
      Notification.info(text, {
        autoClose: false, // who reads slowly or is away must find it
        actions: [
          { label: 'Show', callback: () => void app.commands.execute(COMMANDS[kind], { course }) }
        ]
      });
    };
    const client = new HomeClient(settings);
    const watcher = new NoticeWatcher(client, preferencesOf(settings), labStore(database), tell);
    void app.restored.then(() => watcher.start());
  }
};

/** JupyterLab's own state, which a reload keeps. */
function labStore(database: IStateDB): IToldStore {
  return {
    load: () => database.fetch(TOLD),
    save: told => database.save(TOLD, { user: told.user, keys: [...told.keys] })
  };
}
