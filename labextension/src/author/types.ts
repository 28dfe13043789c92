/** What the service answers authors; see jupyter_ppo/web/openapi.json. */

import type { IDownload, IMe } from '../types';

export type Severity = 'error' | 'warning' | 'info';

export type TrialState = 'queued' | 'running' | 'done' | 'failed';

/** Something to look at in a notebook; `cell` counts from 0. */
export interface IAuthorProblem {
  severity: Severity;
  message: string;
  grade_id: string | null;
  cell: number | null;
}

/** What one run of a check scored. */
export interface IScored {
  points: number;
  max_points: number;
}

/** Whether a notebook is ready for its release. */
export interface ISourceCheck {
  is_ready: boolean;
  problems: IAuthorProblem[];
  solution: IScored | null;
  skeleton: IScored | null;
}

/** A run without a grade. */
export interface ICheckTrial {
  id: string;
  state: TrialState;
  error: string | null;
  result: ISourceCheck | null;
}

/** What a release said of one test cell. */
export interface ITestCell {
  grade_id: string;
  state: string;
  reason: string;
  findings: { line: number; kind: string; text: string }[];
}

/** A released version. */
export interface IRelease {
  name: string;
  version: number;
  points: number;
  tests: ITestCell[];
}

/** What the author's tools ask of the service. */
export interface IAuthorClient {
  me(): Promise<IMe>;
  /** Have a notebook tried; it is not released. */
  check(course: string, text: string): Promise<ICheckTrial>;
  trial(id: string): Promise<ICheckTrial>;
  /** The students' copy of a notebook that is not released. */
  preview(course: string, text: string): Promise<IDownload>;
  release(course: string, assignment: string, text: string, note: string): Promise<IRelease>;
}
