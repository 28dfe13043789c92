import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IThemeManager } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';

import { authorPlugin } from './author/plugin';
import { followWork } from './events/start';
import { HomeCommands, homePlugin } from './home/plugin';
import { courseIcon } from './icon';
import { InstructorCommands, instructorPlugin } from './instructor/plugin';
import { CourseModel } from './model';
import { CourseSidebar } from './panel';
import { preferencesPlugin } from './preferences/plugin';
import { preferencesOf } from './preferences/shared';
import { CourseClient } from './request';
import { noticesPlugin } from './notices/plugin';
import { picturePlugin } from './picture/plugin';
import { runsPlugin } from './runs/plugin';
import { sandboxPlugin } from './sandbox/plugin';
import { TourCommands } from './tour/commands';
import { tourPlugin } from './tour/plugin';
import { tutorPlugin } from './tutor/plugin';
import { LabWorkspace } from './workspace';

/** The commands that this extension adds. */
export const CommandIDs = {
  open: 'ppo-course:open',
  refresh: 'ppo-course:refresh'
} as const;

const NO_ARGUMENTS = { type: 'object', properties: {} } as const;

const coursePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ppo:plugin',
  description: "The course's assignments, submissions and feedback in the left sidebar.",
  autoStart: true,
  requires: [IDocumentManager, INotebookTracker, IDefaultFileBrowser],
  optional: [ICommandPalette, ILayoutRestorer, IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    documents: IDocumentManager,
    notebooks: INotebookTracker,
    browser: IDefaultFileBrowser,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null
  ) => {
    const workspace = new LabWorkspace(app.shell, documents, notebooks, browser, themes);
    const model = new CourseModel(new CourseClient(app.serviceManager.serverSettings), workspace);
    const sidebar = new CourseSidebar(
      model,
      course => void app.commands.execute(InstructorCommands.open, { course }),
      course => void app.commands.execute(HomeCommands.open, { course }),
      preferencesOf(app.serviceManager.serverSettings),
      () => void app.commands.execute(TourCommands.start)
    );
    app.shell.add(sidebar, 'left', { rank: 650, type: 'PPO Course' });
    restorer?.add(sidebar, 'ppo-course');
    followWork(app.serviceManager.serverSettings, notebooks, model.validation);

    app.commands.addCommand(CommandIDs.open, {
      label: 'Open PPO Course',
      caption: "Show the course's assignments",
      icon: courseIcon,
      describedBy: { args: NO_ARGUMENTS },
      execute: () => app.shell.activateById?.(sidebar.id)
    });
    app.commands.addCommand(CommandIDs.refresh, {
      label: 'Refresh PPO Course',
      describedBy: { args: NO_ARGUMENTS },
      execute: () => model.refresh()
    });
    for (const command of Object.values(CommandIDs)) {
      palette?.addItem({ command, category: 'PPO Course' });
    }
  }
};

export default [
  authorPlugin,
  coursePlugin,
  homePlugin,
  instructorPlugin,
  noticesPlugin,
  picturePlugin,
  preferencesPlugin,
  runsPlugin,
  sandboxPlugin,
  tourPlugin,
  tutorPlugin
];
