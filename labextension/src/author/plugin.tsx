import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTools, INotebookTracker, NotebookTools } from '@jupyterlab/notebook';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Collapser, ReactWidget, ToolbarButton } from '@jupyterlab/ui-components';
import { PanelLayout } from '@lumino/widgets';
import type { Widget } from '@lumino/widgets';
import * as React from 'react';

import { authorIcon } from '../icon';
import { CellForm } from './cellForm';
import { AuthorClient } from './client';
import { LabNotebooks } from './lab';
import { AuthorModel } from './model';
import { AuthorPanel } from './panel';

/** The command of the author's tools. */
export const AuthorCommands = { open: 'ppo-author:open' } as const;

const NO_ARGUMENTS = { type: 'object', properties: {} } as const;
/** Where the button stands in a notebook's toolbar: after the menu of cell types. */
const TOOLBAR_PLACE = 10;

/** The section "PPO: this cell" of the notebook tools. */
class CellTool extends NotebookTools.Tool {
  constructor(model: AuthorModel) {
    super();
    this.addClass('jp-PPO-cellTool');
    const layout = new PanelLayout();
    this.layout = layout;
    layout.addWidget(ReactWidget.create(<CellForm model={model} />));
  }
}

/** Open the section around a tool, which JupyterLab adds closed. */
function unfold(tool: Widget): void {
  for (let widget = tool.parent; widget !== null; widget = widget.parent) {
    if (widget instanceof Collapser) {
      widget.collapsed = false;
      return;
    }
  }
}

/** The panel "PPO Author". */
class AuthorSidebar extends ReactWidget {
  constructor(private readonly _model: AuthorModel) {
    super();
    this.id = 'jupyter-ppo:author';
    this.addClass('jp-PPO-panel');
    this.addClass('jp-PPO-author');
    this.title.icon = authorIcon;
    this.title.caption = 'PPO Author';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'PPO Author');
  }

  protected override render(): JSX.Element {
    return <AuthorPanel model={this._model} />;
  }
}

/** What an author marks, tries and releases a notebook with. */
export const authorPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ppo:author',
  description: 'Marks cells for grading, checks a source notebook and releases it.',
  autoStart: true,
  requires: [IDocumentManager, INotebookTracker],
  optional: [INotebookTools, ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    documents: IDocumentManager,
    notebooks: INotebookTracker,
    tools: INotebookTools | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const client = new AuthorClient(app.serviceManager.serverSettings);
    const model = new AuthorModel(client, new LabNotebooks(notebooks, documents));
    const sidebar = new AuthorSidebar(model);
    app.shell.add(sidebar, 'right', { rank: 900, type: 'PPO Author' });
    restorer?.add(sidebar, 'ppo-author');
    const tool = new CellTool(model);
    tools?.addSection({ sectionName: 'ppo-author', label: 'PPO: this cell', tool });
    unfold(tool);

    app.commands.addCommand(AuthorCommands.open, {
      label: 'Open PPO Author',
      caption: 'Check and release the notebook in front as an assignment',
      icon: authorIcon,
      describedBy: { args: NO_ARGUMENTS },
      execute: () => {
        void model.load();
        app.shell.activateById?.(sidebar.id);
      }
    });
    palette?.addItem({ command: AuthorCommands.open, category: 'PPO Course' });

    const addButton = (panel: NotebookPanel): void => {
      const button = new ToolbarButton({
        className: 'jp-PPO-authorButton',
        label: 'PPO author',
        tooltip: 'Check and release this notebook as an assignment',
        onClick: () => void app.commands.execute(AuthorCommands.open)
      });
      const show = (): void => button.setHidden(!model.isOfUse);
      show();
      const end = model.subscribe(show);
      button.disposed.connect(end);
      panel.toolbar.insertItem(TOOLBAR_PLACE, 'ppo-author', button);
    };
    notebooks.forEach(addButton);
    notebooks.widgetAdded.connect((_, panel) => addButton(panel));
    void app.restored.then(() => model.load());
  }
};
