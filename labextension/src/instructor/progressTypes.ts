/** What the service answers about the progress of a class; times are ISO 8601 in UTC. */

import type { IAchievements, IProgress, WorkState } from '../home/types';
import type { IPage } from '../types';

/** Where a student stands in one chapter; `points` is null until a grade is released. */
export interface IChapterState {
  assignment: string;
  state: WorkState;
  points: number | null;
  max_points: number;
}

/** One student of the class. */
export interface IProgressRow {
  user: string;
  first_name: string;
  last_name: string;
  points: number;
  max_points: number;
  chapters_done: number;
  /** Time on task. */
  minutes: number;
  last_event_at: string | null;
  chapters: IChapterState[];
}

/** The order of the students; of the last three, who has least comes first. */
export type ProgressSort = 'name' | 'user' | 'points' | 'minutes' | 'last_event_at';

/** Which part of the class is asked for, and in which order. */
export interface IProgressQuery {
  search: string;
  sort: ProgressSort;
  offset: number;
  limit: number;
}

/** What recomputing from the log did: `changed` students had another state before. */
export interface IRecomputed {
  students: number;
  events: number;
  changed: number;
}

/** One rule of an achievement; the service numbers its versions. */
export interface IAchievementRule {
  id: string;
  version: number;
  title: string;
  description: string;
  criteria: { kind: string; data: Record<string, unknown> }[];
}

/** All rules since `created_at`; number 0 came with the package. */
export interface IRuleEdition {
  number: number;
  created_at: string | null;
  created_by: string;
  rules: IAchievementRule[];
}

/** What a new edition of rules did. */
export interface ISavedRules {
  number: number;
  awarded: number;
  revoked: number;
}

/** What the tab "Progress" asks of the course service. */
export interface IProgressClient {
  students(course: string, query: IProgressQuery): Promise<IPage<IProgressRow>>;
  student(course: string, user: string): Promise<IProgress>;
  achievements(course: string, user: string): Promise<IAchievements>;
  recompute(course: string): Promise<IRecomputed>;
  rules(course: string): Promise<IRuleEdition>;
  /** Make a new edition of these rules, which the service checks. */
  /** Put rules in force that were made from edition `number`; refused when another one is. */
  saveRules(course: string, rules: unknown, number: number): Promise<ISavedRules>;
}
