/** A course, its progress and a JupyterLab in memory, for tests of "My course". */

import type {
  IAchievement,
  IAchievements,
  IChapterProgress,
  IExerciseProgress,
  IHomeClient,
  IHomeLab,
  IPrivacy,
  IProgress
} from '../home/types';
import type { IFile } from '../instructor/gradingTypes';
import type { IRun } from '../runs/types';
import type { IAssignment, IDownload, ILeaderboard, IMe, ISubmission } from '../types';

export const NOW = Date.parse('2026-11-22T12:00:00Z');

export function exercise(changed: Partial<IExerciseProgress> = {}): IExerciseProgress {
  return {
    grade_id: 'gae',
    title: 'Generalized advantages',
    state: 'partly',
    points: 3,
    max_points: 5,
    checks_passed: 2,
    checks: 3,
    goals: ['gae-goal'],
    concepts: ['core-5'],
    ...changed
  };
}

export function chapter(changed: Partial<IChapterProgress> = {}): IChapterProgress {
  return {
    assignment: '05-gae',
    title: 'Advantages',
    number: 5,
    state: 'partly',
    points: 3,
    max_points: 5,
    minutes: 95,
    expected_minutes: 120,
    opens_at: null,
    due_at: null,
    closes_at: null,
    submitted_at: '2026-11-20T10:00:00+00:00',
    attempts: 2,
    submission_id: 's2',
    exercises: [exercise()],
    ...changed
  };
}

export function progress(changed: Partial<IProgress> = {}): IProgress {
  const fresh = { points: null, submitted_at: null, attempts: 0, submission_id: null, minutes: 0 };
  return {
    user: 'ada',
    points: 13,
    max_points: 25,
    minutes: 380,
    minutes_by_day: { '2026-11-20': 60 },
    weeks: { current: 3, longest: 3, total: 5 },
    next: {
      assignment: '05-gae',
      grade_id: 'gae',
      kind: 'missing_points',
      reason: '1 of its 3 checks does not pass yet.'
    },
    last_event_at: '2026-11-20T10:00:00+00:00',
    position: 12,
    chapters: [
      chapter({
        assignment: '00-the-loop',
        title: 'The loop',
        number: 0,
        state: 'done',
        points: 10,
        max_points: 10,
        exercises: [
          exercise({
            grade_id: 'step',
            title: 'One step',
            state: 'done',
            points: 10,
            max_points: 10
          })
        ]
      }),
      chapter(),
      chapter({
        ...fresh,
        assignment: '06-rollouts',
        title: 'Rollouts',
        number: 6,
        state: 'not_started',
        max_points: 10,
        due_at: '2026-11-25T13:00:00+00:00',
        exercises: [
          exercise({ grade_id: 'roll', title: 'A buffer', state: 'not_started', points: null })
        ]
      })
    ],
    concepts: [
      { key: 'core-1', title: 'Vectorized environments', shown: 1, exercises: 1 },
      { key: 'core-5', title: 'GAE', shown: 1, exercises: 3 }
    ],
    goals: [{ key: 'gae-goal', title: 'Compute advantages', shown: 0, exercises: 1 }],
    ...changed
  };
}

export function achievement(changed: Partial<IAchievement> = {}): IAchievement {
  return {
    id: 'gae-exact',
    title: 'Exact advantages',
    description: 'GAE exact at three lambdas',
    version: 1,
    awarded_at: '2026-11-20T11:00:00+00:00',
    award_id: 'a1',
    revoked_at: null,
    revoked_because: '',
    progress: { met: 3, of: 3, unit: 'checks' },
    ...changed
  };
}

export function attempt(changed: Partial<ISubmission> = {}): ISubmission {
  return {
    id: 's2',
    course: 'rl',
    assignment: '05-gae',
    version: 1,
    user: 'ada',
    attempt: 2,
    digest: 'd',
    state: 'graded',
    submitted_at: '2026-11-20T10:00:00+00:00',
    warnings: [],
    error: null,
    points: 3,
    max_points: 5,
    unsealed_points: 0,
    needs_review: false,
    kind: 'notebook',
    attempt_state: 'released',
    late_seconds: 0,
    penalty: 0,
    counts: true,
    released_at: '2026-11-20T11:00:00+00:00',
    ...changed
  };
}

export function run(id: string, changed: Partial<IRun> = {}): IRun {
  return {
    id,
    user: 'ada',
    name: '',
    tags: [],
    env_id: 'CartPole-v1',
    seed: 0,
    state: 'finished',
    position: null,
    step: 50_000,
    total_steps: 50_000,
    message: '',
    created_at: '2026-11-21T12:00:00+00:00',
    started_at: null,
    ended_at: null,
    disk_bytes: 1,
    spec: {},
    mean_return: 123.4,
    eval_return: 487.5,
    ...changed
  };
}

/** A course service in memory: what it holds is what it answers, after `gate`. */
export class MemoryHome implements IHomeClient {
  person: IMe = {
    user: 'ada',
    admin: false,
    courses: [
      { name: 'rl', title: 'Reinforcement learning', role: 'student' },
      { name: 'dl', title: 'Deep learning', role: 'student' }
    ],
    sandbox: { available: true, engine: 'docker', image: 'ppo', problem: null, remedy: null }
  };
  given = new Map<string, IProgress>([
    ['rl', progress()],
    ['dl', progress({ chapters: [], concepts: [], goals: [], next: null })]
  ]);
  items: IAchievement[] = [achievement()];
  runs: IRun[] = [];
  attempts: ISubmission[] = [];
  board: ILeaderboard = { items: [], pseudonym: null };
  /** Thrown by the requests named here. */
  readonly refusals = new Map<string, Error>();
  readonly asked: string[] = [];
  /** Answers wait for it. */
  gate: Promise<void> = Promise.resolve();

  me = (): Promise<IMe> => this._answer('me', this.person);

  progress = (course: string): Promise<IProgress> =>
    this._answer(`progress ${course}`, this.given.get(course) ?? progress());

  achievements = (course: string): Promise<IAchievements> =>
    this._answer(`achievements ${course}`, { edition: 0, items: this.items });

  credential = (award: string): Promise<IFile> =>
    this._answer(`credential ${award}`, { name: 'badge.jwt', data: new Blob(['e30.e30.x']) });

  latestRuns = (user: string, limit: number): Promise<IRun[]> =>
    this._answer(`runs ${user}`, this.runs.slice(0, limit));

  submissions = (): Promise<ISubmission[]> => this._answer('submissions', this.attempts);

  leaderboard = (): Promise<ILeaderboard> => this._answer('leaderboard', this.board);

  privacy = (): Promise<IPrivacy> =>
    this._answer('privacy', {
      activity_days: 180,
      execute_history_days: 30,
      kept: [{ what: 'minutes', how_long: '180 days', why: 'time on task', who: 'you' }]
    });

  myData = (): Promise<IFile> => this._answer('data', { name: 'ada.zip', data: new Blob(['PK']) });

  assignments = (): Promise<IAssignment[]> => this._answer('assignments', []);

  notebook = (): Promise<IDownload> => this._answer('notebook', { name: '', text: '' });

  private async _answer<T>(asked: string, value: T): Promise<T> {
    this.asked.push(asked);
    await this.gate;
    const refusal = this.refusals.get(asked);
    if (refusal !== undefined) {
      throw refusal;
    }
    return value;
  }
}

/** A JupyterLab that notes what is asked of it. */
export class MemoryLab implements IHomeLab {
  readonly opened: string[] = [];
  readonly saved: string[] = [];
  refusal: Error | null = null;
  openPreferences: (() => void) | null = () => void this.opened.push('preferences');

  async openChapter(
    course: string,
    { assignment }: IChapterProgress,
    gradeId: string | null
  ): Promise<string> {
    if (this.refusal !== null) {
      throw this.refusal;
    }
    this.opened.push([course, assignment, gradeId ?? 'whole'].join(' '));
    return `${assignment}.ipynb is open.`;
  }

  async openFeedback({ id }: ISubmission): Promise<void> {
    this.opened.push(`feedback ${id}`);
  }

  openRuns(id?: string): void {
    this.opened.push(`runs ${id ?? 'all'}`);
  }

  openPanel(): void {
    this.opened.push('panel');
  }

  save({ name }: IFile): void {
    this.saved.push(name);
  }
}
