import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  ICommandPalette,
  IThemeManager,
  MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';

import { homeIcon } from '../icon';
import { preferencesOf } from '../preferences/shared';
import { HomeClient } from './client';
import { HomeLab } from './lab';
import { HomeModel } from './model';
import { HomeWidget } from './widget';

/** The commands of the student's home. */
export const HomeCommands = { open: 'ppo-course:home' } as const;

const CATEGORY = 'PPO Course';

const ARGUMENTS = {
  type: 'object',
  properties: { course: { type: 'string', description: 'The name of the course to show' } }
} as const;

/** The tab in the main area with one's own progress in a course. */
export const homePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ppo:home',
  description: 'My course: map, next exercise, due dates, achievements, runs and feedback.',
  autoStart: true,
  requires: [IDocumentManager, INotebookTracker, IDefaultFileBrowser],
  optional: [ICommandPalette, ILauncher, ILayoutRestorer, IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    documents: IDocumentManager,
    notebooks: INotebookTracker,
    browser: IDefaultFileBrowser,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null
  ) => {
    const tracker = new WidgetTracker<MainAreaWidget<HomeWidget>>({ namespace: 'ppo-home' });
    const settings = app.serviceManager.serverSettings;
    const client = new HomeClient(settings);
    const lab = new HomeLab(app, client, { documents, notebooks, browser, themes });

    const create = (course: string | null): MainAreaWidget<HomeWidget> => {
      const model = new HomeModel(client, course);
      const content = new HomeWidget(model, client, lab, preferencesOf(settings));
      const widget = new MainAreaWidget({ content });
      // In place of the general one that it has just been given.
      content.node.setAttribute('aria-label', 'My course');
      widget.id = 'jupyter-ppo:home';
      widget.toolbar.hide();
      widget.title.label = 'My course';
      widget.title.caption = 'Where you stand, what is next, and what you achieved';
      widget.title.icon = homeIcon;
      widget.title.closable = true;
      let saved = course;
      model.subscribe(() => {
        const now = model.snapshot().course;
        if (now !== saved) {
          saved = now;
          void tracker.save(widget);
        }
      });
      return widget;
    };

    app.commands.addCommand(HomeCommands.open, {
      label: args => (args['isLauncher'] ? 'My course' : 'Open My Course'),
      caption: 'Where you stand, what is next, and what you achieved',
      icon: homeIcon,
      describedBy: { args: ARGUMENTS },
      execute: args => {
        const course = typeof args['course'] === 'string' ? args['course'] : null;
        let widget = tracker.currentWidget;
        if (widget === null || widget.isDisposed) {
          widget = create(course);
        } else if (course !== null) {
          void widget.content.model.selectCourse(course);
        }
        if (!widget.isAttached) {
          app.shell.add(widget, 'main', { type: 'My course' });
          void tracker.add(widget);
        }
        app.shell.activateById(widget.id);
        return widget;
      }
    });
    palette?.addItem({ command: HomeCommands.open, category: CATEGORY });
    launcher?.add({
      command: HomeCommands.open,
      args: { isLauncher: true },
      category: CATEGORY,
      rank: 0
    });
    void restorer?.restore(tracker, {
      command: HomeCommands.open,
      args: widget => {
        const { course } = widget.content.model.snapshot();
        return course === null ? {} : { course };
      },
      name: () => 'home'
    });
  }
};
