/** What the service answers about drafts, calibration and spend; money in dollars, times UTC. */

import type { IRubricCriterion } from '../instructor/gradingTypes';
import type { IPage } from '../types';

/** Whether a language model is set up on the server, and which. */
export interface IModelStatus {
  available: boolean;
  provider: string | null;
  model: string | null;
  host: string | null;
  message: string;
}

// -- drafts ---------------------------------------------------------------------------------------

export type DraftState = 'drafted' | 'flagged' | 'ready' | 'approved' | 'edited' | 'rejected';

export type DraftFilter = 'open' | 'decided' | 'all';

/** Why a draft or an answer needs a person's eyes. None of them takes points off. */
export type Flag =
  | 'instructions'
  | 'fake_role'
  | 'forged_result'
  | 'hidden_text'
  | 'encoded'
  | 'pressure'
  | 'canary'
  | 'evidence'
  | 'unusable'
  | 'refused'
  | 'cut_off'
  | 'disagreement'
  | 'too_long'
  | 'empty';

/** A draft in the queue; `agreement` is the least of its criteria's, 0 to 1. */
export interface IDraftItem {
  id: string;
  submission_id: string;
  grade_id: string;
  who: string;
  state: DraftState;
  /** Null where nothing usable was drafted. */
  points: number | null;
  max_points: number;
  agreement: number;
  flags: Flag[];
  created_at: string;
  is_released: boolean;
}

/** What is drafted for one criterion; the span counts characters of the answer's text. */
export interface IDraftResult {
  criterion: string;
  level: string;
  points: number;
  reason: string;
  evidence: string;
  agreement: number;
  votes: Record<string, number>;
  evidence_span: [number, number] | null;
}

/** Where something in the answer made a detector speak. */
export interface IFinding {
  flag: Flag;
  start: number;
  end: number;
}

/** The human's record as it is stored. */
export interface IRecord {
  revision: number;
  points: number | null;
  comment: string;
}

export interface IDecision {
  state: DraftState;
  by: string;
  at: string;
  points: number;
  comment: string;
  reason: string;
  edit_distance: number;
}

export interface IDraft extends IDraftItem {
  prompt_html: string;
  answer_html: string;
  answer_text: string;
  rubric: IRubricCriterion[];
  results: IDraftResult[];
  findings: IFinding[];
  record: IRecord | null;
  calls: string[];
  self_check: Record<string, string> | null;
  decision: IDecision | null;
}

/** What a person makes of a draft. */
export interface IEdit {
  revision: number;
  results: { criterion: string; level: string; comment: string }[];
  /** Absent: for an answer it is made of the results, an entry has no summary. */
  comment?: string;
}

export interface IBulk {
  approved: number;
  skipped: number;
}

// -- batches --------------------------------------------------------------------------------------

/** Which answers; without `grade_id` those of all exercises. */
export interface IScope {
  grade_id?: string;
  for_calibration?: boolean;
}

/** What a batch would cost, about, and what the caps leave. */
export interface IEstimate {
  answers: number;
  skipped: number;
  calls: number;
  cached_calls: number;
  input_tokens: number;
  output_tokens: number;
  cost: number;
  currency: string;
  left: { course: number; assignment: number };
  calibrated: boolean;
  reason: string;
}

export type BatchState = 'running' | 'paused' | 'succeeded' | 'stopped' | 'cancelled';

export type BatchVerb = 'pause' | 'resume' | 'cancel';

export interface IDraftBatch {
  id: string;
  state: BatchState;
  /** One exercise; null for all of the assignment. */
  grade_id: string | null;
  for_calibration: boolean;
  total: number;
  done: number;
  skipped: number;
  failed: number;
  waiting: number;
  estimate: number;
  spent: number;
  currency: string;
  message: string;
  created_by: string;
  created_at: string;
}

// -- calibration ----------------------------------------------------------------------------------

/** An answer that can be drafted; "" is the entry itself. */
export interface ICalibrationItem {
  grade_id: string;
  title: string;
  marked: number;
  needed: number;
  is_passed: boolean;
}

/** An estimate with the ends of its interval. */
export interface IFigure {
  value: number;
  low: number;
  high: number;
}

export interface IAgreement {
  n: number;
  qwk: IFigure | null;
  exact: IFigure | null;
  adjacent: IFigure | null;
  bias: IFigure | null;
}

/** `confusion[person][draft]`, both in the order of `levels`. */
export interface ICriterionAgreement extends IAgreement {
  name: string;
  title: string;
  levels: string[];
  confusion: number[][];
}

export interface ICalibration {
  grade_id: string;
  needed: number;
  marked: number;
  drafted: number;
  threshold: number;
  is_passed: boolean;
  why_not: string;
  overall: IAgreement | null;
  criteria: ICriterionAgreement[];
}

/** An answer that has no levels yet. */
export interface IToMark {
  submission_id: string;
  who: string;
  prompt_html: string;
  answer_html: string;
  rubric: IRubricCriterion[];
}

// -- settings -------------------------------------------------------------------------------------

export interface ICaps {
  user_day: number | null;
  assignment: number | null;
  course: number | null;
}

/** What may be set; null (or absent) is inherited. */
export interface IFeedbackSettings {
  hints: boolean | null;
  explanations: boolean | null;
  drafts: boolean | null;
  models_for_hints: boolean | null;
  models_for_explanations: boolean | null;
  hint_levels: number | null;
  hint_costs: number[] | null;
  samples: number | null;
  bulk_threshold: number | null;
  calibration_answers: number | null;
  calibration_qwk: number | null;
  caps: Partial<ICaps> | null;
}

/** What holds: nothing is inherited any more. */
export interface IEffectiveSettings {
  hints: boolean;
  explanations: boolean;
  drafts: boolean;
  models_for_hints: boolean;
  models_for_explanations: boolean;
  hint_levels: number;
  hint_costs: number[];
  samples: number;
  bulk_threshold: number;
  calibration_answers: number;
  calibration_qwk: number;
  caps: ICaps;
}

export interface IStoredSettings {
  revision: number;
  settings: Partial<IFeedbackSettings>;
  effective: IEffectiveSettings;
  ceilings: ICaps;
  currency: string;
}

// -- calls and spend ------------------------------------------------------------------------------

export interface ICallItem {
  id: string;
  at: string;
  purpose: string;
  state: string;
  user: string;
  asked_by: string;
  assignment: string | null;
  grade_id: string;
  provider: string;
  model: string;
  model_said: string;
  template: string;
  template_version: number;
  input_tokens: number | null;
  output_tokens: number | null;
  cached_tokens: number | null;
  cost: number;
  currency: string;
  latency_ms: number;
  tries: number;
  flags: string[];
  error: string;
}

/** One call with its texts, which are empty once they were purged. */
export interface ICall extends ICallItem {
  parameters: Record<string, unknown>;
  prompt: { role: string; text: string }[];
  raw_answer: string;
  parsed: Record<string, unknown> | null;
  redactions: Record<string, string | null>;
  reviewer_action: string | null;
  purged_at: string | null;
}

export interface ISpendDay {
  date: string;
  drafts: number;
  hints: number;
  explanations: number;
  calls: number;
  cost: number;
}

export interface ISpend {
  currency: string;
  /** Whether the server knows what the model costs. */
  has_price: boolean;
  days: ISpendDay[];
  caps: ICaps;
  spent: { course: number; today: number };
  by_assignment: { assignment: string | null; calls: number; cost: number }[];
}

export interface IAssignmentChoice {
  name: string;
  kind: 'notebook' | 'entry';
}

/** What the pages ask of the course service. */
export interface IFeedbackClient {
  status(): Promise<IModelStatus>;
  assignments(course: string): Promise<IAssignmentChoice[]>;
  estimate(course: string, assignment: string, scope: IScope): Promise<IEstimate>;
  start(course: string, assignment: string, scope: IScope): Promise<IDraftBatch>;
  /** The newest first. */
  batches(course: string, assignment: string): Promise<IPage<IDraftBatch>>;
  change(batch: string, verb: BatchVerb): Promise<IDraftBatch>;
  /** The queue: flagged first, then those with the least agreement. */
  drafts(
    course: string,
    assignment: string,
    gradeId: string | null,
    state: DraftFilter
  ): Promise<IDraftItem[]>;
  draft(id: string): Promise<IDraft>;
  approve(id: string, revision: number): Promise<IDraft>;
  edit(id: string, edit: IEdit): Promise<IDraft>;
  reject(id: string, reason: string): Promise<IDraft>;
  approveAll(
    course: string,
    assignment: string,
    gradeId: string | null,
    threshold: number
  ): Promise<IBulk>;
  calibrations(course: string, assignment: string): Promise<ICalibrationItem[]>;
  calibration(course: string, assignment: string, gradeId: string): Promise<ICalibration>;
  /** An answer to mark; null when none is left. */
  next(course: string, assignment: string, gradeId: string): Promise<IToMark | null>;
  putLevels(
    course: string,
    assignment: string,
    gradeId: string,
    submission: string,
    levels: Record<string, string>
  ): Promise<void>;
  /** Without an assignment those of the course. */
  settings(course: string, assignment: string | null): Promise<IStoredSettings>;
  saveSettings(
    course: string,
    assignment: string | null,
    settings: Partial<IFeedbackSettings>,
    revision: number
  ): Promise<IStoredSettings>;
  calls(course: string, query: ICallQuery): Promise<IPage<ICallItem>>;
  call(id: string): Promise<ICall>;
  spend(course: string, days: number): Promise<ISpend>;
}

export interface ICallQuery {
  purpose: string;
  offset: number;
  limit: number;
}
