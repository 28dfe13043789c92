/** What the service answers to those who grade; times are ISO 8601 in UTC. */

import type { IPage, ISubmission, Role } from '../types';

export type CellState =
  'not_submitted' | 'submitted' | 'queued' | 'grading' | 'graded' | 'released' | 'failed';

/** Which rows of the gradebook: those with a cell that is so. */
export type RowFilter = CellState | 'late' | 'needs_review';

/** An assignment, or an exercise of one. */
export interface IColumn {
  name: string;
  kind: string;
  max_points: number;
  due_at: string | null;
}

/** What one student has in one column; `points` have extra credit in them and the penalty off. */
export interface ICell {
  submission_id: string | null;
  state: CellState;
  points: number | null;
  max_points: number | null;
  penalty: number;
  extra_credit: number;
  late_seconds: number;
  attempts: number;
  needs_review: boolean;
  unsealed_points: number;
  released: boolean;
}

export interface IRow {
  user: string;
  first_name: string;
  last_name: string;
  groups: string[];
  total: number;
  max_total: number;
  cells: Record<string, ICell>;
}

export interface IGradebook extends IPage<IRow> {
  columns: IColumn[];
}

export type Order = 'asc' | 'desc';

/** Which part of the gradebook; an empty text is no restriction. */
export interface IGradebookQuery {
  assignment: string;
  search: string;
  group: string;
  state: RowFilter | '';
  sort: string;
  order: Order;
  offset: number;
  limit: number;
}

/** How much of nbgrader's gradebook came in. */
export interface INbgraderImport {
  students: number;
  assignments: number;
  submissions: number;
  grades: number;
  warnings: string[];
}

/** A file as the service sends it. */
export interface IFile {
  name: string;
  data: Blob;
}

/** One attempt, with what lateness took off it and whether it counts. */
export interface IAttempt extends ISubmission {
  kind: 'notebook' | 'entry';
  attempt_state: 'submitted' | 'queued' | 'grading' | 'graded' | 'released' | 'failed';
  late_seconds: number;
  penalty: number;
  counts: boolean;
  released_at: string | null;
}

/** What a person says of an exercise; `points`, if any, stand in the place of the tests'. */
export interface IMark {
  points: number | null;
  extra_credit: number;
  comment: string;
  revision: number;
  marked_by: string | null;
  marked_at: string | null;
}

/** What is sent: `revision` is the mark that was seen, 0 for none. */
export interface INewMark {
  points: number | null;
  extra_credit: number;
  comment: string;
  reason: string;
  revision: number;
}

/** What one exercise scored: `points` by its tests, `score` what counts. */
export interface IScoredExercise {
  grade_id: string;
  points: number;
  max_points: number;
  score: number;
  extra_credit: number;
  comment: string;
  needs_review: boolean;
  waits: boolean;
  auto_changed: boolean;
  sealed: boolean;
  mark: IMark | null;
}

export interface IFullGrade {
  points: number;
  max_points: number;
  extra_credit: number;
  exercises: IScoredExercise[];
}

export type GradeChangeKind =
  'autograded' | 'marked' | 'outcome' | 'lateness' | 'released' | 'withdrawn' | 'imported';

/** One line of a submission's history; `by` is null for the server. */
export interface IGradeChange {
  id: string;
  at: string;
  kind: GradeChangeKind;
  grade_id: string | null;
  by: string | null;
  reason: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

/** One exercise that people have to look at, and how far they are. */
export interface IMarkingTotal {
  assignment: string;
  grade_id: string;
  kind: string;
  max_points: number;
  waiting: number;
  marked: number;
  total: number;
}

export type MarkingState = 'waiting' | 'marked' | 'all';

/** One student's exercise; `who` is a pseudonym unless names were asked for. */
export interface IMarkingItem {
  submission_id: string;
  grade_id: string;
  who: string;
  auto_points: number;
  max_points: number;
  score: number;
  mark: IMark | null;
  waits: boolean;
  auto_changed: boolean;
}

/** What there is to read of one exercise. */
export interface IAnswer {
  grade_id: string;
  kind: string;
  prompt_html: string;
  answer_html: string;
  answer_text: string;
  scheme: string;
}

export type EntryPart = 'text' | 'code' | 'files' | 'run';

export interface ILevel {
  name: string;
  points: number;
  description: string;
}

/** One thing that is judged; `note` is for the staff. */
export interface ICriterion {
  name: string;
  title: string;
  description: string;
  note: string;
  levels: ILevel[];
}

/** A criterion as the service answers it. */
export interface IRubricCriterion extends ICriterion {
  max_points: number;
}

/** What an author sends. */
export interface INewDefinition {
  title: string;
  instructions: string;
  parts: EntryPart[];
  rubric: ICriterion[];
}

export interface IDefinition extends INewDefinition {
  instructions_html: string;
  max_points: number;
  rubric: IRubricCriterion[];
}

export interface IEntry {
  name: string;
  version: number;
  note: string;
  released_at: string;
  definition: IDefinition;
}

/** One evaluation while a run trained. */
export interface IEvaluationEvidence {
  step: number;
  seed: number;
  deterministic: boolean;
  episodes: number;
  mean: number | null;
  min: number | null;
  max: number | null;
}

/** A training run as evidence: plain data, as the student's machine says it. */
export interface IRunEvidence {
  spec?: Record<string, unknown>;
  state?: string | null;
  step?: number | null;
  seconds?: number | null;
  metrics?: Record<string, Record<string, number | null>>;
  training_returns?: (number | null)[];
  evaluations?: IEvaluationEvidence[];
  evaluation_returns?: (number | null)[];
}

export interface IEntryFile {
  name: string;
  size: number;
  digest: string;
}

/** What a student handed in, and the version of the rubric that it is judged by. */
export interface IEntryContent {
  submission_id: string;
  assignment: string;
  attempt: number;
  version: number;
  submitted_at: string;
  title: string;
  text: string;
  text_html: string;
  code: string;
  code_html: string;
  files: IEntryFile[];
  run: IRunEvidence | null;
  definition: IDefinition;
}

export interface IResult {
  criterion: string;
  level: string;
  points: number;
  comment: string;
}

export interface INewResult {
  criterion: string;
  level: string;
  points: number | null;
  comment: string;
}

export interface INewOutcome {
  results: INewResult[];
  summary: string;
  private_note: string;
  revision: number;
}

export type OutcomeState = 'draft' | 'approved' | 'released';
export type OutcomeChange = 'approve' | 'release' | 'withdraw' | 'reopen';

/** The outcome of a submission; `revision` 0 while nothing is written. */
export interface IOutcomeOf {
  submission_id: string;
  revision: number;
  state: OutcomeState;
  results: IResult[];
  summary: string;
  private_note: string | null;
  points: number;
  max_points: number;
  author_kind: 'person' | 'program' | null;
  author: string | null;
  changed_by: string | null;
  approved_by: string | null;
  at: string | null;
}

/** An assignment as far as these pages need it. */
export interface IAssignmentName {
  name: string;
  kind: 'notebook' | 'entry';
}

/** What the pages for graders ask of the course service. */
export interface IGradingClient {
  /** The signed-in person's role in the course. */
  role(course: string): Promise<Role>;
  assignments(course: string): Promise<IAssignmentName[]>;
  groupNames(course: string): Promise<string[]>;

  gradebook(course: string, query: IGradebookQuery): Promise<IGradebook>;
  gradebookCsv(course: string, query: IGradebookQuery): Promise<IFile>;
  /** Every row, as JSON. */
  gradebookJson(course: string, query: IGradebookQuery): Promise<IFile>;
  nbgraderExport(course: string): Promise<IFile>;
  nbgraderImport(course: string, file: Blob): Promise<INbgraderImport>;
  attempts(course: string, assignment: string, user: string): Promise<IAttempt[]>;
  grade(submission: string): Promise<IFullGrade>;
  history(submission: string): Promise<IGradeChange[]>;
  regrade(submission: string): Promise<void>;
  /** Show one grade to its student, or hide it again. */
  setReleased(
    course: string,
    assignment: string,
    submission: string,
    released: boolean
  ): Promise<void>;

  markingTotals(course: string): Promise<IMarkingTotal[]>;
  markingItems(
    course: string,
    assignment: string,
    gradeId: string,
    state: MarkingState,
    named: boolean
  ): Promise<IMarkingItem[]>;
  answer(submission: string, gradeId: string): Promise<IAnswer>;
  mark(submission: string, gradeId: string, mark: INewMark): Promise<IScoredExercise>;

  entry(course: string, name: string): Promise<IEntry>;
  define(course: string, name: string, definition: INewDefinition, note: string): Promise<IEntry>;
  /** Each student's attempt that counts. */
  entrySubmissions(course: string, name: string, offset: number): Promise<IPage<IAttempt>>;
  entryContent(submission: string): Promise<IEntryContent>;
  entryFile(submission: string, name: string): Promise<IFile>;
  outcome(submission: string): Promise<IOutcomeOf>;
  saveOutcome(submission: string, outcome: INewOutcome): Promise<IOutcomeOf>;
  changeOutcome(submission: string, change: OutcomeChange, revision: number): Promise<IOutcomeOf>;
  revisions(submission: string): Promise<IOutcomeOf[]>;
  /** Release every approved outcome; how many that were. */
  releaseApproved(course: string, name: string): Promise<number>;
}
