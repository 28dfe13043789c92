import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IStateDB } from '@jupyterlab/statedb';

import { sandboxIcon } from '../icon';
import { SandboxClient } from './client';
import type { IDraftStore } from './draft';
import { labEditor } from './editor';
import { SandboxModel } from './model';
import { SandboxSidebar } from './panel';

/** The commands of the sandbox panel. */
export const SandboxCommands = {
  open: 'ppo-sandbox:open',
  runCell: 'ppo-sandbox:run-cell'
} as const;

/** The draft's name in JupyterLab's state. */
const DRAFT = 'ppo-sandbox:draft';

const NO_ARGUMENTS = { type: 'object', properties: {} } as const;

/** The sidebar in which code runs in a container of its own. */
export const sandboxPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ppo:sandbox',
  description: 'Runs code and test cases in a container, in the left sidebar.',
  autoStart: true,
  requires: [IEditorServices, INotebookTracker],
  optional: [ICommandPalette, ILayoutRestorer, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    editors: IEditorServices,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    database: IStateDB | null
  ) => {
    const model = new SandboxModel(
      new SandboxClient(app.serviceManager.serverSettings),
      database === null ? null : labStore(database)
    );
    void model.restore();
    const sidebar = new SandboxSidebar(model, labEditor(editors));
    app.shell.add(sidebar, 'left', { rank: 651, type: 'PPO Sandbox' });
    restorer?.add(sidebar, 'ppo-sandbox');

    const codeOfCell = (): string | null => {
      const cell = notebooks.activeCell?.model;
      return cell?.type === 'code' ? cell.sharedModel.getSource() : null;
    };
    app.commands.addCommand(SandboxCommands.open, {
      label: 'Open PPO Sandbox',
      caption: 'Run code in a container of its own',
      icon: sandboxIcon,
      describedBy: { args: NO_ARGUMENTS },
      execute: () => app.shell.activateById?.(sidebar.id)
    });
    app.commands.addCommand(SandboxCommands.runCell, {
      label: 'Run Cell in PPO Sandbox',
      caption: "Run the active cell's code in a container, apart from the notebook's kernel",
      icon: sandboxIcon,
      describedBy: { args: NO_ARGUMENTS },
      isEnabled: () => codeOfCell() !== null,
      execute: async () => {
        const code = codeOfCell();
        if (code !== null) {
          app.shell.activateById?.(sidebar.id);
          await model.runOther(code);
        }
      }
    });
    const changed = (): void => app.commands.notifyCommandChanged(SandboxCommands.runCell);
    notebooks.activeCellChanged.connect(changed);
    for (const command of Object.values(SandboxCommands)) {
      palette?.addItem({ command, category: 'PPO Course' });
    }
  }
};

/** JupyterLab's own state, which a reload keeps. */
function labStore(database: IStateDB): IDraftStore {
  return {
    load: () => database.fetch(DRAFT),
    // Plain data only, which the types of the two packages cannot say to each other.
    save: draft => database.save(DRAFT, JSON.parse(JSON.stringify(draft)))
  };
}
