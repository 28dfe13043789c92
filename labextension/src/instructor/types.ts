/** What the service answers to those who run a course; times are ISO 8601 in UTC. */

import type { IDownload, IMe, IPage, ISubmission, Role } from '../types';

/** A role that can be given; an admin is named in the configuration. */
export type CourseRole = Exclude<Role, 'admin'>;

/** A person of a course. `removed_at` is set for who was unenrolled; their work is kept. */
export interface IMember {
  user: string;
  role: Role;
  first_name: string;
  last_name: string;
  email: string;
  lms_user_id: string;
  groups: string[];
  enrolled_at: string | null;
  removed_at: string | null;
}

/** What is saved of a person. */
export interface IMemberEdit {
  role: Role;
  first_name?: string;
  last_name?: string;
  email?: string;
  lms_user_id?: string;
  groups?: string[];
}

/** Which people of a course. */
export interface IMemberFilter {
  search: string;
  role: CourseRole | '';
  group: string;
  removed: boolean;
  offset: number;
}

export interface IGroup {
  name: string;
  users: string[];
}

/** What is wrong with one line of a list of people, the heading counted as line 1. */
export interface IRosterProblem {
  line: number;
  field: string;
  message: string;
}

/** What a list of people did, or would do. */
export interface IRosterImport {
  added: number;
  changed: number;
  unchanged: number;
  /** The first of `problem_count`. */
  problems: IRosterProblem[];
  problem_count: number;
  applied: boolean;
}

export type TrashKind = 'course' | 'assignment' | 'submission';

/** Something that was deleted and can be restored. */
export interface ITrashed {
  kind: TrashKind;
  id: string;
  name: string;
  deleted_at: string;
  deleted_by: string;
}

/** An assignment in its newest version, with the terms that matter in a list. */
export interface ICourseAssignment {
  name: string;
  version: number;
  points: number;
  released_at: string;
  kind?: 'notebook' | 'entry';
  due_at?: string | null;
  closes_at?: string | null;
  max_attempts?: number;
}

export type LateRule = 'none' | 'zero' | 'per_day' | 'custom';
export type Counting = 'latest' | 'best';
export type GradeRelease = 'at_once' | 'by_hand';

export interface ILateStep {
  after_seconds: number;
  keep_percent: number;
}

/** What being late costs. */
export interface ILatePolicy {
  rule: LateRule;
  percent_per_day: number;
  at_least_percent: number;
  steps: ILateStep[];
}

/** The terms of an assignment; null is no bound, and 0 attempts are any number. */
export interface ITerms {
  opens_at: string | null;
  due_at: string | null;
  closes_at: string | null;
  grace_seconds: number;
  late: ILatePolicy;
  max_attempts: number;
  counting: Counting;
  autograde: boolean;
  grades: GradeRelease;
  /** Which state of the terms this is; who saves names the one they saw. */
  revision: number;
}

/** More time or attempts for one person or one group. */
export interface IExtension {
  id: string;
  user: string | null;
  group: string | null;
  seconds: number;
  attempts: number;
  reason: string;
  created_by: string;
  created_at: string;
  revoked_at: string | null;
}

export interface INewExtension {
  user?: string;
  group?: string;
  seconds: number;
  attempts: number;
  reason: string;
}

/** A version of an assignment and how many submissions were made and graded on it. */
export interface IVersion {
  number: number;
  released_at: string;
  released_by: string;
  note: string;
  points: number;
  submissions: number;
  graded: number;
}

export type NotebookKind = 'source' | 'release';

export type BatchScope = 'all' | 'ungraded' | 'failed' | 'listed';
export type BatchItemState = 'waiting' | 'grading' | 'done' | 'failed' | 'cancelled';

export interface INewBatch {
  scope: BatchScope;
  newest_version: boolean;
  reason: string;
}

/** Submissions that are graded together. `version` is what all were put on, null: each its own. */
export interface IBatch {
  id: string;
  course: string;
  assignment: string;
  created_by: string;
  created_at: string;
  reason: string;
  scope: BatchScope;
  version: number | null;
  cancelled_at: string | null;
  counts: Partial<Record<BatchItemState, number>>;
  total: number;
  is_over: boolean;
}

/** What a submission scored at one moment. */
export interface ISnapshot {
  version: number;
  points: number;
  max_points: number;
  exercises: Record<string, number>;
}

/** One submission of a batch; `before` is null when it had no grade, `after` until it has one. */
export interface IBatchItem {
  submission_id: string;
  user: string;
  attempt: number;
  state: BatchItemState;
  before: ISnapshot | null;
  after: ISnapshot | null;
  error: string | null;
  position: number | null;
}

/** How much of a course waits for the grader. */
export interface IQueue {
  waiting: number;
  grading: number;
}

/** What the instructor area asks of the course service. */
export interface IInstructorClient {
  me(): Promise<IMe>;
  submission(id: string): Promise<ISubmission>;
  /** The feedback page of a graded submission, as HTML. */
  feedback(id: string): Promise<string>;

  members(course: string, filter: IMemberFilter): Promise<IPage<IMember>>;
  saveMember(course: string, user: string, member: IMemberEdit): Promise<void>;
  unenrol(course: string, user: string): Promise<void>;
  /** Read a list of people; with `dryRun` only say what it would do. */
  importMembers(course: string, file: Blob | string, dryRun: boolean): Promise<IRosterImport>;
  groups(course: string): Promise<IGroup[]>;
  saveGroup(course: string, group: string, users: string[]): Promise<void>;
  deleteGroup(course: string, group: string): Promise<void>;
  trash(course: string): Promise<ITrashed[]>;
  restore(course: string, id: string): Promise<void>;

  assignments(course: string): Promise<ICourseAssignment[]>;
  /** Put an assignment into the trash; answers what it is there. */
  deleteAssignment(course: string, assignment: string): Promise<ITrashed>;
  terms(course: string, assignment: string): Promise<ITerms>;
  saveTerms(course: string, assignment: string, terms: ITerms): Promise<ITerms>;
  /** Every extension, also those that were revoked. */
  extensions(course: string, assignment: string): Promise<IExtension[]>;
  grant(course: string, assignment: string, extension: INewExtension): Promise<void>;
  revoke(course: string, assignment: string, extension: string): Promise<void>;
  versions(course: string, assignment: string): Promise<IVersion[]>;
  versionNotebook(
    course: string,
    assignment: string,
    number: number,
    kind: NotebookKind
  ): Promise<IDownload>;
  /** Publish an earlier version again as the newest. */
  publishAgain(course: string, assignment: string, number: number, note: string): Promise<void>;
  /** Show grades to the students, or hide them again; how many submissions that changed. */
  releaseGrades(course: string, assignment: string): Promise<number>;
  withdrawGrades(course: string, assignment: string): Promise<number>;

  startBatch(course: string, assignment: string, batch: INewBatch): Promise<IBatch>;
  batches(course: string): Promise<IPage<IBatch>>;
  batchItems(batch: string, changed: boolean): Promise<IBatchItem[]>;
  cancelBatch(batch: string): Promise<void>;
  queue(course: string): Promise<IQueue>;
}
