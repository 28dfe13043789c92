import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IThemeManager } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { gradeIdsWanted } from '../course/finding';
import { showFeedback } from '../feedback';
import { saveFile } from '../instructor/frame';
import type { IFile } from '../instructor/gradingTypes';
import { chooseNotebook, gradeIdOf } from '../notebooks';
import { RunsCommands } from '../runs/plugin';
import type { IAssignment, ISubmission } from '../types';
import { LabWorkspace } from '../workspace';
import type { HomeClient } from './client';
import type { IChapterProgress, IHomeLab } from './types';

/** The commands of other parts of the extension that the page leads to. */
const PANEL_COMMAND = 'ppo-course:open';
const PREFERENCES_COMMAND = 'ppo-course:preferences';

/** The documents that the page opens. */
export interface IDocuments {
  documents: IDocumentManager;
  notebooks: INotebookTracker;
  browser: IDefaultFileBrowser;
  themes: IThemeManager | null;
}

/** What "My course" does in a running JupyterLab. */
export class HomeLab implements IHomeLab {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _client: HomeClient,
    private readonly _parts: IDocuments
  ) {
    const { documents, notebooks, browser, themes } = _parts;
    this._workspace = new LabWorkspace(_app.shell, documents, notebooks, browser, themes);
  }

  async openChapter(
    course: string,
    chapter: IChapterProgress,
    gradeId: string | null
  ): Promise<string> {
    const { assignment: name } = chapter;
    const assignments = await this._client.assignments(course);
    const assignment = assignments.find(each => each.name === name);
    if (assignment === undefined) {
      throw new Error(`${chapter.title} is not open to students now.`);
    }
    if (assignment.kind === 'entry') {
      this.openPanel();
      return `${chapter.title} is handed in from the PPO Course panel, which is open now.`;
    }
    const own = await this._ownNotebook(assignment);
    if (own !== null) {
      this._parts.documents.openOrReveal(own);
      await this._show(own, gradeId);
      return `${own} is open.`;
    }
    const path = await this._workspace.addNotebook(await this._client.notebook(course, name));
    await this._show(path, gradeId);
    return `${path} is saved and open.`;
  }

  async openFeedback(submission: ISubmission): Promise<void> {
    if (submission.kind === 'entry') {
      this.openPanel(); // an entry's outcome is shown on its card
      return;
    }
    const html = await this._client.feedback(submission.id);
    showFeedback(this._app.shell, submission, html, this._parts.themes);
  }

  openRuns(run?: string): void {
    void this._app.commands.execute(RunsCommands.open, run === undefined ? {} : { run });
  }

  openPanel(): void {
    void this._app.commands.execute(PANEL_COMMAND);
  }

  get openPreferences(): (() => void) | null {
    const { commands } = this._app;
    return commands.hasCommand(PREFERENCES_COMMAND)
      ? () => void commands.execute(PREFERENCES_COMMAND)
      : null;
  }

  save(file: IFile): void {
    saveFile(file);
  }

  /** The person's notebook of an assignment, open or in the folder; of several, the first. */
  private async _ownNotebook(assignment: IAssignment): Promise<string | null> {
    const wanted = gradeIdsWanted(assignment);
    let choice = chooseNotebook(this._workspace.openNotebooks(), wanted);
    if (choice.kind === 'none') {
      choice = chooseNotebook(await this._workspace.folderNotebooks(), wanted);
    }
    switch (choice.kind) {
      case 'found':
        return choice.path;
      case 'several':
        return choice.paths[0] ?? null;
      case 'none':
        return null;
    }
  }

  /** Go to an exercise's cell; a notebook without it stays where it is. */
  private async _show(path: string, gradeId: string | null): Promise<void> {
    const panel = this._parts.notebooks.find(({ context }) => context.path === path);
    if (gradeId === null || panel === undefined) {
      return;
    }
    await panel.revealed;
    const index = cellIndex(panel, gradeId);
    if (index >= 0) {
      panel.content.activeCellIndex = index;
      await panel.content.scrollToItem(index, 'center');
    }
  }

  private readonly _workspace: LabWorkspace;
}

/** Which cell carries a grade_id; -1 for none. */
function cellIndex(panel: NotebookPanel, gradeId: string): number {
  const cells = panel.model?.sharedModel.cells ?? [];
  return cells.findIndex(cell => gradeIdOf(cell.getMetadata()) === gradeId);
}
