import type { ISessionContext } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { Widget } from '@lumino/widgets';

/** What an output stands in: a notebook or a console. */
export interface IHost {
  readonly rendermime: IRenderMimeRegistry;
  readonly sessionContext: ISessionContext;
}

/** The notebooks that are open. */
export interface IOpenNotebooks {
  find(test: (panel: NotebookPanel) => boolean): NotebookPanel | undefined;
}

/**
 * The notebook or console around an output, or null.
 *
 * A cell's output may also stand in a tab of its own ("Create New View for Output"), which names
 * its notebook by path.
 */
export function findHost(output: Widget, notebooks: IOpenNotebooks): IHost | null {
  for (let widget = output.parent; widget !== null; widget = widget.parent) {
    const { sessionContext, content, console, path } = widget as Widget & {
      sessionContext?: ISessionContext;
      content?: { rendermime?: IRenderMimeRegistry };
      console?: { rendermime?: IRenderMimeRegistry };
      path?: unknown;
    };
    const rendermime = content?.rendermime ?? console?.rendermime;
    if (sessionContext !== undefined && rendermime !== undefined) {
      return { rendermime, sessionContext };
    }
    if (typeof path === 'string') {
      const panel = notebooks.find(({ context }) => context.path === path);
      if (panel !== undefined) {
        return { rendermime: panel.content.rendermime, sessionContext: panel.sessionContext };
      }
    }
  }
  return null;
}
