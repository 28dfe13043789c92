/** The progress of a class in memory, as the service answers it. */

import { RequestError } from '../connection';
import type {
  IAchievements,
  IChapterProgress,
  IExerciseProgress,
  IProgress,
  WorkState
} from '../home/types';
import type {
  IAchievementRule,
  IProgressClient,
  IProgressQuery,
  IProgressRow,
  IRecomputed,
  IRuleEdition,
  ISavedRules
} from '../instructor/progressTypes';
import type { IPage } from '../types';

export const STATES: readonly WorkState[] = [
  'done',
  'partly',
  'handed_in',
  'started',
  'not_started'
];
const POINTS: Record<WorkState, number | null> = {
  done: 6,
  partly: 4,
  handed_in: null,
  started: null,
  not_started: null
};

export const RULE: IAchievementRule = {
  id: 'gae-exact',
  version: 2,
  title: 'GAE exact',
  description: 'At three lambdas.',
  criteria: [{ kind: 'checks', data: { assignment: 'chapter-1', grade_ids: ['a', 'b'] } }]
};

/** Students `student-000` and on, each with a chapter in every state. */
export class MemoryProgress implements IProgressClient {
  class: IProgressRow[] = classOf(3);
  readonly queries: IProgressQuery[] = [];
  edition: IRuleEdition = { number: 0, created_at: null, created_by: '', rules: [RULE] };
  /** What was saved. */
  readonly saved: unknown[] = [];
  made: IRecomputed = { students: 120, events: 34_567, changed: 2 };
  recomputed = 0;
  refusal: Error | null = null;

  async students(_: string, query: IProgressQuery): Promise<IPage<IProgressRow>> {
    this._answer();
    this.queries.push(query);
    const { offset, limit, search } = query;
    const found = this.class.filter(({ user }) => user.includes(search));
    return { items: found.slice(offset, offset + limit), total: found.length, offset, limit };
  }

  async student(_: string, user: string): Promise<IProgress> {
    this._answer();
    return {
      user,
      points: 10,
      max_points: 30,
      minutes: 95,
      minutes_by_day: {},
      weeks: { current: 2, longest: 2, total: 3 },
      next: {
        assignment: 'chapter-2',
        grade_id: null,
        kind: 'missing_points',
        reason: '2 points are missing.'
      },
      last_event_at: '2026-01-02T03:00:00+00:00',
      position: 9,
      chapters: STATES.map((state, at) => chapter(state, at + 1)),
      concepts: [
        { key: 'core-1', title: 'Vectorized environments', shown: 1, exercises: 1 },
        { key: 'core-2', title: 'Annealing', shown: 1, exercises: 2 }
      ],
      goals: [{ key: 'g', title: 'Write GAE', shown: 0, exercises: 1 }]
    };
  }

  async achievements(): Promise<IAchievements> {
    this._answer();
    const item = {
      ...RULE,
      awarded_at: '2026-01-01T10:00:00+00:00',
      award_id: 'a',
      revoked_at: null,
      progress: { met: 1, of: 1 }
    };
    const open = { ...item, id: 'all', title: 'All of it', awarded_at: null, award_id: null };
    const taken = { ...item, id: 'gone', title: 'Gone', revoked_at: '2026-01-02T10:00:00+00:00' };
    return {
      edition: 1,
      items: [{ ...open, progress: { met: 2, of: 5 } }, item, taken]
    };
  }

  async recompute(): Promise<IRecomputed> {
    this._answer();
    this.recomputed += 1;
    return this.made;
  }

  async rules(): Promise<IRuleEdition> {
    return this.edition;
  }

  async saveRules(_: string, rules: unknown, seen: number): Promise<ISavedRules> {
    this._answer();
    if (seen !== this.edition.number) {
      const yours = { number: seen, rules };
      const conflict = { yours, theirs: { ...this.edition } };
      const said = `number: edition ${this.edition.number} is in force now.`;
      throw new RequestError(said, 'edit_conflict', 409, 'number', null, conflict);
    }
    this.saved.push(rules);
    const number = this.edition.number + 1;
    const kept = (rules as IAchievementRule[]).map(rule => ({ ...rule, version: 3 }));
    const created_at = '2026-01-02T03:04:05+00:00';
    this.edition = { number, created_at, created_by: 'ines', rules: kept };
    return { number, awarded: 12, revoked: 1 };
  }

  private _answer(): void {
    if (this.refusal !== null) {
      throw this.refusal;
    }
  }
}

/** So many students. */
export function classOf(count: number): IProgressRow[] {
  return Array.from({ length: count }, (_, at) => row(at));
}

function row(at: number): IProgressRow {
  return {
    user: `student-${String(at).padStart(3, '0')}`,
    first_name: 'Ada',
    last_name: `L${at}`,
    points: 10,
    max_points: 30,
    chapters_done: 1,
    minutes: 60 + at,
    last_event_at: at === 1 ? null : '2026-01-02T03:00:00+00:00',
    chapters: STATES.map((state, number) => ({
      assignment: `chapter-${number + 1}`,
      state,
      points: POINTS[state],
      max_points: 6
    }))
  };
}

function chapter(state: WorkState, number: number): IChapterProgress {
  const exercise: IExerciseProgress = {
    grade_id: `e${number}`,
    title: `Exercise ${number}`,
    state,
    points: POINTS[state],
    max_points: 6,
    checks_passed: 0,
    checks: 3,
    goals: [],
    concepts: []
  };
  return {
    assignment: `chapter-${number}`,
    title: `Chapter of ${state}`,
    number,
    state,
    points: POINTS[state],
    max_points: 6,
    minutes: 19,
    expected_minutes: 60,
    opens_at: null,
    due_at: number === 1 ? '2026-02-01T12:00:00+00:00' : null,
    closes_at: null,
    submitted_at: state === 'done' ? '2026-01-01T09:00:00+00:00' : null,
    attempts: state === 'done' ? 2 : 0,
    submission_id: null,
    exercises: [exercise]
  };
}
