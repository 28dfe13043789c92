/** What the service answers students beside their submissions; times are ISO 8601 in UTC. */

import type { IDefinition, IEntry, IResult, IRunEvidence } from '../instructor/gradingTypes';
import type { ITerms } from '../instructor/types';
import type { ICheck, ISubmission } from '../types';

/** The terms as they are for the signed-in person, with their extensions. */
export interface IOwnTerms {
  due_at: string | null;
  closes_at: string | null;
  max_attempts: number;
  attempts_used: number;
  attempts_left: number | null;
  /** Whether the service would take another attempt from a student when it was asked. */
  is_open: boolean;
}

/** The terms of an assignment, and what they are for the signed-in person. */
export interface IStudentTerms extends ITerms {
  own: IOwnTerms;
}

export type TrialState = 'queued' | 'running' | 'done' | 'failed';

/** What the tests of one exercise that students can read said; null where none was run. */
export interface ITriedExercise {
  grade_id: string;
  points: number;
  max_points: number;
  passed: boolean | null;
  reason: string;
  checks: ICheck[];
}

/** What a validation said: `passed` of `total` exercises with tests that students can read. */
export interface IValidation {
  passed: number;
  total: number;
  exercises: ITriedExercise[];
  warnings: string[];
  note: string;
}

/** A notebook that is tried and not handed in. */
export interface IValidationTrial {
  id: string;
  state: TrialState;
  error: string | null;
  result: IValidation | null;
}

/** What a student sees of the outcome of their entry, once it is released. */
export interface IOutcome {
  submission_id: string;
  results: IResult[];
  summary: string;
  summary_html: string;
  points: number;
  max_points: number;
  author_kind: 'person' | 'program' | null;
}

/** A released outcome, and the version of the rubric that it was judged by. */
export interface IJudged {
  outcome: IOutcome;
  definition: IDefinition;
}

/** A file of an entry as it is sent. */
export interface ISentFile {
  name: string;
  content_base64: string;
}

/** What is sent of an entry: only the parts that it asks for. */
export interface INewEntry {
  title?: string;
  text?: string;
  code?: string;
  files?: ISentFile[];
  run?: IRunEvidence;
}

/** What the panel asks of the course service for students. */
export interface IStudentClient {
  terms(course: string, assignment: string): Promise<IStudentTerms>;
  /**
   * Hand in a notebook, sent byte for byte; or a zip archive, which is given in base64.
   *
   * The same bytes with the same key are one attempt, however often they are sent.
   */
  submit(course: string, assignment: string, text: string, key: string): Promise<ISubmission>;
  submitArchive(
    course: string,
    assignment: string,
    base64: string,
    key: string
  ): Promise<ISubmission>;
  /** Have a notebook tried by the tests that students can read. */
  validate(course: string, assignment: string, text: string): Promise<IValidationTrial>;
  trial(id: string): Promise<IValidationTrial>;
  entry(course: string, assignment: string): Promise<IEntry>;
  /** Hand in an entry: the JSON of an `INewEntry`. */
  submitEntry(course: string, assignment: string, body: string, key: string): Promise<ISubmission>;
  /** The released outcome of an entry. */
  judged(submission: string): Promise<IJudged>;
}
