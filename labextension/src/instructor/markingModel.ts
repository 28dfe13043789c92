/** Marking one exercise across students: which answer is shown, what is typed, what is saved. */

import { pointsText } from '../format';
import { conflictOf } from './gradingClient';
import type { IAnswer, IGradingClient, IMark, IMarkingItem, IMarkingTotal } from './gradingTypes';
import { draftOf, EMPTY_DRAFT, markOf, problemOf, sameDraft } from './markDraft';
import type { IMarkDraft } from './markDraft';
import { messageOf } from './resource';

/** Digits that follow within this time make one number, so that 1 2 is 12. */
const TOGETHER_MS = 900;

export type SavedState = 'new' | 'typed' | 'saving' | 'saved';

/** Everything of the desk that is drawn. A new object for every change. */
export interface IDeskState {
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly problem: string | null;
  readonly items: readonly IMarkingItem[];
  readonly at: number;
  readonly onlyWaiting: boolean;
  readonly named: boolean;
  readonly answer: IAnswer | null;
  readonly answerProblem: string | null;
  readonly draft: IMarkDraft;
  readonly saved: SavedState;
  readonly saveProblem: string | null;
  readonly conflict: { yours: IMark; theirs: IMark } | null;
  /** How many answers have something typed that is not saved. */
  readonly unsaved: number;
  /** What screen readers are told. */
  readonly said: string;
}

/** What was typed and not saved; it outlives a change of the tab. */
export type Drafts = Map<string, IMarkDraft>;
const KEPT: Drafts = new Map();

/** The state of the desk; no action ever rejects. */
export class MarkingModel {
  constructor(
    private readonly _client: IGradingClient,
    private readonly _course: string,
    readonly exercise: IMarkingTotal,
    private readonly _drafts: Drafts = KEPT
  ) {}

  readonly snapshot = (): IDeskState => this._state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  get current(): IMarkingItem | null {
    return this._state.items[this._state.at] ?? null;
  }

  /** Fetch the list; the answer that is shown stays the same where it is still listed. */
  async load(options: { onlyWaiting?: boolean; named?: boolean } = {}): Promise<void> {
    const { onlyWaiting = this._state.onlyWaiting, named = this._state.named } = options;
    const shown = this.current?.submission_id;
    const round = ++this._round;
    this._set({ phase: 'loading', problem: null, onlyWaiting, named });
    try {
      const { assignment, grade_id } = this.exercise;
      const state = onlyWaiting ? 'waiting' : 'all';
      const items = await this._client.markingItems(
        this._course,
        assignment,
        grade_id,
        state,
        named
      );
      if (round === this._round) {
        const found = items.findIndex(item => item.submission_id === shown);
        this._set({ phase: 'ready', items });
        await this._show(Math.max(0, found));
      }
    } catch (error) {
      if (round === this._round) {
        this._set({ phase: 'failed', problem: messageOf(error) });
      }
    }
  }

  /** Go `steps` further in the list. What was typed is kept. */
  async move(steps: number): Promise<void> {
    const next = this._state.at + steps;
    if (next < 0 || next >= this._state.items.length) {
      this._say(steps > 0 ? 'This is the last answer.' : 'This is the first answer.');
      return;
    }
    await this._show(next);
  }

  type(draft: IMarkDraft): void {
    const item = this.current;
    if (item === null) {
      return;
    }
    const isNew = sameDraft(draft, draftOf(item.mark));
    if (isNew) {
      this._drafts.delete(keyOf(item));
    } else {
      this._drafts.set(keyOf(item), draft);
    }
    this._set({ draft, saved: this._savedState(item), saveProblem: null });
  }

  /** Give the points of a number key; two keys within a moment make one number. */
  digit(digit: string, now: number): void {
    const item = this.current;
    if (item === null) {
      return;
    }
    const both = now - this._digitAt < TOGETHER_MS ? this._digits + digit : digit;
    const digits = Number(both) <= item.max_points ? both : digit;
    this._digitAt = now;
    this._digits = digits;
    if (Number(digits) > item.max_points) {
      this._say(`There are at most ${pointsText(item.max_points)} points.`);
      return;
    }
    this._give(String(Number(digits)));
  }

  full(): void {
    if (this.current !== null) {
      this._give(String(this.current.max_points));
    }
  }

  zero(): void {
    this._give('0');
  }

  /** Save what was typed, and go on to the next answer if that went well. */
  async save(goOn: boolean, revision?: number): Promise<void> {
    const item = this.current;
    if (item === null || this._state.saved === 'saving') {
      return;
    }
    const { draft } = this._state;
    const problem = problemOf(draft, item.max_points);
    if (problem !== null) {
      this._set({ saveProblem: problem.text });
      this._say(problem.text);
      return;
    }
    if (sameDraft(draft, draftOf(item.mark))) {
      if (item.waits) {
        this._say('Give points first.');
      } else if (goOn) {
        await this.move(1);
      }
      return;
    }
    this._set({ saved: 'saving', saveProblem: null, conflict: null });
    try {
      const seen = revision ?? item.mark?.revision ?? 0;
      const saved = await this._client.mark(item.submission_id, item.grade_id, markOf(draft, seen));
      const { score, mark, waits, auto_changed, points: auto_points } = saved;
      this._drafts.delete(keyOf(item));
      this._put({ ...item, score, mark, waits, auto_changed, auto_points });
      this._set({ saved: 'saved' });
      this._say(`Saved ${pointsText(score)} of ${pointsText(item.max_points)} for ${item.who}.`);
      if (goOn && this._state.at + 1 < this._state.items.length) {
        await this._show(this._state.at + 1, this._state.said);
      } else if (goOn) {
        this._say(`${this._state.said} That was the last answer.`);
      }
    } catch (error) {
      const conflict = conflictOf<IMark>(error);
      this._set({ saved: 'typed', conflict, saveProblem: conflict ? null : messageOf(error) });
    }
  }

  /** After a conflict: mine in the place of theirs. */
  async keepMine(): Promise<void> {
    const { conflict } = this._state;
    if (conflict !== null) {
      await this.save(false, conflict.theirs.revision);
    }
  }

  /** After a conflict: theirs, and what I typed is gone. */
  keepTheirs(): void {
    const { conflict } = this._state;
    const item = this.current;
    if (conflict !== null && item !== null) {
      const { theirs } = conflict;
      this._drafts.delete(keyOf(item));
      const score = (theirs.points ?? item.auto_points) + theirs.extra_credit;
      const waits = item.waits && theirs.points === null;
      this._put({ ...item, mark: theirs, score, waits });
      this._set({ draft: draftOf(theirs), saved: 'saved', conflict: null });
    }
  }

  private _give(points: string): void {
    this.type({ ...this._state.draft, points });
    this._say(`${points} points. Press Enter to save.`);
  }

  private async _show(at: number, before = ''): Promise<void> {
    const item = this._state.items[at];
    if (item === undefined) {
      this._set({ at: 0, answer: null, draft: EMPTY_DRAFT, saved: 'new', conflict: null });
      return;
    }
    const kept = this._state.answer !== null && this._answerOf === item.submission_id;
    this._set({
      at,
      answer: kept ? this._state.answer : null,
      answerProblem: null,
      draft: this._drafts.get(keyOf(item)) ?? draftOf(item.mark),
      saved: this._savedState(item),
      saveProblem: null,
      conflict: null
    });
    this._say(`${before} ${item.who}, ${at + 1} of ${this._state.items.length}.`.trim());
    if (kept) {
      return;
    }
    this._answerOf = item.submission_id;
    try {
      const answer = await this._client.answer(item.submission_id, item.grade_id);
      if (this._answerOf === item.submission_id) {
        this._set({ answer });
      }
    } catch (error) {
      if (this._answerOf === item.submission_id) {
        this._set({ answerProblem: messageOf(error) });
      }
    }
  }

  private _savedState(item: IMarkingItem): SavedState {
    if (this._drafts.has(keyOf(item))) {
      return 'typed';
    }
    return item.mark === null ? 'new' : 'saved';
  }

  private _put(item: IMarkingItem): void {
    const items = this._state.items.map(each =>
      each.submission_id === item.submission_id && each.grade_id === item.grade_id ? item : each
    );
    this._set({ items });
  }

  private _say(said: string): void {
    this._set({ said });
  }

  private _set(change: Partial<IDeskState>): void {
    const state = { ...this._state, ...change };
    const unsaved = state.items.filter(item => this._drafts.has(keyOf(item))).length;
    this._state = { ...state, unsaved };
    this._listeners.forEach(listener => listener());
  }

  private _state: IDeskState = {
    phase: 'loading',
    problem: null,
    items: [],
    at: 0,
    onlyWaiting: true,
    named: false,
    answer: null,
    answerProblem: null,
    draft: EMPTY_DRAFT,
    saved: 'new',
    saveProblem: null,
    conflict: null,
    unsaved: 0,
    said: ''
  };
  private _round = 0;
  private _answerOf = '';
  private _digits = '';
  private _digitAt = -Infinity;
  private readonly _listeners = new Set<() => void>();
}

function keyOf(item: IMarkingItem): string {
  return `${item.submission_id} ${item.grade_id}`;
}
