/** What the REST service answers; see jupyter_ppo/web/openapi.json. Times are ISO 8601 in UTC. */

export type Role = 'student' | 'grader' | 'instructor' | 'admin';

export type SubmissionState = 'submitted' | 'queued' | 'grading' | 'graded' | 'failed';

/** What a student is told of an attempt: `graded` is not shown yet, `released` is. */
export type AttemptState = SubmissionState | 'released';

/** A notebook that is graded by its cells, or work that people judge by a rubric. */
export type AssignmentKind = 'notebook' | 'entry';

/** One course, as the signed-in person sees it. */
export interface ICourse {
  name: string;
  title: string;
  role: Role;
}

/** Whether submitted code can run here, and if not, what to do about it. */
export interface ISandbox {
  available: boolean;
  engine: string | null;
  image: string | null;
  problem: string | null;
  remedy: string | null;
  /** Which processes grade; a service of an earlier version does not say. */
  grading?: 'here' | 'elsewhere';
}

/** The signed-in person. */
export interface IMe {
  user: string;
  admin: boolean;
  courses: ICourse[];
  sandbox: ISandbox;
}

/** A graded cell of an assignment. */
export interface IExercise {
  grade_id: string;
  kind: string;
  points: number;
}

/**
 * A released assignment in its newest version, and until when the signed-in person may hand it in.
 *
 * `max_attempts` 0 is any number, and then `attempts_left` is null.
 */
export interface IAssignment {
  name: string;
  kind: AssignmentKind;
  version: number;
  points: number;
  released_at: string;
  exercises: IExercise[];
  due_at: string | null;
  closes_at: string | null;
  max_attempts: number;
  attempts_left: number | null;
}

/**
 * One attempt at an assignment; a student's points are null until they are released.
 *
 * `points` are after the `penalty` for lateness. `counts`: it is the attempt that counts.
 * `queue_position` is 1 for the next one.
 */
export interface ISubmission {
  id: string;
  course: string;
  assignment: string;
  version: number;
  user: string;
  attempt: number;
  digest: string;
  state: SubmissionState;
  submitted_at: string;
  warnings: string[];
  error: string | null;
  points: number | null;
  max_points: number | null;
  /** Those of the points that tests in the student's own process gave. */
  unsealed_points: number;
  needs_review: boolean;
  kind: AssignmentKind;
  attempt_state: AttemptState;
  late_seconds: number;
  penalty: number;
  counts: boolean;
  released_at: string | null;
  queue_position?: number | null;
}

/** One of several checks in a test cell. */
export interface ICheck {
  name: string;
  points: number;
  max_points: number;
  message: string;
}

/** What a person says of an exercise; `points`, if any, stand in the place of the tests'. */
export interface IHandMark {
  points: number | null;
  extra_credit: number;
  comment: string;
  /** Whether a program drafted its words, and a person approved them. */
  drafted?: boolean;
}

/**
 * What one exercise scored: `points` by its tests, `score` what counts.
 *
 * `sealed` is false when its tests ran in the student's own process. While it `waits` for a person
 * both are zero.
 */
export interface IExerciseGrade {
  grade_id: string;
  points: number;
  max_points: number;
  score: number;
  extra_credit: number;
  comment: string;
  waits: boolean;
  mark: IHandMark | null;
  needs_review: boolean;
  reason: string;
  sealed: boolean;
  checks: ICheck[];
}

/** What an attempt scored, exercise by exercise. */
export interface IGrade {
  submission_id: string;
  points: number;
  max_points: number;
  exercises: IExerciseGrade[];
}

/** Someone's best policy in one environment of one assignment. */
export interface ILeaderboardEntry {
  rank: number;
  pseudonym: string;
  /** Whether it is the signed-in person's. */
  own: boolean;
  assignment: string;
  env_id: string;
  mean: number;
  low: number;
  high: number;
  episodes: number;
}

/** The leaderboard of a course; `pseudonym` is the signed-in person's, null when not on it. */
export interface ILeaderboard {
  items: ILeaderboardEntry[];
  pseudonym: string | null;
}

/** A slice of a list, and how long the whole list is. */
export interface IPage<T> {
  items: T[];
  total: number;
  offset: number;
  limit: number;
}

/** A notebook as the server sends it: its file name and its bytes as text. */
export interface IDownload {
  name: string;
  text: string;
}
