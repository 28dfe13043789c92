import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';

import { RUN_MIME, VIEW_MIME } from './bundle';
import { findHost } from './host';
import { RunPicture } from './runPicture';

/** Before widgets' views, which have -10: of a bundle's types the one with the lowest rank is shown. */
const RANK = -20;

/** Shows training runs in notebooks: live while their widget lives, else as a picture. */
export const picturePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ppo:picture',
  description: 'Shows the saved picture of a training run, and the live view in place of it.',
  autoStart: true,
  requires: [IRenderMimeRegistry, INotebookTracker],
  activate: (_: JupyterFrontEnd, rendermime: IRenderMimeRegistry, notebooks: INotebookTracker) => {
    const factory: IRenderMime.IRendererFactory = {
      // The picture is an image, which runs no script; only a trusted notebook gets a view.
      safe: true,
      mimeTypes: [RUN_MIME],
      defaultRank: RANK,
      createRenderer: () =>
        new RunPicture({
          findHost: output => findHost(output, notebooks),
          // A notebook's copy of the registry gets a renderer of its own from the widget manager.
          hasWidgets: host =>
            host.rendermime.getFactory(VIEW_MIME) !== rendermime.getFactory(VIEW_MIME)
        })
    };
    // Every notebook and console copies this registry when it is opened.
    rendermime.addFactory(factory);
    const add = (panel: { content: { rendermime: IRenderMimeRegistry } }): void => {
      panel.content.rendermime.addFactory(factory);
    };
    notebooks.forEach(add);
  }
};
