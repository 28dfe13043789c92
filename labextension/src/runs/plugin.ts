import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { IStateDB } from '@jupyterlab/statedb';

import { runsIcon } from '../icon';
import { preferencesOf } from '../preferences/shared';
import { TutorCommands } from '../tutor/commands';
import { RunsClient } from './client';
import { RunsModel } from './model';
import type { IRunsStore } from './model';
import { RunsWidget } from './widget';

/** The commands of the panel of runs. */
export const RunsCommands = { open: 'ppo-runs:open' } as const;

const CATEGORY = 'PPO Course';
/** The name of how things are drawn in JupyterLab's state. */
const MEMORY = 'ppo-runs:view';

const ARGUMENTS = {
  type: 'object',
  properties: { run: { type: 'string', description: 'The id of a run to show by itself' } }
} as const;

/** The tab in the main area with the training runs of the server. */
export const runsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ppo:runs',
  description: 'Training runs of the server: live charts, comparison, new runs.',
  autoStart: true,
  optional: [ICommandPalette, ILauncher, ILayoutRestorer, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    database: IStateDB | null
  ) => {
    const tracker = new WidgetTracker<MainAreaWidget<RunsWidget>>({ namespace: 'ppo-runs' });

    const explain = (run: string): void =>
      void app.commands.execute(TutorCommands.explainRun, { run });

    const create = (run: string | null): MainAreaWidget<RunsWidget> => {
      const settings = app.serviceManager.serverSettings;
      const store = database === null ? null : labStore(database);
      const model = new RunsModel(new RunsClient(settings), store, run, preferencesOf(settings));
      const widget = new MainAreaWidget({ content: new RunsWidget(model, explain) });
      // In place of the general one that it has just been given.
      widget.content.node.setAttribute('aria-label', 'Training runs');
      widget.id = 'jupyter-ppo:runs';
      widget.toolbar.hide();
      widget.title.label = 'Training runs';
      widget.title.caption = 'Runs of PPO on this server: curves, comparison, new runs';
      widget.title.icon = runsIcon;
      widget.title.closable = true;
      let saved = run;
      model.subscribe(() => {
        const { open } = model.snapshot();
        if (open !== saved) {
          saved = open;
          void tracker.save(widget);
        }
      });
      return widget;
    };

    app.commands.addCommand(RunsCommands.open, {
      label: args => (args['isLauncher'] ? 'Training runs' : 'Open Training Runs'),
      caption: 'Start, follow and compare training runs on this server',
      icon: runsIcon,
      describedBy: { args: ARGUMENTS },
      execute: args => {
        const run = typeof args['run'] === 'string' ? args['run'] : null;
        let widget = tracker.currentWidget;
        if (widget === null || widget.isDisposed) {
          widget = create(run);
        } else if (run !== null) {
          widget.content.model.openRun(run);
        }
        if (!widget.isAttached) {
          app.shell.add(widget, 'main', { type: 'Training runs' });
          void tracker.add(widget);
        }
        app.shell.activateById(widget.id);
        return widget;
      }
    });
    palette?.addItem({ command: RunsCommands.open, category: CATEGORY });
    launcher?.add({
      command: RunsCommands.open,
      args: { isLauncher: true },
      category: CATEGORY,
      rank: 2
    });
    void restorer?.restore(tracker, {
      command: RunsCommands.open,
      args: widget => {
        const { open } = widget.content.model.snapshot();
        return open === null ? {} : { run: open };
      },
      name: () => 'runs'
    });
  }
};

/** JupyterLab's own state, which a reload keeps. */
function labStore(database: IStateDB): IRunsStore {
  return {
    load: () => database.fetch(MEMORY),
    // Plain data only, which the types of the two packages cannot say to each other.
    save: memory => database.save(MEMORY, JSON.parse(JSON.stringify(memory)))
  };
}
