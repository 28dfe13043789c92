/** The course service and JupyterLab, small and in memory, for tests of the panel. */

import type { IWorkspace } from '../model';
import type { ICandidate } from '../notebooks';
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
  received: string[] = [];
  refusal: Error | null = null;
  pseudonym: string | null = null;
  board: ILeaderboard['items'] = [];

  async me(): Promise<IMe> {
    return this.person;
  }

  async assignments(course: string): Promise<IAssignment[]> {
    return [
      {
        name: `${course}-first`,
        version: 1,
        points: 10,
        released_at: '2026-01-01T00:00:00+00:00',
        exercises: [{ grade_id: 'gae', kind: 'tests', points: 10 }]
      }
    ];
  }

  async submissions(course: string, user: string): Promise<ISubmission[]> {
    return this.attempts.filter(item => item.course === course && item.user === user);
  }

  async notebook(_course: string, assignment: string): Promise<IDownload> {
    return { name: `${assignment}.ipynb`, text: notebookText('raise NotImplementedError()') };
  }

  async submit(course: string, assignment: string, text: string): Promise<ISubmission> {
    if (this.refusal) {
      throw this.refusal;
    }
    this.received.push(text);
    const attempt = this.attempts.length + 1;
    const submission: ISubmission = {
      id: `id-${attempt}`,
      course,
      assignment,
      version: 1,
      user: 'ada',
      attempt,
      digest: '',
      state: 'queued',
      submitted_at: '2026-01-02T03:04:05+00:00',
      warnings: ['essay: the cell is missing and counts as zero.'],
      error: null,
      points: null,
      max_points: null,
      unsealed_points: 0,
      needs_review: false
    };
    this.attempts.unshift(submission);
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
    const exercise = { needs_review: false, reason: '', max_points: 2 };
    return {
      submission_id: submission,
      points: 3,
      max_points: 4,
      exercises: [
        { ...exercise, grade_id: 'gae', points: 1, sealed: true, checks },
        { ...exercise, grade_id: 'loss', points: 2, sealed: false, checks: [] }
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

  /** What the grader does with the newest attempt. */
  move(state: SubmissionState, points: number | null = null, unsealed = 0): void {
    const [newest, ...older] = this.attempts;
    const graded = { state, points, max_points: 10, unsealed_points: unsealed };
    this.attempts = [{ ...(newest as ISubmission), ...graded }, ...older];
  }
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
