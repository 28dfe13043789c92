import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';

import { tutorIcon } from '../icon';
import { messageOf } from '../instructor/resource';
import { CourseClient } from '../request';
import { TutorClient } from './client';
import { TutorCommands } from './commands';
import { TutorLab } from './lab';
import { TutorModel } from './model';
import { TutorSidebar } from './widget';

const NO_ARGUMENTS = { type: 'object', properties: {} } as const;
const RUN_ARGUMENTS = {
  type: 'object',
  properties: {
    course: { type: 'string', description: 'The course in which it is asked' },
    run: { type: 'string', description: 'The id of the training run' },
    update: { type: 'number', description: 'The update in question' }
  },
  required: ['run']
} as const;

/** The sidebar with hints, explanations and self-checks. */
export const tutorPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ppo:tutor',
  description: 'Hints for exercises, explanations of errors and runs, self-checks by the rubric.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const settings = app.serviceManager.serverSettings;
    const courses = new CourseClient(settings);
    const model = new TutorModel(new TutorClient(settings));
    const lab = new TutorLab(notebooks, courses);

    const attempt = async (act: () => Promise<void>): Promise<void> => {
      app.shell.activateById?.(sidebar.id);
      try {
        await act();
      } catch (error) {
        model.refuse(messageOf(error));
      }
    };
    const look = (): Promise<void> => attempt(async () => model.show(await lab.answer()));
    const explain = (): Promise<void> =>
      attempt(async () => {
        const { course, question } = await lab.question();
        await model.explain(course, question);
      });
    const explainRun = (run: string, update: number | null, course: string | null) =>
      attempt(async () => {
        const asked = course ?? (await courses.me()).courses[0]?.name;
        if (asked === undefined) {
          throw new Error('You are in no course on this server.');
        }
        const about = update === null ? {} : { update };
        await model.explain(asked, { kind: 'run', run_id: run, ...about });
      });

    const sidebar = new TutorSidebar(
      model,
      () => void look(),
      () => void explain()
    );
    app.shell.add(sidebar, 'right', { rank: 650, type: 'PPO Tutor' });
    restorer?.add(sidebar, 'ppo-tutor');

    app.commands.addCommand(TutorCommands.open, {
      label: 'Open PPO Tutor',
      caption: 'Hints, explanations and self-checks',
      icon: tutorIcon,
      describedBy: { args: NO_ARGUMENTS },
      execute: () => app.shell.activateById?.(sidebar.id)
    });
    app.commands.addCommand(TutorCommands.hint, {
      label: 'Help with This Exercise',
      caption: 'Hints for the exercise of the active cell, or a self-check by its rubric',
      icon: tutorIcon,
      describedBy: { args: NO_ARGUMENTS },
      isEnabled: () => notebooks.activeCell !== null,
      execute: look
    });
    app.commands.addCommand(TutorCommands.explain, {
      label: 'Explain This Cell',
      caption: 'What the error of the active cell means, or what its code does',
      icon: tutorIcon,
      describedBy: { args: NO_ARGUMENTS },
      isEnabled: () => notebooks.activeCell !== null,
      execute: explain
    });
    app.commands.addCommand(TutorCommands.explainRun, {
      label: 'Explain This Run',
      caption: 'What the figures of a training run say',
      icon: tutorIcon,
      describedBy: { args: RUN_ARGUMENTS },
      execute: args =>
        explainRun(
          String(args['run'] ?? ''),
          typeof args['update'] === 'number' ? args['update'] : null,
          typeof args['course'] === 'string' ? args['course'] : null
        )
    });
    const changed = (): void => {
      app.commands.notifyCommandChanged(TutorCommands.hint);
      app.commands.notifyCommandChanged(TutorCommands.explain);
    };
    notebooks.activeCellChanged.connect(changed);
    for (const command of [TutorCommands.open, TutorCommands.hint, TutorCommands.explain]) {
      palette?.addItem({ command, category: 'PPO Course' });
    }
  }
};
