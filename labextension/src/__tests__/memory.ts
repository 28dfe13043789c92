/** The course service and JupyterLab, small and in memory, for tests of the panel. */

import type { IJudged, IStudentTerms, IValidationTrial } from '../course/types';
import type { IEntry } from '../instructor/gradingTypes';
import type { IWorkspace } from '../model';
import type { ICandidate } from '../notebooks';
import { RequestError } from '../connection';
import type { ICourseClient } from '../request';
import type {
  IAssignment,
  IDownload,
  IGrade,
  ILeaderboard,
  IMe,
  ISubmission,
  SubmissionState
} from '../types';

/** A course service in memory: what it holds is what it answers. */
export class MemoryService implements ICourseClient {
  person: IMe = {
    user: 'ada',
    admin: false,
    courses: [{ name: 'rl', title: 'Reinforcement learning', role: 'student' }],
    sandbox: { available: true, engine: 'docker', image: 'ppo', problem: null, remedy: null }
  };
  attempts: ISubmission[] = [];
  /** How many requests to hand something in get no answer although they arrive. */
  lost = 0;
  /** The key of everything that came, in order. */
  keys: string[] = [];
  kind: IAssignment['kind'] = 'notebook';
  given: IStudentTerms = terms();
  /** More assignments, in the order in which the service names them: changes to the first one. */
  more: Partial<IAssignment>[] = [];
  tried: IValidationTrial[] = [];
  definition: IEntry['definition'] = definition();
  judgement: IJudged | null = null;
  received: string[] = [];
  refusal: Error | null = null;
  pseudonym: string | null = null;
  board: ILeaderboard['items'] = [];

  async me(): Promise<IMe> {
    return this.person;
  }

  async assignments(course: string): Promise<IAssignment[]> {
    const first: IAssignment = {
      name: `${course}-first`,
      kind: this.kind,
      due_at: this.given.own.due_at,
      closes_at: this.given.own.closes_at,
      max_attempts: this.given.own.max_attempts,
      attempts_left: this.given.own.attempts_left,
      version: 1,
      points: 10,
      released_at: '2026-01-01T00:00:00+00:00',
      exercises: [{ grade_id: 'gae', kind: 'tests', points: 10 }]
    };
    return [first, ...this.more.map(change => ({ ...first, ...change }))];
  }

  async submissions(course: string, user: string): Promise<ISubmission[]> {
    return this.attempts.filter(item => item.course === course && item.user === user);
  }

  async notebook(_course: string, assignment: string): Promise<IDownload> {
    return { name: `${assignment}.ipynb`, text: notebookText('raise NotImplementedError()') };
  }

  async terms(): Promise<IStudentTerms> {
    return this.given;
  }

  async validate(_course: string, _assignment: string, text: string): Promise<IValidationTrial> {
    if (this.refusal) {
      throw this.refusal;
    }
    this.received.push(text);
    const id = `trial-${this.tried.length + 1}`;
    const trial: IValidationTrial = { id, state: 'queued', error: null, result: null };
    this.tried.push(trial);
    return trial;
  }

  async trial(id: string): Promise<IValidationTrial> {
    return this.tried.find(trial => trial.id === id) as IValidationTrial;
  }

  async entry(_course: string, name: string): Promise<IEntry> {
    const { definition } = this;
    return { name, version: 1, note: '', released_at: '2026-01-01T00:00:00+00:00', definition };
  }

  async judged(): Promise<IJudged> {
    if (this.judgement === null) {
      throw new Error('The outcome of this submission is not released yet.');
    }
    return this.judgement;
  }

  submitArchive(
    course: string,
    assignment: string,
    base64: string,
    key = ''
  ): Promise<ISubmission> {
    return this.submit(course, assignment, `archive ${base64}`, key);
  }

  submitEntry(course: string, assignment: string, body: string, key = ''): Promise<ISubmission> {
    return this.submit(course, assignment, body, key);
  }

  async submit(course: string, assignment: string, text: string, key = ''): Promise<ISubmission> {
    if (this.refusal) {
      throw this.refusal;
    }
    this.keys.push(key);
    const submission = this._byKey.get(key) ?? this._taken(course, assignment, text);
    if (key !== '') {
      this._byKey.set(key, submission);
    }
    if (this.lost > 0) {
      this.lost -= 1;
      throw new RequestError('The Jupyter server does not answer.', 'network', 0);
    }
    return submission;
  }

  private _taken(course: string, assignment: string, text: string): ISubmission {
    this.received.push(text);
    const attempt = this.attempts.length + 1;
    const submission: ISubmission = {
      id: `id-${attempt}`,
      course,
      assignment,
      version: 1,
      user: 'ada',
      attempt,
      digest: 'a1b2c3',
      state: 'queued',
      submitted_at: '2026-01-02T03:04:05+00:00',
      warnings: ['essay: the cell is missing and counts as zero.'],
      error: null,
      points: null,
      max_points: null,
      unsealed_points: 0,
      needs_review: false,
      kind: this.kind,
      attempt_state: 'queued',
      late_seconds: 0,
      penalty: 0,
      counts: true,
      released_at: null,
      queue_position: null
    };
    const others = this.attempts.map(each => ({ ...each, counts: false }));
    this.attempts = [submission, ...others];
    return submission;
  }

  async grade(submission: string): Promise<IGrade> {
    if (this.refusal) {
      throw this.refusal;
    }
    const checks = [
      { name: 'shape', points: 1, max_points: 1, message: '' },
      { name: 'by hand', points: 0, max_points: 1, message: 'Look at the last step.' }
    ];
    const exercise = {
      needs_review: false,
      reason: '',
      max_points: 2,
      extra_credit: 0,
      comment: '',
      waits: false,
      mark: null
    };
    return {
      submission_id: submission,
      points: 3,
      max_points: 4,
      exercises: [
        { ...exercise, grade_id: 'gae', points: 1, score: 1, sealed: true, checks },
        { ...exercise, grade_id: 'loss', points: 2, score: 2, sealed: false, checks: [] }
      ]
    };
  }

  async feedback(submission: string): Promise<string> {
    return `<p>${submission}</p>`;
  }

  async leaderboard(): Promise<ILeaderboard> {
    return { items: this.board, pseudonym: this.pseudonym };
  }

  async joinLeaderboard(_course: string, pseudonym: string): Promise<void> {
    if (this.refusal) {
      throw this.refusal;
    }
    this.pseudonym = pseudonym;
  }

  async leaveLeaderboard(): Promise<void> {
    this.pseudonym = null;
  }

  /** What the grader does with the newest attempt; its points are released at once. */
  move(state: SubmissionState, points: number | null = null, unsealed = 0): void {
    const attempt_state = state === 'graded' ? 'released' : state;
    this.change({ state, attempt_state, points, max_points: 10, unsealed_points: unsealed });
  }

  /** Change the newest attempt. */
  change(change: Partial<ISubmission>): void {
    const [newest, ...older] = this.attempts;
    this.attempts = [{ ...(newest as ISubmission), ...change }, ...older];
  }

  private readonly _byKey = new Map<string, ISubmission>();
}

/** A JupyterLab with documents in memory. */
export class MemoryWorkspace implements IWorkspace {
  open: ICandidate[] = [];
  folder: ICandidate[] = [];
  files = new Map<string, string>();
  shown: string[] = [];
  questions: string[] = [];
  answer = false;
  changed: () => void = () => undefined;
  chosen: string[] = [];
  folderChosen: string | null = null;
  copied: string[] = [];

  async addNotebook(notebook: IDownload): Promise<string> {
    this.files.set(notebook.name, notebook.text);
    return notebook.name;
  }

  openNotebooks(): ICandidate[] {
    return this.open;
  }

  onNotebooksChanged(listener: () => void): void {
    this.changed = listener;
  }

  async folderNotebooks(): Promise<ICandidate[]> {
    return this.folder;
  }

  async savedText(path: string): Promise<string> {
    return this.files.get(path) ?? `text of ${path}`;
  }

  async confirmSubmit(question: string): Promise<boolean> {
    this.questions.push(question);
    return this.answer;
  }

  async chooseFiles(): Promise<string[]> {
    return this.chosen;
  }

  async chooseFolder(): Promise<string | null> {
    return this.folderChosen;
  }

  async fileBase64(path: string): Promise<string> {
    return btoa(`bytes of ${path}`);
  }

  async fileText(path: string): Promise<string> {
    const text = this.files.get(path);
    if (text === undefined) {
      throw new Error(`${path} does not exist.`);
    }
    return text;
  }

  copy(text: string): void {
    this.copied.push(text);
  }

  showFeedback(_submission: ISubmission, html: string): void {
    this.shown.push(html);
  }
}

/** A notebook with one exercise of the assignment, or of another one. */
export function candidate(path: string, current = false, id = 'gae'): ICandidate {
  return { path, gradeIds: new Set([id]), current };
}

/** A notebook of the assignment whose answer cell holds `answer`. */
export function notebookText(answer: string): string {
  const nbgrader = { grade_id: 'answer', solution: true };
  return JSON.stringify({ cells: [{ source: [answer], metadata: { nbgrader } }] });
}

/** Terms without any bound, for everybody and for the signed-in person. */
export function terms(
  change: Partial<IStudentTerms> = {},
  own: Partial<IStudentTerms['own']> = {}
): IStudentTerms {
  return {
    opens_at: null,
    due_at: null,
    closes_at: null,
    grace_seconds: 0,
    late: { rule: 'none', percent_per_day: 10, at_least_percent: 0, steps: [] },
    max_attempts: 0,
    counting: 'latest',
    autograde: true,
    grades: 'at_once',
    revision: 0,
    ...change,
    own: {
      due_at: change.due_at ?? null,
      closes_at: change.closes_at ?? null,
      max_attempts: change.max_attempts ?? 0,
      attempts_used: 0,
      attempts_left: null,
      is_open: true,
      ...own
    }
  };
}

/** An entry that asks for everything and has one criterion. */
export function definition(): IEntry['definition'] {
  return {
    title: 'Report on a run',
    instructions: 'Describe it.',
    instructions_html: '<p>Describe it.</p>',
    parts: ['text', 'code', 'files', 'run'],
    max_points: 4,
    rubric: [
      {
        name: 'method',
        title: 'Method',
        description: 'Are the choices explained?',
        note: '',
        max_points: 4,
        levels: [
          { name: 'missing', points: 0, description: '' },
          { name: 'sound', points: 4, description: 'every choice has a reason' }
        ]
      }
    ]
  };
}
