/** What the tutor's panel knows and does, without any drawing. */

import { messageOf } from '../instructor/resource';
import type {
  IAnswerCell,
  IExplanation,
  ILadder,
  ISelfCheck,
  ITutorClient,
  ITutorStatus,
  Question
} from './types';

/** Words that are still coming, or have come; `done` holds what the service kept of them. */
export interface IExplaining {
  readonly question: Question;
  readonly words: string;
  readonly done: IExplanation | null;
  readonly problem: string | null;
}

/** Everything that is drawn. A new object for every change. */
export interface ITutorState {
  readonly status: ITutorStatus | null;
  /** The answer that the panel is about. */
  readonly answer: IAnswerCell | null;
  readonly ladder: ILadder | null;
  readonly selfCheck: ISelfCheck | null;
  /** The words of a hint that is being written. */
  readonly words: string | null;
  readonly isAsking: boolean;
  readonly problem: string | null;
  /** Said once something was done, for those who do not see it. */
  readonly said: string;
  readonly explaining: IExplaining | null;
}

const EMPTY: ITutorState = {
  status: null,
  answer: null,
  ladder: null,
  selfCheck: null,
  words: null,
  isAsking: false,
  problem: null,
  said: '',
  explaining: null
};

/** Said when the same attempt asks twice. */
const AGAIN =
  'You have the hint for this attempt already. Change your answer, try it, then ask again.';

/** The state of the panel; no action ever rejects. */
export class TutorModel {
  constructor(private readonly _client: ITutorClient) {}

  /** The state now; for React.useSyncExternalStore. */
  readonly snapshot = (): ITutorState => this._state;

  /** Call `listener` after every change; returns how to stop that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Learn whether a language model is set up; once is enough until the page is loaded anew. */
  async begin(): Promise<void> {
    if (this._state.status === null) {
      await this._try(async () => this._set({ status: await this._client.status() }));
    }
  }

  /** Be about another answer, and show what was hinted of it so far. */
  async show(answer: IAnswerCell): Promise<void> {
    const asked = ++this._asked;
    this._explained += 1;
    const before = this._state.answer;
    const isSame = before !== null && isSameAnswer(before, answer);
    this._set({
      answer,
      problem: null,
      said: '',
      // What was explained before would stand in front of the help that is asked for now.
      explaining: null,
      ...(isSame ? {} : { ladder: null, selfCheck: null, words: null, isAsking: false })
    });
    await this.begin();
    await this._try(async () => {
      const { course, assignment, gradeId, isByHand } = answer;
      if (isByHand) {
        const selfCheck = await this._client.selfCheck(course, assignment, gradeId);
        this._setFor(asked, { selfCheck });
      } else {
        const ladder = await this._client.ladder(course, assignment, gradeId);
        this._setFor(asked, { ladder: this._noted(ladder) });
      }
    }, asked);
  }

  /** Ask for the next hint; its words are shown as they come. */
  async ask(): Promise<void> {
    const { answer, isAsking } = this._state;
    if (answer === null || answer.isByHand || isAsking) {
      return;
    }
    const asked = ++this._asked;
    this._set({ isAsking: true, problem: null, words: '', said: '' });
    const { course, assignment, gradeId } = answer;
    await this._try(async () => {
      const hint = await this._client.hint(
        course,
        assignment,
        gradeId,
        answer.answer,
        answer.failure,
        (text, isAll) => {
          const words = isAll ? text : (this._state.words ?? '') + text;
          this._setFor(asked, { words });
        }
      );
      const known = this._state.ladder?.taken ?? [];
      const isAgain = known.some(({ id }) => id === hint.id);
      const said = isAgain ? AGAIN : `Hint ${hint.number} is there.`;
      if (hint.note !== '') {
        this._notes.set(hint.id, hint.note);
      }
      const ladder = await this._client.ladder(course, assignment, gradeId);
      this._setFor(asked, { ladder: this._noted(ladder), said });
    }, asked);
    this._setFor(asked, { isAsking: false, words: null });
  }

  /** Have something explained. */
  async explain(course: string, question: Question): Promise<void> {
    const asked = ++this._explained;
    const begun: IExplaining = { question, words: '', done: null, problem: null };
    this._set({ explaining: begun });
    const change = (changed: Partial<IExplaining>): void => {
      const { explaining } = this._state;
      if (asked === this._explained && explaining !== null) {
        this._set({ explaining: { ...explaining, ...changed } });
      }
    };
    await this.begin();
    try {
      const done = await this._client.explain(course, question, (text, isAll) => {
        change({ words: isAll ? text : (this._state.explaining?.words ?? '') + text });
      });
      change({ done, words: done.text });
    } catch (error) {
      change({ problem: messageOf(error) });
    }
  }

  /** Keep what the person thinks of their answer. */
  async check(levels: Readonly<Record<string, string>>): Promise<void> {
    const { answer, selfCheck } = this._state;
    if (answer === null || selfCheck === null || this._state.isAsking) {
      return;
    }
    const asked = ++this._asked;
    const { course, assignment, gradeId } = answer;
    // Shown at once; what could not be kept stays on the screen, with the reason.
    this._set({ isAsking: true, problem: null, said: '', selfCheck: { ...selfCheck, levels } });
    await this._try(async () => {
      const { revision } = selfCheck;
      const kept = await this._client.saveSelfCheck(course, assignment, gradeId, levels, revision);
      this._setFor(asked, { selfCheck: kept, said: 'Kept.' });
    }, asked);
    this._setFor(asked, { isAsking: false });
  }

  /** Forget the explanation that is shown. */
  closeExplanation(): void {
    this._explained += 1;
    this._set({ explaining: null });
  }

  /** Say why nothing can be shown. */
  refuse(problem: string): void {
    this._asked += 1;
    this._set({ problem, said: '', isAsking: false, words: null });
  }

  dispose(): void {
    this._asked += 1;
    this._explained += 1;
    this._listeners.clear();
  }

  /** The ladder with why no model wrote a hint: the service says that once, with the hint. */
  private _noted(ladder: ILadder): ILadder {
    const taken = ladder.taken.map(hint => ({
      ...hint,
      note: hint.note || (this._notes.get(hint.id) ?? '')
    }));
    return { ...ladder, taken };
  }

  private async _try(act: () => Promise<void>, asked = this._asked): Promise<void> {
    try {
      await act();
    } catch (error) {
      this._setFor(asked, { problem: messageOf(error) });
    }
  }

  /** Change the state unless something else was asked meanwhile. */
  private _setFor(asked: number, change: Partial<ITutorState>): void {
    if (asked === this._asked) {
      this._set(change);
    }
  }

  private _set(change: Partial<ITutorState>): void {
    this._state = { ...this._state, ...change };
    this._listeners.forEach(listener => listener());
  }

  private readonly _listeners = new Set<() => void>();
  private readonly _notes = new Map<string, string>();
  private _state: ITutorState = EMPTY;
  private _asked = 0;
  private _explained = 0;
}

function isSameAnswer(one: IAnswerCell, other: IAnswerCell): boolean {
  return (
    one.course === other.course &&
    one.assignment === other.assignment &&
    one.gradeId === other.gradeId
  );
}
