/** A tutor in memory, for tests of its panel. */

import type {
  IAnswerCell,
  IExplanation,
  IFailure,
  IHint,
  ILadder,
  ISelfCheck,
  ITutorClient,
  ITutorStatus,
  OnWords,
  Question
} from '../tutor/types';
import { RequestError } from '../connection';

export const NO_MODEL: ITutorStatus = {
  available: false,
  provider: '',
  model: '',
  host: '',
  message: 'No language model is set up.'
};

export const MODEL: ITutorStatus = {
  available: true,
  provider: 'openai',
  model: 'small-1',
  host: 'models.example.org',
  message: ''
};

export function hint(changed: Partial<IHint> = {}): IHint {
  return {
    id: 'h1',
    level: 'restate',
    number: 1,
    source: 'rule',
    model: null,
    text: 'The check asks for an array of shape (T,).',
    at: '2026-11-22T12:00:00+00:00',
    cost_fraction: 0,
    said_by: 'Made by rules. No language model is involved.',
    note: '',
    ...changed
  };
}

export function answerCell(changed: Partial<IAnswerCell> = {}): IAnswerCell {
  return {
    course: 'ppo',
    assignment: '05-gae',
    gradeId: 'compute_gae',
    isByHand: false,
    answer: 'def compute_gae(): pass',
    failure: null,
    ...changed
  };
}

const SELF_CHECK: ISelfCheck = {
  rubric: [
    {
      name: 'reason',
      title: 'The reason',
      description: 'What a small lambda does.',
      levels: [
        { name: 'missing', points: 0, description: 'Says nothing of it' },
        { name: 'there', points: 2, description: 'Names variance' }
      ]
    }
  ],
  levels: {},
  revision: 0
};

/** Keeps what it was asked; words come in two pieces. */
export class MemoryTutor implements ITutorClient {
  answered = MODEL;
  ladders: ILadder = {
    enabled: true,
    taken: [],
    next: { level: 'restate', number: 1, cost_fraction: 0 },
    why_not: ''
  };
  selfChecks = SELF_CHECK;
  /** What the next request fails with. */
  failure: RequestError | null = null;
  readonly asked: unknown[] = [];
  explanation: IExplanation = {
    id: 'e1',
    kind: 'error',
    source: 'rule',
    model: null,
    text: 'A name is used that does not exist.\n\nLook at line 2.',
    facts: [],
    at: '2026-11-22T12:00:00+00:00',
    said_by: 'Made by rules. No language model is involved.',
    note: ''
  };
  replaced: string | null = null;
  /** Why no model wrote the next hint: said with it, and not in the ladder. */
  note = '';
  /** The hint of an attempt that had one already. */
  again: IHint | null = null;

  async status(): Promise<ITutorStatus> {
    return this.answered;
  }

  async ladder(): Promise<ILadder> {
    this._fail();
    return this.ladders;
  }

  async hint(
    course: string,
    assignment: string,
    gradeId: string,
    answer: string,
    failure: IFailure | null,
    onWords: OnWords
  ): Promise<IHint> {
    this.asked.push({ course, assignment, gradeId, answer, failure });
    this._fail();
    const { next } = this.ladders;
    const given = this.again ?? hint({ id: `h${this.asked.length}`, ...next });
    onWords(given.text.slice(0, 10), false);
    onWords(given.text.slice(10), false);
    if (this.replaced !== null) {
      onWords(this.replaced, true);
    }
    if (this.again !== null) {
      return given;
    }
    this.ladders = {
      ...this.ladders,
      taken: [...this.ladders.taken, given],
      next: null,
      why_not: 'Change your answer first, then ask for the next hint.'
    };
    return { ...given, note: this.note };
  }

  async explain(course: string, question: Question, onWords: OnWords): Promise<IExplanation> {
    this.asked.push({ course, question });
    this._fail();
    onWords(this.explanation.text, false);
    return { ...this.explanation, kind: question.kind };
  }

  async selfCheck(): Promise<ISelfCheck> {
    this._fail();
    return this.selfChecks;
  }

  async saveSelfCheck(
    course: string,
    assignment: string,
    gradeId: string,
    levels: Readonly<Record<string, string>>,
    revision: number
  ): Promise<ISelfCheck> {
    this.asked.push({ course, assignment, gradeId, levels, revision });
    this._fail();
    this.selfChecks = { ...this.selfChecks, levels: { ...levels }, revision: revision + 1 };
    return this.selfChecks;
  }

  private _fail(): void {
    const { failure } = this;
    this.failure = null;
    if (failure !== null) {
      throw failure;
    }
  }
}
