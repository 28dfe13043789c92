/** What the tutor's addresses answer; see docs/rest.md. */

export type HintLevel = 'restate' | 'concept' | 'location' | 'step';

/** Who or what wrote the words. */
export type WordsSource = 'authored' | 'rule' | 'model';

/** Whether a language model is set up on the server, and which. */
export interface ITutorStatus {
  available: boolean;
  /** Empty, as `model` and `host`, when there is none. */
  provider: string;
  model: string;
  host: string;
  message: string;
}

/** A hint that was given. */
export interface IHint {
  id: string;
  level: HintLevel;
  number: number;
  source: WordsSource;
  model: string | null;
  text: string;
  at: string;
  /** The share of the exercise's points that this level takes. */
  cost_fraction: number;
  /** A sentence on who wrote it. */
  said_by: string;
  /** Why no language model wrote it, where one could have; empty otherwise. */
  note: string;
}

/** The next step of the ladder. */
export interface INextHint {
  level: HintLevel;
  number: number;
  cost_fraction: number;
}

/** One person's hints for one exercise. `why_not` says why there is no next one now. */
export interface ILadder {
  enabled: boolean;
  taken: IHint[];
  next: INextHint | null;
  why_not: string;
}

/** What a cell's output says of a failure. */
export interface IFailure {
  check?: string;
  error_type?: string;
  message?: string;
  traceback?: string;
}

/** What is to be explained. */
export type Question =
  | {
      kind: 'error';
      assignment?: string;
      code: string;
      error_type: string;
      message: string;
      traceback: string;
    }
  | { kind: 'cell'; assignment?: string; code: string }
  | { kind: 'run'; run_id: string; update?: number; question?: string };

/** An explanation; `facts` are figures that were found by rules, whoever wrote the text. */
export interface IExplanation {
  id: string;
  kind: Question['kind'];
  source: WordsSource;
  model: string | null;
  text: string;
  facts: string[];
  at: string;
  said_by: string;
  note: string;
}

/** A criterion of a rubric as students see it. */
export interface ICheckedCriterion {
  name: string;
  title: string;
  description: string;
  levels: { name: string; points: number; description: string }[];
}

/** What a student thinks of an own answer; `levels` maps criteria to levels. */
export interface ISelfCheck {
  rubric: ICheckedCriterion[];
  levels: Record<string, string>;
  revision: number;
}

/** Called with words as they come; `isAll` when they take the place of everything before. */
export type OnWords = (text: string, isAll: boolean) => void;

/** What the panel asks of the service. */
export interface ITutorClient {
  status(): Promise<ITutorStatus>;
  ladder(course: string, assignment: string, gradeId: string): Promise<ILadder>;
  hint(
    course: string,
    assignment: string,
    gradeId: string,
    answer: string,
    failure: IFailure | null,
    onWords: OnWords
  ): Promise<IHint>;
  explain(course: string, question: Question, onWords: OnWords): Promise<IExplanation>;
  selfCheck(course: string, assignment: string, gradeId: string): Promise<ISelfCheck>;
  saveSelfCheck(
    course: string,
    assignment: string,
    gradeId: string,
    levels: Readonly<Record<string, string>>,
    revision: number
  ): Promise<ISelfCheck>;
}

/** An answer cell of a course notebook, as the panel is about it. */
export interface IAnswerCell {
  course: string;
  assignment: string;
  gradeId: string;
  /** What is judged by people against a rubric has a self-check in the place of hints. */
  isByHand: boolean;
  answer: string;
  failure: IFailure | null;
}
