/** What the panel knows and does, without any drawing. */

import { EntryModel } from './course/entryModel';
import type { IFiles } from './course/entryModel';
import { findNotebook, gradeIdsWanted, isUnansweredIn } from './course/finding';
import { Sending } from './course/sending';
import { loadTerms } from './course/termsLoader';
import type { IStudentTerms } from './course/types';
import { ValidationModel } from './course/validationModel';
import { receiptLines } from './course/words';
import { isPending } from './format';
import { LeaderboardModel } from './leaderboardModel';
import { chooseNotebook } from './notebooks';
import type { Choice, ICandidate } from './notebooks';
import { Poller } from './polling';
import type { ICourseClient } from './request';
import type { IAssignment, IDownload, IGrade, IMe, ISubmission } from './types';

/** The documents of this JupyterLab: what the model needs of them. */
export interface IWorkspace extends IFiles {
  /** Write a new notebook into the file browser's folder under a free name, and open it. */
  addNotebook(notebook: IDownload): Promise<string>;
  /** The notebooks that are open. */
  openNotebooks(): ICandidate[];
  /** Call `listener` when a notebook is opened, closed or renamed, or another tab is in front. */
  onNotebooksChanged(listener: () => void): void;
  /** The notebooks in the file browser's folder. */
  folderNotebooks(): Promise<ICandidate[]>;
  /** Save the notebook if it has unsaved changes, then return the file's text. */
  savedText(path: string): Promise<string>;
  /** Ask whether to submit; the person may say no. */
  confirmSubmit(question: string): Promise<boolean>;
  /** Put a text on the clipboard. */
  copy(text: string): void;
  /** Show a feedback page. */
  showFeedback(submission: ISubmission, html: string): void;
}

/** What an assignment's card says about the last action on it. */
export interface INotice {
  kind: 'done' | 'problem';
  text: string;
}

/** Everything that is drawn. A new object for every change. */
export interface ICourseState {
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly problem: string | null;
  readonly me: IMe | null;
  readonly course: string | null;
  readonly assignments: readonly IAssignment[];
  /** The terms by assignment, as far as they are known. */
  readonly terms: ReadonlyMap<string, IStudentTerms>;
  /** The signed-in person's attempts in this course, newest first. */
  readonly submissions: readonly ISubmission[];
  /** The files that were handed in from here, by submission. */
  readonly sources: ReadonlyMap<string, string>;
  /** What attempts scored by exercise, where that was asked for; a text is a problem. */
  readonly grades: ReadonlyMap<string, IGrade | string>;
  readonly openNotebooks: readonly ICandidate[];
  /** Whether the panel can be seen. */
  readonly isVisible: boolean;
  /** Names of the assignments with an action under way. */
  readonly busy: ReadonlySet<string>;
  readonly notices: ReadonlyMap<string, INotice>;
}

const EMPTY: ICourseState = {
  phase: 'loading',
  problem: null,
  me: null,
  course: null,
  assignments: [],
  terms: new Map(),
  submissions: [],
  sources: new Map(),
  grades: new Map(),
  openNotebooks: [],
  isVisible: false,
  busy: new Set(),
  notices: new Map()
};

/** The state of the panel and the actions of its buttons; no action ever rejects. */
export class CourseModel {
  constructor(
    private readonly _client: ICourseClient,
    private readonly _workspace: IWorkspace
  ) {
    this.leaderboard = new LeaderboardModel(_client);
    this.validation = new ValidationModel(_client);
    this.entries = new EntryModel(_client, _workspace);
    this._poller = new Poller(() => this._poll());
    const look = (): void => this._set({ openNotebooks: this._workspace.openNotebooks() });
    this._workspace.onNotebooksChanged(look);
    look();
  }

  /** The leaderboard of the course. */
  readonly leaderboard: LeaderboardModel;
  /** The notebooks that are tried. */
  readonly validation: ValidationModel;
  /** What is written for entries, and what came of it. */
  readonly entries: EntryModel;

  /** The state now; for React.useSyncExternalStore. */
  readonly snapshot = (): ICourseState => this._state;

  /** Call `listener` after every change; returns how to stop that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  /** Load everything again. */
  async refresh(): Promise<void> {
    const course = this._state.course;
    try {
      const me = await this._client.me();
      const known = me.courses.some(item => item.name === course);
      this._set({ me, course: known ? course : (me.courses[0]?.name ?? null) });
      await this._loadCourse();
    } catch (error) {
      this._set({ phase: 'failed', problem: messageOf(error) });
    }
  }

  /** Show another course. */
  async selectCourse(name: string): Promise<void> {
    this._set({
      course: name,
      phase: 'loading',
      assignments: [],
      terms: new Map(),
      submissions: [],
      notices: new Map()
    });
    try {
      await this._loadCourse();
    } catch (error) {
      this._set({ phase: 'failed', problem: messageOf(error) });
    }
  }

  /** Download an assignment's notebook next to the person's other files. */
  get(assignment: IAssignment): Promise<void> {
    return this._act(assignment.name, async course => {
      const notebook = await this._client.notebook(course, assignment.name);
      const path = await this._workspace.addNotebook(notebook);
      return { kind: 'done', text: `Saved as ${path}` };
    });
  }

  /** Which of the open notebooks Submit would send now. */
  choice(assignment: IAssignment): Choice {
    return chooseNotebook(this._state.openNotebooks, gradeIdsWanted(assignment));
  }

  /** Hand in the notebook that holds this assignment's exercises. */
  submit(assignment: IAssignment): Promise<void> {
    return this._act(assignment.name, async course => {
      const path = await findNotebook(this._workspace, assignment, 'Submit');
      await this._submitNotebook(course, assignment, path);
      return null;
    });
  }

  /** Let the person choose a file, a saved model or a notebook, and hand it in. */
  submitFile(assignment: IAssignment): Promise<void> {
    return this._act(assignment.name, async course => {
      const question = `A model (.zip) or a notebook (.ipynb) for ${assignment.name}`;
      const [path, another] = await this._workspace.chooseFiles(question);
      if (path === undefined) {
        return null;
      }
      if (another !== undefined) {
        throw new Error('Choose one file: an attempt is one notebook or one model.');
      }
      if (path.endsWith('.ipynb')) {
        await this._submitNotebook(course, assignment, path);
        return null;
      }
      const base64 = await this._workspace.fileBase64(path);
      await this._deliver(course, assignment.name, path, base64, key =>
        this._client.submitArchive(course, assignment.name, base64, key)
      );
      return null;
    });
  }

  /** Hand in what is written and chosen for an entry. */
  submitEntry(assignment: IAssignment): Promise<void> {
    const { name } = assignment;
    return this._act(name, async course => {
      const body = this.entries.body(course, name);
      await this._deliver(course, name, undefined, body, key =>
        this._client.submitEntry(course, name, body, key)
      );
      this.entries.clear(course, name);
      return null;
    });
  }

  /** Have the notebook tried by the tests that students can read; nothing is handed in. */
  validate(assignment: IAssignment): Promise<void> {
    return this._act(assignment.name, async course => {
      const path = await findNotebook(this._workspace, assignment, 'Validate');
      const text = await this._workspace.savedText(path);
      await this.validation.start(course, assignment.name, path, text);
      return null;
    });
  }

  /** Put the receipt of an attempt on the clipboard. */
  copyReceipt(submission: ISubmission): void {
    this._workspace.copy(receiptLines(submission));
  }

  /** Open the feedback page of one attempt. */
  feedback(submission: ISubmission): Promise<void> {
    return this._act(submission.assignment, async () => {
      this._workspace.showFeedback(submission, await this._client.feedback(submission.id));
      return null;
    });
  }

  /** Look up the points of one attempt by exercise. */
  async loadGrade(submission: ISubmission): Promise<void> {
    let grade: IGrade | string;
    try {
      grade = await this._client.grade(submission.id);
    } catch (error) {
      grade = messageOf(error);
    }
    this._set({ grades: new Map([...this._state.grades, [submission.id, grade]]) });
  }

  /** Polling rests while the panel is hidden; a panel that is shown again is up to date. */
  setVisible(visible: boolean): void {
    this._set({ isVisible: visible });
    this._poller.setVisible(visible);
    this.validation.setVisible(visible);
    if (visible) {
      void this.refresh();
    }
  }

  /** Stop polling for good. */
  dispose(): void {
    this._poller.dispose();
    this.validation.dispose();
    this.entries.dispose();
    this._listeners.clear();
  }

  private async _submitNotebook(
    course: string,
    assignment: IAssignment,
    path: string
  ): Promise<void> {
    const text = await this._workspace.savedText(path);
    if (await isUnansweredIn(this._client, course, assignment.name, text)) {
      const question = `Nothing of ${assignment.name} is answered yet in ${path}. Submit it all the same?`;
      if (!(await this._workspace.confirmSubmit(question))) {
        return;
      }
    }
    await this._deliver(course, assignment.name, path, text, key =>
      this._client.submit(course, assignment.name, text, key)
    );
    this.validation.forget(course, assignment.name); // it was of an earlier state
  }

  /** Hand in under a key that makes one attempt of it, and show the receipt. */
  private async _deliver(
    course: string,
    assignment: string,
    path: string | undefined,
    body: string,
    deliver: (key: string) => Promise<ISubmission>
  ): Promise<void> {
    const submission = await this._sending.send(`${course}/${assignment}`, body, deliver);
    if (this._state.course === course) {
      const others = this._state.submissions.filter(({ id }) => id !== submission.id);
      const sources = new Map(this._state.sources);
      if (path !== undefined) {
        sources.set(submission.id, path);
      }
      this._set({ submissions: [submission, ...others], sources });
      void this._loadTerms(course, [assignment]);
    }
    this._poller.start();
  }

  private async _loadCourse(): Promise<void> {
    const { course, me } = this._state;
    if (course === null || me === null) {
      this._set({ phase: 'ready', problem: null, assignments: [], submissions: [] });
      return;
    }
    const [assignments, submissions] = await Promise.all([
      this._client.assignments(course),
      this._client.submissions(course, me.user)
    ]);
    if (this._state.course === course) {
      this._set({ phase: 'ready', problem: null, assignments, submissions });
      void this._loadTerms(
        course,
        assignments.map(({ name }) => name)
      );
      if (submissions.some(isPending)) {
        this._poller.start();
      }
    }
  }

  private _loadTerms(course: string, names: readonly string[]): Promise<void> {
    return loadTerms(this._client, course, names, (name, found) => {
      if (this._state.course !== course) {
        return false;
      }
      const terms = new Map(this._state.terms);
      if (found === null) {
        terms.delete(name);
      } else {
        terms.set(name, found);
      }
      this._set({ terms });
      return true;
    });
  }

  /** Ask for the submissions again; whether anything is still under way. */
  private async _poll(): Promise<boolean> {
    const { course, me } = this._state;
    if (course === null || me === null) {
      return false;
    }
    try {
      const submissions = await this._client.submissions(course, me.user);
      if (this._state.course === course) {
        this._set({ submissions, problem: null });
      }
      return submissions.some(isPending);
    } catch (error) {
      this._set({ problem: messageOf(error) });
      return true;
    }
  }

  private async _act(
    assignment: string,
    action: (course: string) => Promise<INotice | null>
  ): Promise<void> {
    const { course, busy } = this._state;
    if (course === null || busy.has(assignment)) {
      return;
    }
    this._set({
      busy: new Set([...busy, assignment]),
      notices: this._noticesWith(assignment, null)
    });
    let notice: INotice | null;
    try {
      notice = await action(course);
    } catch (error) {
      notice = { kind: 'problem', text: messageOf(error) };
    }
    const left = [...this._state.busy].filter(name => name !== assignment);
    const notices =
      this._state.course === course ? this._noticesWith(assignment, notice) : this._state.notices;
    this._set({ busy: new Set(left), notices });
  }

  private _noticesWith(assignment: string, notice: INotice | null): Map<string, INotice> {
    const notices = new Map(this._state.notices);
    if (notice === null) {
      notices.delete(assignment);
    } else {
      notices.set(assignment, notice);
    }
    return notices;
  }

  private _set(change: Partial<ICourseState>): void {
    this._state = { ...this._state, ...change };
    this._listeners.forEach(listener => listener());
  }

  private readonly _sending = new Sending();
  private readonly _poller: Poller;
  private readonly _listeners = new Set<() => void>();
  private _state: ICourseState = EMPTY;
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}
