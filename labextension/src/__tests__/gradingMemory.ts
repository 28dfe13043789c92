/** A course in memory, for those who grade: what it holds is what it answers. */

import { RequestError } from '../connection';
import type {
  IAnswer,
  IAssignmentName,
  IAttempt,
  ICell,
  IDefinition,
  IEntry,
  IEntryContent,
  IFile,
  IFullGrade,
  IGradebook,
  IGradebookQuery,
  IGradeChange,
  IGradingClient,
  IMark,
  IMarkingItem,
  IMarkingTotal,
  INbgraderImport,
  INewDefinition,
  INewMark,
  INewOutcome,
  IOutcomeOf,
  IRow,
  IScoredExercise,
  MarkingState,
  OutcomeChange
} from '../instructor/gradingTypes';
import type { IPage, Role } from '../types';

export const NOW = '2026-01-02T03:04:05+00:00';
const STUDENTS = 120;

export class MemoryGrading implements IGradingClient {
  myRole: Role = 'instructor';
  works: IAssignmentName[] = [
    { name: 'gae', kind: 'notebook' },
    { name: 'report', kind: 'entry' }
  ];
  rows: IRow[] = Array.from({ length: STUDENTS }, (_, index) => row(index));
  exercises: IScoredExercise[] = [scored('tests', 2), scored('why', 0)];
  changes: IGradeChange[] = [];
  marks = new Map<string, IMark>();
  definition: IDefinition = DEFINITION;
  stored: IOutcomeOf = NOTHING;
  older: IOutcomeOf[] = [];
  /** Every question that was asked of the gradebook. */
  readonly queries: IGradebookQuery[] = [];
  /** Every change that was asked for, in words. */
  readonly said: string[] = [];
  /** What the next change answers, in place of being done. */
  refusal: Error | null = null;

  async role(): Promise<Role> {
    return this.myRole;
  }

  async assignments(): Promise<IAssignmentName[]> {
    return this.works;
  }

  async groupNames(): Promise<string[]> {
    return ['lab A'];
  }

  async gradebook(_course: string, query: IGradebookQuery): Promise<IGradebook> {
    this.queries.push(query);
    const { offset, limit } = query;
    const found = this.rows.filter(each => each.user.includes(query.search));
    const items = found.slice(offset, offset + limit);
    const columns = [{ name: 'gae', kind: 'notebook', max_points: 6, due_at: NOW }];
    return { columns, items, total: found.length, offset, limit };
  }

  async gradebookCsv(): Promise<IFile> {
    return { name: 'rl.csv', data: new Blob(['user']) };
  }

  async gradebookJson(): Promise<IFile> {
    return { name: 'rl.json', data: new Blob(['{}']) };
  }

  async nbgraderExport(): Promise<IFile> {
    return { name: 'gradebook.db', data: new Blob(['']) };
  }

  async nbgraderImport(): Promise<INbgraderImport> {
    this._note('import');
    return { students: 1, assignments: 2, submissions: 3, grades: 4, warnings: ['a lab is new'] };
  }

  async attempts(_course: string, assignment: string, user: string): Promise<IAttempt[]> {
    const kind = assignment === 'report' ? 'entry' : 'notebook';
    return [2, 1].map(number => attempt(user, assignment, number, kind));
  }

  async grade(): Promise<IFullGrade> {
    return { points: 2, max_points: 6, extra_credit: 0, exercises: this.exercises };
  }

  async history(): Promise<IGradeChange[]> {
    return this.changes;
  }

  async regrade(submission: string): Promise<void> {
    this._note(`regrade ${submission}`);
  }

  async setReleased(_c: string, _a: string, submission: string, released: boolean): Promise<void> {
    this._note(`${released ? 'release' : 'withdraw'} ${submission}`);
  }

  async markingTotals(): Promise<IMarkingTotal[]> {
    const marked = this.marks.size;
    const more = { assignment: 'gae', kind: 'manual', max_points: 12, total: 3 };
    return [{ grade_id: 'why', waiting: 3 - marked, marked, ...more }];
  }

  async markingItems(
    _course: string,
    _assignment: string,
    gradeId: string,
    state: MarkingState,
    named: boolean
  ): Promise<IMarkingItem[]> {
    return ['ada', 'bob', 'cleo']
      .map(user => this._item(user, gradeId, named))
      .filter(item => state === 'all' || item.waits);
  }

  async answer(submission: string, gradeId: string): Promise<IAnswer> {
    const text = `answer of ${submission}`;
    const html = { prompt_html: '<p>Why?</p>', answer_html: `<p>${text}</p>` };
    return { grade_id: gradeId, kind: 'manual', ...html, answer_text: text, scheme: 'say clip' };
  }

  async mark(submission: string, gradeId: string, mark: INewMark): Promise<IScoredExercise> {
    this._note(`mark ${submission}/${gradeId} ${JSON.stringify(mark)}`);
    const stored = this.marks.get(submission);
    if (mark.revision !== (stored?.revision ?? 0)) {
      const conflict = { yours: { ...mark, marked_by: 'ines' }, theirs: { ...stored } };
      throw new RequestError('Somebody else saved.', 'conflict', 409, null, null, conflict);
    }
    this.store(submission, mark, 'ines');
    const made = { ...scored(gradeId, mark.points ?? 0), mark: this.marks.get(submission) ?? null };
    this.exercises = this.exercises.map(each => (each.grade_id === gradeId ? made : each));
    return made;
  }

  /** Store a mark as somebody. */
  store(submission: string, mark: Partial<INewMark>, by: string): void {
    const revision = (this.marks.get(submission)?.revision ?? 0) + 1;
    const { points = null, extra_credit = 0, comment = '' } = mark;
    const when = { marked_by: by, marked_at: NOW };
    this.marks.set(submission, { points, extra_credit, comment, revision, ...when });
  }

  async entry(_course: string, name: string): Promise<IEntry> {
    const { definition } = this;
    return { name, version: 1, note: '', released_at: NOW, definition };
  }

  async define(
    _course: string,
    name: string,
    definition: INewDefinition,
    note: string
  ): Promise<IEntry> {
    this._note(`define ${name} "${note}" ${JSON.stringify(definition)}`);
    if (!this.works.some(each => each.name === name)) {
      this.works = [...this.works, { name, kind: 'entry' }];
    }
    return { ...(await this.entry('', name)), version: 2 };
  }

  async entrySubmissions(_course: string, name: string): Promise<IPage<IAttempt>> {
    const items = [attempt('ada', name, 1, 'entry')];
    return { items, total: 1, offset: 0, limit: 50 };
  }

  async entryContent(submission: string): Promise<IEntryContent> {
    const which = { submission_id: submission, assignment: 'report', attempt: 1, version: 1 };
    const text = { text: 'I trained', text_html: '<p>I trained</p>', code: '', code_html: '' };
    const file = { name: 'figures/a.png', size: 2048, digest: 'd' };
    return {
      ...which,
      ...text,
      submitted_at: NOW,
      title: 'CartPole',
      files: [file],
      run: { state: 'finished', step: 2048, metrics: { loss: { first: 1, last: 0.25 } } },
      definition: this.definition
    };
  }

  async entryFile(_submission: string, name: string): Promise<IFile> {
    this._note(`download ${name}`);
    return { name: 'a.png', data: new Blob(['']) };
  }

  async outcome(): Promise<IOutcomeOf> {
    return this.stored;
  }

  async saveOutcome(_submission: string, outcome: INewOutcome): Promise<IOutcomeOf> {
    this._note(`outcome ${JSON.stringify(outcome)}`);
    this._meet(outcome.revision, { ...outcome });
    const results = outcome.results.map(each => ({ ...each, points: each.points ?? 2 }));
    const { summary, private_note, revision } = outcome;
    return this.write({ results, summary, private_note, revision: revision + 1 });
  }

  async changeOutcome(
    _submission: string,
    change: OutcomeChange,
    revision: number
  ): Promise<IOutcomeOf> {
    this._note(`${change} ${revision}`);
    this._meet(revision, {});
    const state = { approve: 'approved', release: 'released', withdraw: 'approved' } as const;
    const next = change === 'reopen' ? 'draft' : state[change];
    return this.write({ state: next, revision: revision + 1 });
  }

  /** Store a revision. */
  write(change: Partial<IOutcomeOf>): IOutcomeOf {
    const by = { author_kind: 'person', author: 'ines', changed_by: 'ines', at: NOW } as const;
    this.stored = { ...this.stored, ...by, ...change };
    this.older = [this.stored, ...this.older];
    return this.stored;
  }

  async revisions(): Promise<IOutcomeOf[]> {
    return this.older;
  }

  async releaseApproved(): Promise<number> {
    this._note('release all');
    return 2;
  }

  private _item(user: string, gradeId: string, named: boolean): IMarkingItem {
    const submission_id = `of-${user}`;
    const mark = this.marks.get(submission_id) ?? null;
    return {
      submission_id,
      grade_id: gradeId,
      who: named ? user : `Student ${user.length}${user.charCodeAt(0)}`,
      auto_points: 0,
      max_points: 12,
      score: mark?.points ?? 0,
      mark,
      waits: mark?.points === undefined || mark.points === null,
      auto_changed: false
    };
  }

  private _meet(revision: number, yours: Record<string, unknown>): void {
    if (revision !== this.stored.revision) {
      const conflict = { yours, theirs: { ...this.stored } };
      throw new RequestError('Somebody else saved.', 'conflict', 409, null, null, conflict);
    }
  }

  private _note(change: string): void {
    if (this.refusal !== null) {
      throw this.refusal;
    }
    this.said.push(change);
  }
}

const LEVELS = [
  { name: 'missing', points: 0, description: '' },
  { name: 'sound', points: 2, description: 'every choice has a reason' }
];

const DEFINITION: IDefinition = {
  title: 'Report',
  instructions: 'Describe it.',
  instructions_html: '<p>Describe it.</p>',
  parts: ['text'],
  max_points: 4,
  rubric: ['method', 'prose'].map(name => ({
    name,
    title: name.toUpperCase(),
    description: '',
    note: 'look at gamma',
    max_points: 2,
    levels: LEVELS
  }))
};

const NOTHING: IOutcomeOf = {
  submission_id: 'report-ada-1',
  revision: 0,
  state: 'draft',
  results: [],
  summary: '',
  private_note: '',
  points: 0,
  max_points: 4,
  author_kind: null,
  author: null,
  changed_by: null,
  approved_by: null,
  at: null
};

export function cell(change: Partial<ICell> = {}): ICell {
  return {
    submission_id: 'gae-ada-2',
    state: 'released',
    points: 4.5,
    max_points: 6,
    penalty: 0,
    extra_credit: 0,
    late_seconds: 0,
    attempts: 2,
    needs_review: false,
    unsealed_points: 0,
    released: true,
    ...change
  };
}

function row(index: number): IRow {
  const user = `student-${String(index).padStart(3, '0')}`;
  const name = { first_name: 'Ada', last_name: `Number ${index}` };
  return { user, ...name, groups: ['lab A'], total: 4.5, max_total: 6, cells: { gae: cell() } };
}

function scored(grade_id: string, points: number): IScoredExercise {
  const said = { extra_credit: 0, comment: '', needs_review: false, waits: false };
  const more = { auto_changed: false, sealed: true, mark: null };
  return { grade_id, points, max_points: 4, score: points, ...said, ...more };
}

function attempt(
  user: string,
  assignment: string,
  number: number,
  kind: 'notebook' | 'entry'
): IAttempt {
  return {
    id: `${assignment}-${user}-${number}`,
    course: 'rl',
    assignment,
    version: 1,
    user,
    attempt: number,
    digest: 'd',
    state: 'graded',
    submitted_at: NOW,
    warnings: [],
    error: null,
    points: 4.5,
    max_points: 6,
    unsealed_points: 0,
    needs_review: false,
    kind,
    attempt_state: 'graded',
    late_seconds: number === 2 ? 3600 : 0,
    penalty: 0,
    counts: number === 2,
    released_at: null
  };
}
