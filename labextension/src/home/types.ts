/** What the service answers about one student's progress; times are ISO 8601 in UTC. */

import type { IFile } from '../instructor/gradingTypes';
import type { IRun } from '../runs/types';
import type { IAssignment, IDownload, ILeaderboard, IMe, ISubmission } from '../types';

export type WorkState = 'not_started' | 'started' | 'handed_in' | 'partly' | 'done';

export type ReasonKind = 'due_soon' | 'missing_points' | 'continue' | 'next_chapter';

/** One exercise of a chapter; `points` is null until a grade is released. */
export interface IExerciseProgress {
  grade_id: string;
  title: string;
  state: WorkState;
  points: number | null;
  max_points: number;
  checks_passed: number;
  checks: number;
  goals: string[];
  concepts: string[];
}

/**
 * One chapter. Its times are this person's; `minutes` is the time on task, `expected_minutes` what
 * its author expects, 0 if that is not said; `submission_id` is the attempt whose grade counts.
 */
export interface IChapterProgress {
  assignment: string;
  title: string;
  number: number | null;
  state: WorkState;
  points: number | null;
  max_points: number;
  minutes: number;
  expected_minutes: number;
  opens_at: string | null;
  due_at: string | null;
  closes_at: string | null;
  submitted_at: string | null;
  attempts: number;
  submission_id: string | null;
  exercises: IExerciseProgress[];
}

/** A detail of PPO or a goal: shown by `shown` of the `exercises` that practise it. */
export interface IConceptProgress {
  key: string;
  title: string;
  shown: number;
  exercises: number;
}

/** What to do next, and why; `grade_id` is null for a whole chapter. */
export interface IRecommendation {
  assignment: string;
  grade_id: string | null;
  kind: ReasonKind;
  reason: string;
}

/** Where one student stands in one course. */
export interface IProgress {
  user: string;
  points: number;
  max_points: number;
  minutes: number;
  minutes_by_day: Record<string, number>;
  weeks: { current: number; longest: number; total: number };
  next: IRecommendation | null;
  last_event_at: string | null;
  position: number;
  chapters: IChapterProgress[];
  concepts: IConceptProgress[];
  goals: IConceptProgress[];
}

/** One achievement, and how much of what it needs is met. */
export interface IAchievement {
  id: string;
  title: string;
  description: string;
  version: number;
  awarded_at: string | null;
  award_id: string | null;
  revoked_at: string | null;
  revoked_because: string;
  /** `unit` says of what: checks, chapters, weeks, criteria, ... */
  progress: { met: number; of: number; unit: string };
}

export interface IAchievements {
  edition: number;
  items: IAchievement[];
}

/** What is kept of people, for how long and why. */
export interface IPrivacy {
  activity_days: number;
  execute_history_days: number;
  kept: { what: string; how_long: string; why: string; who: string }[];
}

/** What "My course" asks of the course service. */
export interface IHomeClient {
  me(): Promise<IMe>;
  progress(course: string): Promise<IProgress>;
  achievements(course: string): Promise<IAchievements>;
  /** The signed record of an achievement that the caller has. */
  credential(award: string): Promise<IFile>;
  /** The caller's newest runs, at most `limit`. */
  latestRuns(user: string, limit: number): Promise<IRun[]>;
  /** Every attempt of one person in one course, newest first. */
  submissions(course: string, user: string): Promise<ISubmission[]>;
  leaderboard(course: string): Promise<ILeaderboard>;
  privacy(): Promise<IPrivacy>;
  /** Everything that is stored about the caller, as a ZIP. */
  myData(): Promise<IFile>;
  assignments(course: string): Promise<IAssignment[]>;
  notebook(course: string, assignment: string): Promise<IDownload>;
}

/** What "My course" does in JupyterLab; what is refused or fails rejects with the reason. */
export interface IHomeLab {
  /**
   * Open the person's notebook of a chapter at an exercise, or get it first if there is none.
   *
   * Returns a sentence that says what was opened.
   */
  openChapter(course: string, chapter: IChapterProgress, gradeId: string | null): Promise<string>;
  /** Show the feedback page of an attempt. */
  openFeedback(submission: ISubmission): Promise<void>;
  /** Show the training runs, or one by itself. */
  openRuns(run?: string): void;
  /** Show the sidebar with assignments and leaderboard. */
  openPanel(): void;
  /** Show the preferences; null where JupyterLab has none. */
  readonly openPreferences: (() => void) | null;
  /** Hand a file to the browser. */
  save(file: IFile): void;
}
