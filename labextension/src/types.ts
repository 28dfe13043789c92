/** What the REST service answers; see jupyter_ppo/web/openapi.json. Times are ISO 8601 in UTC. */

export type Role = 'student' | 'grader' | 'instructor' | 'admin';

export type SubmissionState = 'queued' | 'grading' | 'graded' | 'failed';

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

/** A released assignment in its newest version. */
export interface IAssignment {
  name: string;
  version: number;
  points: number;
  released_at: string;
  exercises: IExercise[];
}

/** One attempt at an assignment; points are null until it is graded. */
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
}

/** One of several checks in a test cell. */
export interface ICheck {
  name: string;
  points: number;
  max_points: number;
  message: string;
}

/** What one exercise scored; `sealed` is false when its tests ran in the student's own process. */
export interface IExerciseGrade {
  grade_id: string;
  points: number;
  max_points: number;
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
