import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Dialog, showDialog } from '@jupyterlab/apputils';
import type { IThemeManager } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';

import { showFeedback } from './feedback';
import type { IWorkspace } from './model';
import { freeName, gradeIdsIn, gradeIdsOf, joinPath } from './notebooks';
import type { ICandidate } from './notebooks';
import type { IDownload, ISubmission } from './types';

// Reading a folder's notebooks is one request each.
const MOST_FILES = 50;

/** The documents of a running JupyterLab. */
export class LabWorkspace implements IWorkspace {
  constructor(
    private readonly _shell: JupyterFrontEnd.IShell,
    private readonly _documents: IDocumentManager,
    private readonly _notebooks: INotebookTracker,
    private readonly _browser: IDefaultFileBrowser,
    private readonly _themes: IThemeManager | null
  ) {}

  async addNotebook(notebook: IDownload): Promise<string> {
    const listing = await this._listing();
    const name = freeName(notebook.name, new Set(listing.map(item => item.name)));
    const path = joinPath(this._folder, name);
    // As text, so that the file holds exactly what was released.
    await this._contents.save(path, { type: 'file', format: 'text', content: notebook.text });
    this._documents.openOrReveal(path);
    return path;
  }

  openNotebooks(): ICandidate[] {
    // The tracker's own current notebook stays so when another kind of tab comes in front of it.
    const front = this._shell.currentWidget;
    const candidates: ICandidate[] = [];
    this._notebooks.forEach(panel => {
      candidates.push({
        path: panel.context.path,
        gradeIds: gradeIdsIn(panel),
        current: panel === front && panel.isVisible
      });
    });
    return candidates;
  }

  onNotebooksChanged(listener: () => void): void {
    const later = (): void => void Promise.resolve().then(listener);
    const follow = (panel: NotebookPanel): void => {
      panel.disposed.connect(later);
      panel.context.pathChanged.connect(later);
      void panel.context.ready.then(later);
    };
    this._notebooks.forEach(follow);
    this._notebooks.widgetAdded.connect((_, panel) => follow(panel));
    this._shell.currentChanged?.connect(later);
  }

  async folderNotebooks(): Promise<ICandidate[]> {
    const files = (await this._listing())
      .filter(item => item.type === 'notebook')
      .sort((one, other) => other.last_modified.localeCompare(one.last_modified))
      .slice(0, MOST_FILES);
    return Promise.all(
      files.map(async ({ name }) => {
        const path = joinPath(this._folder, name);
        // A notebook that cannot be read is not the one.
        const content = await this._contents.get(path).then(
          model => model.content as unknown,
          () => null
        );
        return { path, gradeIds: gradeIdsOf(content), current: false };
      })
    );
  }

  async savedText(path: string): Promise<string> {
    const context = this._panel(path)?.context;
    if (context?.model.dirty) {
      await context.save();
      if (context.model.dirty) {
        throw new Error(`${path} could not be saved, so it was not submitted.`);
      }
    }
    return this.fileText(path);
  }

  async chooseFiles(question: string): Promise<string[]> {
    const answer = await FileDialog.getOpenFiles({
      manager: this._documents,
      title: question,
      defaultPath: this._folder
    });
    const chosen = answer.button.accept ? (answer.value ?? []) : [];
    // Without a selection the answer is the folder that is shown.
    return chosen.filter(item => item.type !== 'directory').map(item => item.path);
  }

  async chooseFolder(question: string): Promise<string | null> {
    const answer = await FileDialog.getExistingDirectory({
      manager: this._documents,
      title: question,
      label: 'Select a folder, or open it and select nothing.',
      defaultPath: this._folder
    });
    return answer.button.accept ? (answer.value?.[0]?.path ?? null) : null;
  }

  async fileBase64(path: string): Promise<string> {
    const options = { type: 'file', format: 'base64', content: true } as const;
    return (await this._contents.get(path, options)).content as string;
  }

  async fileText(path: string): Promise<string> {
    const file = await this._contents.get(path, { type: 'file', format: 'text', content: true });
    return file.content as string;
  }

  copy(text: string): void {
    Clipboard.copyToSystem(text);
  }

  async confirmSubmit(question: string): Promise<boolean> {
    const answer = await showDialog({
      title: 'Submit?',
      body: question,
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: 'Submit all the same' })],
      defaultButton: 0
    });
    return answer.button.accept;
  }

  showFeedback(submission: ISubmission, html: string): void {
    showFeedback(this._shell, submission, html, this._themes);
  }

  private _panel(path: string): NotebookPanel | undefined {
    return this._notebooks.find(panel => panel.context.path === path);
  }

  private async _listing(): Promise<Contents.IModel[]> {
    const folder = await this._contents.get(this._folder, { type: 'directory', content: true });
    return folder.content as Contents.IModel[];
  }

  private get _folder(): string {
    return this._browser.model.path;
  }

  private get _contents(): Contents.IManager {
    return this._documents.services.contents;
  }
}
