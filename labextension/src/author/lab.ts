import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import type { CellType } from './cells';
import { badgeText, markedCell, previewPath } from './cells';
import type { INotebooks, INotebookView } from './model';

/** The class of a cell with a badge; the badge's words are in its `data-ppo-badge`. */
const MARKED = 'jp-PPO-marked';

/** The notebooks of a running JupyterLab; it also keeps the badges of their cells up to date. */
export class LabNotebooks implements INotebooks {
  readonly canReveal = true;

  constructor(
    private readonly _tracker: INotebookTracker,
    private readonly _documents: IDocumentManager
  ) {
    const follow = (panel: NotebookPanel): void => {
      void panel.context.ready.then(() => {
        if (panel.isDisposed) {
          return;
        }
        this._drawBadges(panel);
        // Fires for a cell that is added, moved or changed, by hand or by a collaborator.
        panel.model?.sharedModel.changed.connect(() => this._later(panel));
        panel.content.modelChanged.connect(() => this._later(panel));
        this._later(panel);
      });
      panel.context.pathChanged.connect(() => this._tell());
      panel.disposed.connect(() => this._later(null));
    };
    _tracker.forEach(follow);
    _tracker.widgetAdded.connect((_, panel) => follow(panel));
    _tracker.currentChanged.connect(() => this._tell());
    _tracker.activeCellChanged.connect((_, cell) => {
      if (cell !== null && !this._followed.has(cell.model)) {
        this._followed.add(cell.model);
        cell.model.metadataChanged.connect(() => this._later(this._tracker.currentWidget));
      }
      this._tell();
    });
  }

  current(): INotebookView | null {
    const panel = this._tracker.currentWidget;
    const cells = panel?.model?.sharedModel.cells;
    if (!panel || cells === undefined) {
      return null;
    }
    return {
      path: panel.context.path,
      active: panel.content.activeCellIndex,
      cells: cells.map(cell => ({
        type: cell.cell_type as CellType,
        metadata: cell.getMetadata() as Record<string, unknown>
      }))
    };
  }

  onChanged(listener: () => void): void {
    this._listeners.push(listener);
  }

  set(index: number, key: string, value: unknown): void {
    const cell = this._tracker.currentWidget?.content.widgets[index];
    if (cell === undefined) {
      return;
    }
    if (value === null) {
      cell.model.deleteMetadata(key);
    } else {
      cell.model.setMetadata(key, value);
    }
    this._later(this._tracker.currentWidget);
  }

  reveal(index: number): void {
    const panel = this._tracker.currentWidget;
    if (panel && index >= 0 && index < panel.content.widgets.length) {
      panel.content.deselectAll();
      panel.content.activeCellIndex = index;
      void panel.content.scrollToItem(index, 'center');
      panel.activate();
    }
  }

  text(): string {
    const model = this._tracker.currentWidget?.model;
    return model ? JSON.stringify(model.toJSON()) : '';
  }

  async openPreview(text: string): Promise<string> {
    const path = previewPath(this._tracker.currentWidget?.context.localPath ?? 'notebook.ipynb');
    const open = this._documents.findWidget(path);
    await this._documents.services.contents.save(path, {
      type: 'file',
      format: 'text',
      content: text
    });
    if (open !== undefined) {
      await this._documents.contextForWidget(open)?.revert();
    }
    this._documents.openOrReveal(path);
    return path;
  }

  /** Draw and tell once for all changes of a moment. */
  private _later(panel: NotebookPanel | null): void {
    if (panel !== null) {
      this._changed.add(panel);
    }
    if (this._isWaiting) {
      return;
    }
    this._isWaiting = true;
    requestAnimationFrame(() => {
      this._isWaiting = false;
      for (const each of this._changed) {
        this._drawBadges(each);
      }
      this._changed.clear();
      this._tell();
    });
  }

  private _tell(): void {
    for (const listener of this._listeners) {
      listener();
    }
  }

  private _drawBadges(panel: NotebookPanel): void {
    if (panel.isDisposed) {
      return;
    }
    panel.content.widgets.forEach((cell, index) => {
      const type = cell.model.type as CellType;
      const text = badgeText(markedCell(index, type, cell.model.metadata));
      cell.toggleClass(MARKED, text !== null);
      if (text === null) {
        delete cell.node.dataset['ppoBadge'];
      } else {
        cell.node.dataset['ppoBadge'] = text;
      }
    });
  }

  private readonly _listeners: (() => void)[] = [];
  private readonly _followed = new WeakSet<object>();
  private readonly _changed = new Set<NotebookPanel>();
  private _isWaiting = false;
}
