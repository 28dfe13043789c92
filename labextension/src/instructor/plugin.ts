import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  ICommandPalette,
  IThemeManager,
  MainAreaWidget,
  Notification,
  WidgetTracker
} from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';

import { showFeedback } from '../feedback';
import { courseIcon } from '../icon';
import { InstructorClient } from './client';
import { InstructorModel, isTab } from './model';
import type { IPlace } from './model';
import { messageOf } from './resource';
import { InstructorWidget } from './widget';
import { mayGrade } from './words';

/** The commands of the instructor area. */
export const InstructorCommands = { open: 'ppo-instructor:open' } as const;

const CATEGORY = 'PPO Course';

const ARGUMENTS = {
  type: 'object',
  properties: {
    course: { type: 'string', description: 'The name of the course to show' },
    tab: { type: 'string', description: 'assignments, gradebook, marking, outcomes, ...' }
  }
} as const;

/** The tab in the main area in which a course is run. */
export const instructorPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ppo:instructor',
  description: 'Assignments, grades, queue and people of a course, in the main area.',
  autoStart: true,
  optional: [ICommandPalette, ILauncher, ILayoutRestorer, IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null
  ) => {
    const settings = app.serviceManager.serverSettings;
    const client = new InstructorClient(settings);
    const tracker = new WidgetTracker<MainAreaWidget<InstructorWidget>>({
      namespace: 'ppo-instructor'
    });

    const openFeedback = async (id: string): Promise<void> => {
      try {
        const [submission, html] = await Promise.all([client.submission(id), client.feedback(id)]);
        showFeedback(app.shell, submission, html, themes);
      } catch (error) {
        Notification.error(messageOf(error));
      }
    };

    const create = (place: Partial<IPlace>): MainAreaWidget<InstructorWidget> => {
      const model = new InstructorModel(client, place);
      const content = new InstructorWidget(model, client, settings, id => void openFeedback(id));
      const widget = new MainAreaWidget({ content });
      // In place of the general one that it has just been given.
      content.node.setAttribute('aria-label', 'PPO Instructor');
      widget.id = 'jupyter-ppo:instructor';
      widget.toolbar.hide();
      widget.title.label = 'PPO Instructor';
      widget.title.caption = 'Assignments, grades, queue and people of a course';
      widget.title.icon = courseIcon;
      widget.title.closable = true;
      let saved = '';
      model.subscribe(() => {
        const now = JSON.stringify(model.place);
        if (now !== saved) {
          saved = now;
          void tracker.save(widget);
        }
      });
      return widget;
    };

    app.commands.addCommand(InstructorCommands.open, {
      label: args => (args['isLauncher'] ? 'PPO Instructor' : 'Open PPO Instructor'),
      caption: 'Run a course: assignments, grades, queue and people',
      icon: courseIcon,
      describedBy: { args: ARGUMENTS },
      execute: args => {
        const course = typeof args['course'] === 'string' ? args['course'] : undefined;
        const tab = isTab(args['tab']) ? args['tab'] : undefined;
        let widget = tracker.currentWidget;
        if (widget === null || widget.isDisposed) {
          widget = create({ course, tab });
        } else {
          const model = widget.content.model;
          if (course !== undefined) {
            model.selectCourse(course);
          }
          if (tab !== undefined) {
            model.selectTab(tab);
          }
        }
        if (!widget.isAttached) {
          app.shell.add(widget, 'main', { type: 'PPO Instructor' });
          void tracker.add(widget);
        }
        app.shell.activateById(widget.id);
        return widget;
      }
    });
    palette?.addItem({ command: InstructorCommands.open, category: CATEGORY });
    void restorer?.restore(tracker, {
      command: InstructorCommands.open,
      args: widget => ({ ...widget.content.model.place }),
      name: () => 'instructor'
    });
    if (launcher !== null) {
      // Students have no use for the card; who cannot be told apart now still has the palette.
      void client.me().then(
        me => {
          if (me.courses.some(course => mayGrade(course.role))) {
            launcher.add({
              command: InstructorCommands.open,
              args: { isLauncher: true },
              category: CATEGORY,
              rank: 1
            });
          }
        },
        () => undefined
      );
    }
  }
};
