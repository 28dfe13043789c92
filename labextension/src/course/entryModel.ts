/** What a student writes and chooses for an entry, without any drawing. */

import type { EntryPart, IEntry, IRunEvidence } from '../instructor/gradingTypes';
import { base64Of } from './base64';
import { OPTIONAL_FILES, RUN_FILES, runEvidence } from './runEvidence';
import type { RunFile } from './runEvidence';
import type { IJudged, INewEntry, ISentFile, IStudentClient } from './types';
import { placeOf } from './validationModel';

/** The files of this JupyterLab: what an entry needs of them. */
export interface IFiles {
  /** Let the person choose files in the file browser; none when they do not. */
  chooseFiles(question: string): Promise<string[]>;
  /** Let the person choose a folder; null when they do not. */
  chooseFolder(question: string): Promise<string | null>;
  /** A file's bytes in base64. */
  fileBase64(path: string): Promise<string>;
  /** A file as it is on the disk, as text. */
  fileText(path: string): Promise<string>;
}

/** What is typed and chosen so far. */
export interface IDraft {
  readonly title: string;
  readonly text: string;
  readonly code: string;
  readonly files: readonly ISentFile[];
  readonly run: IRunEvidence | null;
}

export const EMPTY_DRAFT: IDraft = { title: '', text: '', code: '', files: [], run: null };

/** Everything that is drawn. A text in the place of a thing is a problem. */
export interface IEntryState {
  readonly entries: ReadonlyMap<string, IEntry | string>;
  readonly drafts: ReadonlyMap<string, IDraft>;
  readonly problems: ReadonlyMap<string, string>;
  /** Released outcomes by submission. */
  readonly outcomes: ReadonlyMap<string, IJudged | string>;
}

const EMPTY: IEntryState = {
  entries: new Map(),
  drafts: new Map(),
  problems: new Map(),
  outcomes: new Map()
};

const KEPT = 'jupyter-ppo:entry:';

/** The entries of the courses by course and assignment; no action ever rejects. */
export class EntryModel {
  constructor(
    private readonly _client: IStudentClient,
    private readonly _files: IFiles
  ) {}

  /** The state now; for React.useSyncExternalStore. */
  readonly snapshot = (): IEntryState => this._state;

  /** Call `listener` after every change; returns how to stop that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Load what an entry asks for, and what this person typed for it before. */
  async load(course: string, assignment: string, user: string): Promise<void> {
    const place = placeOf(course, assignment);
    this._user = user;
    if (!this._state.drafts.has(place)) {
      this._put('drafts', place, { ...EMPTY_DRAFT, ...this._kept(place) });
    }
    let entry: IEntry | string;
    try {
      entry = await this._client.entry(course, assignment);
    } catch (error) {
      entry = messageOf(error);
    }
    this._put('entries', place, entry);
  }

  /** What is typed and chosen for an entry. */
  draft(course: string, assignment: string): IDraft {
    return this._state.drafts.get(placeOf(course, assignment)) ?? EMPTY_DRAFT;
  }

  /** Change a part; words are kept over a reload of the page. */
  change(course: string, assignment: string, change: Partial<IDraft>): void {
    const place = placeOf(course, assignment);
    const draft = { ...this.draft(course, assignment), ...change };
    this._put('drafts', place, draft);
    this._keep(place, draft);
  }

  /** Add files of the file browser. */
  addFiles(course: string, assignment: string): Promise<void> {
    return this._choose(course, assignment, async () => {
      const paths = await this._files.chooseFiles('Files to hand in');
      const files = await Promise.all(
        paths.map(async path => ({
          name: path.slice(path.lastIndexOf('/') + 1),
          content_base64: await this._files.fileBase64(path)
        }))
      );
      this._add(course, assignment, files);
    });
  }

  /** Add files of this computer. */
  addLocalFiles(course: string, assignment: string, chosen: readonly File[]): Promise<void> {
    return this._choose(course, assignment, async () => {
      const files = await Promise.all(
        chosen.map(async file => ({
          name: file.name,
          content_base64: base64Of(new Uint8Array(await file.arrayBuffer()))
        }))
      );
      this._add(course, assignment, files);
    });
  }

  removeFile(course: string, assignment: string, name: string): void {
    const files = this.draft(course, assignment).files.filter(file => file.name !== name);
    this.change(course, assignment, { files });
  }

  /** Take a run's hyperparameters and measurements from its folder. */
  chooseRun(course: string, assignment: string): Promise<void> {
    return this._choose(course, assignment, async () => {
      const folder = await this._files.chooseFolder('Folder of a training run');
      if (folder !== null) {
        const texts = await Promise.all(RUN_FILES.map(name => this._read(folder, name)));
        const named = Object.fromEntries(RUN_FILES.map((name, at) => [name, texts[at] ?? '']));
        this.change(course, assignment, { run: runEvidence(named as Record<RunFile, string>) });
      }
    });
  }

  /** The body that hands the draft in: only parts that the entry asks for. */
  body(course: string, assignment: string): string {
    const entry = this._state.entries.get(placeOf(course, assignment));
    if (entry === undefined || typeof entry === 'string') {
      throw new Error('What this entry asks for is not known yet. Press Refresh.');
    }
    return JSON.stringify(sentEntry(this.draft(course, assignment), entry.definition.parts));
  }

  /** Forget what was handed in. */
  clear(course: string, assignment: string): void {
    const place = placeOf(course, assignment);
    this._put('drafts', place, EMPTY_DRAFT);
    this._keep(place, EMPTY_DRAFT);
  }

  /** Look up a released outcome. */
  async loadOutcome(submission: string): Promise<void> {
    let judged: IJudged | string;
    try {
      judged = await this._client.judged(submission);
    } catch (error) {
      judged = messageOf(error);
    }
    this._put('outcomes', submission, judged);
  }

  dispose(): void {
    this._listeners.clear();
  }

  private _add(course: string, assignment: string, files: readonly ISentFile[]): void {
    const names = new Set(files.map(file => file.name));
    const others = this.draft(course, assignment).files.filter(file => !names.has(file.name));
    this.change(course, assignment, { files: [...others, ...files] });
  }

  private async _read(folder: string, name: RunFile): Promise<string> {
    try {
      return await this._files.fileText(`${folder}/${name}`);
    } catch {
      if (OPTIONAL_FILES.includes(name)) {
        return '';
      }
      throw new Error(`${folder} holds no training run: ${name} is missing in it.`);
    }
  }

  private async _choose(
    course: string,
    assignment: string,
    choose: () => Promise<void>
  ): Promise<void> {
    const place = placeOf(course, assignment);
    this._put('problems', place, '');
    try {
      await choose();
    } catch (error) {
      this._put('problems', place, messageOf(error));
    }
  }

  private _keep(place: string, { title, text, code }: IDraft): void {
    try {
      const isEmpty = title === '' && text === '' && code === '';
      if (isEmpty) {
        window.localStorage.removeItem(this._keptName(place));
      } else {
        window.localStorage.setItem(this._keptName(place), JSON.stringify({ title, text, code }));
      }
    } catch {
      // A browser without room or right to keep it: the words are there until the page is left.
    }
  }

  private _kept(place: string): Partial<IDraft> {
    try {
      const data: unknown = JSON.parse(window.localStorage.getItem(this._keptName(place)) ?? '{}');
      const words = Object.entries(data as object).filter(
        ([name, value]) => ['title', 'text', 'code'].includes(name) && typeof value === 'string'
      );
      return Object.fromEntries(words) as Partial<IDraft>;
    } catch {
      return {};
    }
  }

  private _keptName(place: string): string {
    return `${KEPT}${this._user}/${place}`;
  }

  private _put<K extends keyof IEntryState>(
    what: K,
    place: string,
    value: IEntryState[K] extends ReadonlyMap<string, infer V> ? V : never
  ): void {
    const map = new Map(this._state[what] as ReadonlyMap<string, unknown>);
    map.set(place, value);
    this._state = { ...this._state, [what]: map };
    this._listeners.forEach(listener => listener());
  }

  private readonly _listeners = new Set<() => void>();
  private _state: IEntryState = EMPTY;
  private _user = '';
}

function sentEntry(draft: IDraft, parts: readonly EntryPart[]): INewEntry {
  const asks = new Set(parts);
  return {
    ...(draft.title.trim() === '' ? {} : { title: draft.title }),
    ...(asks.has('text') && draft.text !== '' ? { text: draft.text } : {}),
    ...(asks.has('code') && draft.code !== '' ? { code: draft.code } : {}),
    ...(asks.has('files') && draft.files.length > 0 ? { files: [...draft.files] } : {}),
    ...(asks.has('run') && draft.run !== null ? { run: draft.run } : {})
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}
