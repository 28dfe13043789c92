/** The review queue, the draft in front, and what was typed about each. */

import { RequestError } from '../connection';
import { messageOf } from '../instructor/resource';
import type { DraftFilter, IDraft, IDraftItem, IEdit, IFeedbackClient, IRecord } from './types';
import { isOpen } from './words';

/** What stands in the fields for one criterion. */
export interface ITypedResult {
  level: string;
  comment: string;
}

export interface ITyped {
  results: Record<string, ITypedResult>;
  comment: string;
}

export type Mode = 'read' | 'edit' | 'reject';

/** Everything of the review that is drawn. A new object for every change. */
export interface IReviewState {
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly problem: string | null;
  readonly items: readonly IDraftItem[];
  readonly at: number;
  readonly filter: DraftFilter;
  readonly draft: IDraft | null;
  readonly draftProblem: string | null;
  readonly mode: Mode;
  readonly typed: ITyped | null;
  readonly reason: string;
  /** The criterion whose evidence is marked in the answer. */
  readonly focused: string | null;
  readonly isSaving: boolean;
  readonly saveProblem: string | null;
  /** What somebody else has stored meanwhile. */
  readonly conflict: IRecord | null;
  /** For screen readers. */
  readonly said: string;
}

const EMPTY: IReviewState = {
  phase: 'loading',
  problem: null,
  items: [],
  at: 0,
  filter: 'open',
  draft: null,
  draftProblem: null,
  mode: 'read',
  typed: null,
  reason: '',
  focused: null,
  isSaving: false,
  saveProblem: null,
  conflict: null,
  said: ''
};

/** The state of the review; no action ever rejects. */
export class ReviewModel {
  constructor(
    private readonly _client: IFeedbackClient,
    private readonly _course: string,
    private readonly _assignment: string,
    private readonly _gradeId: string | null
  ) {}

  readonly snapshot = (): IReviewState => this._state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  get current(): IDraftItem | null {
    return this._state.items[this._state.at] ?? null;
  }

  /** Fetch the queue; the draft in front stays there if it is still in it. */
  async load(filter = this._state.filter): Promise<void> {
    const number = ++this._asked;
    this._set({ phase: 'loading', problem: null, filter });
    try {
      const { _client: client, _course: course, _assignment: assignment } = this;
      const items = await client.drafts(course, assignment, this._gradeId, filter);
      if (number !== this._asked) {
        return;
      }
      // Who reads stays where they are, also if they went on while this was on its way.
      const at = Math.max(0, placeOf(this.current, items));
      this._keep();
      this._set({ phase: 'ready', items, at });
      if (items[at]?.id !== this._state.draft?.id || items.length === 0) {
        await this._open();
      }
    } catch (error) {
      if (number === this._asked) {
        this._set({ phase: 'failed', problem: messageOf(error) });
      }
    }
  }

  async move(steps: number): Promise<void> {
    await this.go(this._state.at + steps);
  }

  async go(at: number): Promise<void> {
    if (at !== this._state.at && this._state.items[at] !== undefined && !this._state.isSaving) {
      this._keep();
      this._set({ at });
      await this._open();
    }
  }

  focus(criterion: string): void {
    if (criterion !== this._state.focused) {
      this._set({ focused: criterion });
    }
  }

  /** Begin to edit or to reject, or go back to reading; what was typed stays. */
  setMode(mode: Mode): void {
    const { draft, typed } = this._state;
    if (draft !== null && (isOpen(draft.state) || mode === 'read')) {
      this._set({ mode, typed: mode === 'edit' ? (typed ?? typedOf(draft)) : typed });
    }
  }

  type(typed: ITyped): void {
    this._set({ typed });
  }

  typeReason(reason: string): void {
    this._set({ reason });
  }

  /** The record of the person becomes what was drafted. */
  async approve(revision?: number): Promise<void> {
    const { draft } = this._state;
    if (draft !== null && draft.results.length > 0) {
      const seen = revision ?? draft.record?.revision ?? 0;
      await this._decide('Approved', () => this._client.approve(draft.id, seen));
    }
  }

  /** The record of the person becomes what was typed. */
  async save(revision?: number): Promise<void> {
    const { draft, typed } = this._state;
    if (draft !== null && typed !== null) {
      const seen = revision ?? draft.record?.revision ?? 0;
      await this._decide('Saved', () => this._client.edit(draft.id, editOf(draft, typed, seen)));
    }
  }

  async reject(): Promise<void> {
    const { draft, reason } = this._state;
    if (draft !== null) {
      await this._decide('Rejected', () => this._client.reject(draft.id, reason.trim()));
    }
  }

  /** Write over what somebody else stored meanwhile, with the words that are shown here. */
  async keepMine(): Promise<void> {
    const { conflict, mode } = this._state;
    if (conflict !== null) {
      await (mode === 'edit' ? this.save(conflict.revision) : this.approve(conflict.revision));
    }
  }

  /** Leave what somebody else stored; the draft stays open, and what was typed stays typed. */
  keepTheirs(): void {
    const { draft, conflict } = this._state;
    if (draft !== null && conflict !== null) {
      this._set({ draft: { ...draft, record: conflict }, conflict: null, mode: 'read' });
    }
  }

  private async _decide(done: string, act: () => Promise<IDraft>): Promise<void> {
    const { draft, isSaving } = this._state;
    if (draft === null || isSaving || !isOpen(draft.state)) {
      return;
    }
    this._set({ isSaving: true, saveProblem: null });
    try {
      const decided = await act();
      this._kept.delete(draft.id);
      await this._goOn(decided, done);
    } catch (error) {
      this._set({ isSaving: false, ...failureOf(error) });
    }
  }

  /** Show the state of what was decided in the list, and the next one that is open. */
  private async _goOn(decided: IDraft, done: string): Promise<void> {
    const items = this._state.items.map(item =>
      item.id === decided.id ? { ...item, state: decided.state, points: decided.points } : item
    );
    const after = items.findIndex((item, at) => at > this._state.at && isOpen(item.state));
    const at = after === -1 ? items.findIndex(item => isOpen(item.state)) : after;
    const said = `${done} for ${decided.who}.`;
    if (at === -1) {
      this._set({ ...READING, items, draft: decided, said: `${said} Nothing is left.` });
      return;
    }
    const next = items[at];
    this._set({ items, at, said: `${said} ${next?.who ?? ''}, ${at + 1} of ${items.length}.` });
    await this._open();
  }

  /** Read the draft in front. */
  private async _open(): Promise<void> {
    const item = this.current;
    this._set({ ...READING, draft: null, draftProblem: null });
    if (item === null) {
      return;
    }
    try {
      const draft = await this._client.draft(item.id);
      if (this.current?.id === item.id) {
        const kept = this._kept.get(item.id);
        this._set({
          draft,
          typed: kept ?? null,
          mode: kept !== undefined && isOpen(draft.state) ? 'edit' : 'read',
          focused: draft.results[0]?.criterion ?? null
        });
      }
    } catch (error) {
      if (this.current?.id === item.id) {
        this._set({ draftProblem: messageOf(error) });
      }
    }
  }

  /** Remember what was typed and not saved. */
  private _keep(): void {
    const { draft, typed } = this._state;
    if (draft !== null && typed !== null) {
      this._kept.set(draft.id, typed);
    }
  }

  private _set(change: Partial<IReviewState>): void {
    this._state = { ...this._state, ...change };
    this._listeners.forEach(listener => listener());
  }

  private _state = EMPTY;
  private _asked = 0;
  private readonly _kept = new Map<string, ITyped>();
  private readonly _listeners = new Set<() => void>();
}

const READING: Partial<IReviewState> = {
  mode: 'read',
  typed: null,
  reason: '',
  focused: null,
  isSaving: false,
  saveProblem: null,
  conflict: null
};

/** Where the draft in front is now: itself, or else a newer one of the same answer. */
function placeOf(item: IDraftItem | null, items: readonly IDraftItem[]): number {
  const same = items.findIndex(({ id }) => id === item?.id);
  return same >= 0
    ? same
    : items.findIndex(
        other => other.submission_id === item?.submission_id && other.grade_id === item.grade_id
      );
}

function failureOf(error: unknown): Partial<IReviewState> {
  if (error instanceof RequestError && error.conflict !== null) {
    const { revision, points, comment } = error.conflict.theirs as Partial<IRecord>;
    const theirs = { revision: revision ?? 0, points: points ?? null, comment: comment ?? '' };
    return { conflict: theirs };
  }
  return { saveProblem: `Nothing was saved. ${messageOf(error)}` };
}

/** What the fields begin with: the drafted levels and reasons. */
export function typedOf(draft: IDraft): ITyped {
  const results: Record<string, ITypedResult> = {};
  for (const { name } of draft.rubric) {
    const drafted = draft.results.find(result => result.criterion === name);
    results[name] = { level: drafted?.level ?? '', comment: drafted?.reason ?? '' };
  }
  return { results, comment: '' };
}

/** Criteria that have no level yet. */
export function missing(draft: IDraft, typed: ITyped): string[] {
  return draft.rubric
    .filter(({ name }) => (typed.results[name]?.level ?? '') === '')
    .map(({ title }) => title);
}

/** The points of the chosen levels. */
export function pointsOf(draft: IDraft, typed: ITyped): number {
  return draft.rubric.reduce((sum, { name, levels }) => {
    const chosen = typed.results[name]?.level;
    return sum + (levels.find(level => level.name === chosen)?.points ?? 0);
  }, 0);
}

function editOf(draft: IDraft, typed: ITyped, revision: number): IEdit {
  const results = draft.rubric.map(({ name }) => ({
    criterion: name,
    level: typed.results[name]?.level ?? '',
    comment: typed.results[name]?.comment ?? ''
  }));
  const comment = typed.comment.trim() === '' ? {} : { comment: typed.comment };
  return { revision, results, ...comment };
}
