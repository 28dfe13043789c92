/** What the author's tools know and do, without any drawing. */

import { Poller } from '../polling';
import type { ICourse } from '../types';
import type { CellType, IMarkedCell, Kind } from './cells';
import {
  assignmentName,
  hasPoints,
  isSource,
  markedCell,
  nbgraderMetadata,
  suggestedId,
  withUnsealed
} from './cells';
import type { IAuthorClient, ICheckTrial, IRelease } from './types';

/** One cell of a notebook that is open. */
export interface ICellView {
  type: CellType;
  metadata: Readonly<Record<string, unknown>>;
}

/** A notebook that is open and in front. */
export interface INotebookView {
  path: string;
  cells: ICellView[];
  /** The index of the cell with the cursor, or -1. */
  active: number;
}

/** The notebooks of this JupyterLab: what the model needs of them. */
export interface INotebooks {
  /** The notebook that was in front last, or null. */
  current(): INotebookView | null;
  /** Call `listener` when another notebook or cell is current, or a cell's metadata changed. */
  onChanged(listener: () => void): void;
  /** Set a cell's metadata, or delete it for null. */
  set(index: number, key: string, value: unknown): void;
  /** Whether there is a cell to bring into sight: a file is not open anywhere. */
  readonly canReveal: boolean;
  /** Bring a cell into sight and make it the active one. */
  reveal(index: number): void;
  /** The notebook as it is now, as the text of a file. */
  text(): string;
  /** Give the students' copy to the person; return where it is. */
  openPreview(text: string): Promise<string>;
}

/** What is under way. */
export type Phase = 'idle' | 'checking' | 'previewing' | 'releasing';

export interface IAuthorState {
  /** The courses that the person may release in. */
  readonly courses: readonly ICourse[];
  readonly course: string | null;
  readonly path: string | null;
  readonly cells: readonly IMarkedCell[];
  readonly active: number;
  readonly phase: Phase;
  readonly trial: ICheckTrial | null;
  readonly release: IRelease | null;
  readonly notice: { kind: 'done' | 'problem'; text: string } | null;
}

/** What the service said of one notebook. */
type IResults = Pick<IAuthorState, 'trial' | 'release'>;

const NOTHING: IResults = { trial: null, release: null };

const EMPTY: IAuthorState = {
  courses: [],
  course: null,
  path: null,
  cells: [],
  active: -1,
  phase: 'idle',
  trial: null,
  release: null,
  notice: null
};

/** The state of the author's tools and what their buttons do; no action ever rejects. */
export class AuthorModel {
  constructor(
    private readonly _client: IAuthorClient,
    private readonly _notebooks: INotebooks
  ) {
    this._poller = new Poller(() => this._poll());
    this._poller.setVisible(true);
    _notebooks.onChanged(() => this._look());
    this._look();
  }

  readonly snapshot = (): IAuthorState => this._state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Whether the tools are of use here: the person releases somewhere, or this is a source. */
  get isOfUse(): boolean {
    return this._state.courses.length > 0 || isSource(this._state.cells);
  }

  /** The cell with the cursor. */
  get activeCell(): IMarkedCell | null {
    return this._state.cells[this._state.active] ?? null;
  }

  /** Whether `jump` leads anywhere. */
  get canJump(): boolean {
    return this._notebooks.canReveal;
  }

  /** The name that a release proposes. */
  get proposedName(): string {
    return assignmentName(this._state.path ?? '');
  }

  /** Ask who the person is and where they may release. */
  async load(): Promise<void> {
    try {
      const me = await this._client.me();
      const courses = me.courses.filter(({ role }) => role === 'instructor' || role === 'admin');
      this._set({ courses, course: this._state.course ?? courses[0]?.name ?? null });
    } catch {
      // Without the service cells can be marked all the same.
      this._set({ courses: [] });
    }
  }

  choose(course: string): void {
    this._set({ course });
  }

  /** Make the active cell one of this kind, with a grade_id of its own. */
  setKind(kind: Kind): void {
    const cell = this.activeCell;
    if (cell === null) {
      return;
    }
    const gradeId = cell.gradeId || suggestedId(kind, cell.index, this._state.cells);
    const points = cell.points ?? (hasPoints(kind) ? 1 : 0);
    this._write(cell, kind, gradeId, points);
    if (kind !== 'tests' && cell.unsealed) {
      this.setUnsealed(false);
    }
  }

  setGradeId(gradeId: string): void {
    const cell = this.activeCell;
    if (cell !== null && cell.kind !== 'ordinary') {
      this._write(cell, cell.kind, gradeId, cell.points ?? 0);
    }
  }

  setPoints(points: number): void {
    const cell = this.activeCell;
    if (cell !== null && hasPoints(cell.kind)) {
      this._write(cell, cell.kind, cell.gradeId, points);
    }
  }

  setUnsealed(unsealed: boolean): void {
    const cell = this.activeCell;
    const metadata = this._metadata(cell);
    if (cell !== null && metadata !== null) {
      const tags = withUnsealed(metadata, unsealed);
      this._notebooks.set(cell.index, 'tags', tags.length > 0 ? tags : null);
      this._look();
    }
  }

  jump(index: number): void {
    this._notebooks.reveal(index);
  }

  /** Have the notebook tried: the solution, the students' copy, the tests. */
  async check(): Promise<void> {
    await this._do('checking', async course => {
      const path = this._state.path ?? '';
      this._keep(path, { trial: null, release: null });
      this._checking = { path, id: '' };
      const trial = await this._client.check(course, this._notebooks.text());
      this._checking = { path, id: trial.id };
      this._keep(path, { trial });
      this._poller.start();
      return null;
    });
  }

  /** Open the students' copy beside the notebook. */
  async preview(): Promise<void> {
    await this._do('previewing', async course => {
      const copy = await this._client.preview(course, this._notebooks.text());
      return `The students' copy is in ${await this._notebooks.openPreview(copy.text)}.`;
    });
  }

  /** Release the notebook as the next version of an assignment. */
  async release(assignment: string, note: string): Promise<boolean> {
    return this._do('releasing', async course => {
      const path = this._state.path ?? '';
      const text = this._notebooks.text();
      const release = await this._client.release(course, assignment, text, note);
      this._keep(path, { release });
      return `${release.name} version ${release.version} is released to ${course}.`;
    });
  }

  dispose(): void {
    this._poller.dispose();
    this._listeners.clear();
  }

  private async _do(
    phase: Exclude<Phase, 'idle'>,
    action: (course: string) => Promise<string | null>
  ): Promise<boolean> {
    const { course } = this._state;
    if (course === null || this._state.phase !== 'idle') {
      return false;
    }
    this._set({ phase, notice: null });
    try {
      const text = await action(course);
      this._set({
        notice: text === null ? null : { kind: 'done', text },
        phase: phase === 'checking' ? 'checking' : 'idle'
      });
      return true;
    } catch (error) {
      this._set({ phase: 'idle', notice: { kind: 'problem', text: messageOf(error) } });
      return false;
    }
  }

  private async _poll(): Promise<boolean> {
    const { path, id } = this._checking;
    const trial = await this._client.trial(id);
    const hasEnded = trial.state === 'done' || trial.state === 'failed';
    this._keep(path, { trial });
    this._set({ phase: hasEnded ? 'idle' : 'checking' });
    return !hasEnded;
  }

  /** Remember what came of a notebook; it is shown while that notebook is in front. */
  private _keep(path: string, change: Partial<IResults>): void {
    const results = { ...NOTHING, ...this._results.get(path), ...change };
    this._results.set(path, results);
    if (path === this._state.path) {
      this._set(results);
    }
  }

  private _write(cell: IMarkedCell, kind: Kind, gradeId: string, points: number): void {
    const before = this._metadata(cell) ?? {};
    const value = nbgraderMetadata(kind, gradeId, points, before);
    this._notebooks.set(cell.index, 'nbgrader', value);
    this._look();
  }

  private _metadata(cell: IMarkedCell | null): Readonly<Record<string, unknown>> | null {
    return cell === null ? null : (this._notebooks.current()?.cells[cell.index]?.metadata ?? null);
  }

  private _look(): void {
    const view = this._notebooks.current();
    const cells = (view?.cells ?? []).map((cell, index) =>
      markedCell(index, cell.type, cell.metadata)
    );
    const path = view?.path ?? null;
    // What was said of another notebook is no news of this one.
    const isOther = path !== this._state.path;
    const fresh = isOther ? { notice: null, ...NOTHING, ...this._results.get(path ?? '') } : {};
    this._set({ path, cells, active: view?.active ?? -1, ...fresh });
  }

  private _set(change: Partial<IAuthorState>): void {
    this._state = { ...this._state, ...change };
    for (const listener of this._listeners) {
      listener();
    }
  }

  private _state: IAuthorState = EMPTY;
  private readonly _results = new Map<string, IResults>();
  private _checking = { path: '', id: '' };
  private readonly _listeners = new Set<() => void>();
  private readonly _poller: Poller;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
