/** A course in memory, for those who run it: what it holds is what it answers. */

import { RequestError } from '../connection';
import type {
  IBatch,
  IBatchItem,
  ICourseAssignment,
  IExtension,
  IGroup,
  IInstructorClient,
  IMember,
  IMemberEdit,
  IMemberFilter,
  INewBatch,
  INewExtension,
  IQueue,
  IRosterImport,
  ITerms,
  ITrashed,
  IVersion,
  NotebookKind
} from '../instructor/types';
import type { IDownload, IMe, IPage, ISubmission, Role } from '../types';

export const NOW = '2026-01-02T03:04:05+00:00';

export const TERMS: ITerms = {
  opens_at: null,
  due_at: '2026-02-01T23:59:59.500000+00:00',
  closes_at: null,
  grace_seconds: 600,
  late: { rule: 'per_day', percent_per_day: 10, at_least_percent: 0, steps: [] },
  max_attempts: 0,
  counting: 'latest',
  autograde: true,
  grades: 'at_once',
  revision: 3
};

export class MemoryCourse implements IInstructorClient {
  role: Role = 'instructor';
  people: IMember[] = [person('ada', 'Ada', ['A']), person('bob', 'Bob', [])];
  classes: IGroup[] = [{ name: 'A', users: ['ada'] }];
  works: ICourseAssignment[] = [
    { name: 'gae', version: 2, points: 10, released_at: NOW, due_at: TERMS.due_at }
  ];
  bin: ITrashed[] = [];
  stored: ITerms = TERMS;
  given: IExtension[] = [];
  releases: IVersion[] = [version(2, 1, 1), version(1, 3, 2)];
  runs: IBatch[] = [];
  items: IBatchItem[] = [];
  now: IQueue = { waiting: 0, grading: 0 };
  /** Every change that was asked for, in words. */
  readonly changes: string[] = [];
  /** The filters that people were asked for with. */
  readonly filters: IMemberFilter[] = [];
  trial: IRosterImport = {
    added: 2,
    changed: 0,
    unchanged: 1,
    problems: [],
    problem_count: 0,
    applied: false
  };
  refusal: Error | null = null;

  async me(): Promise<IMe> {
    this._answer();
    const course = (name: string, title: string) => ({ name, title, role: this.role });
    return {
      user: 'ines',
      admin: false,
      courses: [course('rl', 'Reinforcement learning'), course('ml', 'Machine learning')],
      sandbox: { available: true, engine: 'docker', image: 'ppo', problem: null, remedy: null }
    };
  }

  async submission(): Promise<ISubmission> {
    throw new Error('not asked for here');
  }

  async feedback(): Promise<string> {
    return '<p>well done</p>';
  }

  async members(_course: string, filter: IMemberFilter): Promise<IPage<IMember>> {
    this._answer();
    this.filters.push(filter);
    const items = this.people.filter(
      each =>
        (each.removed_at !== null) === filter.removed &&
        each.user.includes(filter.search) &&
        (filter.role === '' || each.role === filter.role)
    );
    return { items, total: items.length, offset: filter.offset, limit: 50 };
  }

  async saveMember(_course: string, user: string, member: IMemberEdit): Promise<void> {
    this._note(`save ${user} ${JSON.stringify(member)}`);
    const old = this.people.find(each => each.user === user) ?? person(user, '', []);
    this.people = [
      ...this.people.filter(each => each.user !== user),
      { ...old, ...member, removed_at: null }
    ];
  }

  async unenrol(_course: string, user: string): Promise<void> {
    this._note(`unenrol ${user}`);
    this.people = this.people.map(each =>
      each.user === user ? { ...each, removed_at: NOW } : each
    );
  }

  async importMembers(_course: string, file: File, dryRun: boolean): Promise<IRosterImport> {
    this._note(`${dryRun ? 'try' : 'import'} ${file.name}`);
    return { ...this.trial, applied: !dryRun && this.trial.problems.length === 0 };
  }

  async groups(): Promise<IGroup[]> {
    return this.classes;
  }

  async saveGroup(_course: string, name: string, users: string[]): Promise<void> {
    this._note(`group ${name}: ${users.join(' ')}`);
    this.classes = [...this.classes.filter(each => each.name !== name), { name, users }];
  }

  async deleteGroup(_course: string, name: string): Promise<void> {
    this._note(`delete group ${name}`);
    this.classes = this.classes.filter(each => each.name !== name);
  }

  async trash(): Promise<ITrashed[]> {
    return this.bin;
  }

  async restore(_course: string, id: string): Promise<void> {
    this._note(`restore ${id}`);
    const item = this.bin.find(each => each.id === id);
    this.bin = this.bin.filter(each => each.id !== id);
    if (item !== undefined) {
      this.works = [...this.works, { name: item.name, version: 2, points: 10, released_at: NOW }];
    }
  }

  async assignments(): Promise<ICourseAssignment[]> {
    this._answer();
    return this.works;
  }

  async deleteAssignment(_course: string, name: string): Promise<ITrashed> {
    this._note(`delete ${name}`);
    this.works = this.works.filter(each => each.name !== name);
    const deleted = { deleted_at: NOW, deleted_by: 'ines' };
    const item: ITrashed = { kind: 'assignment', id: `id-${name}`, name, ...deleted };
    this.bin = [item];
    return item;
  }

  async terms(): Promise<ITerms> {
    return this.stored;
  }

  async saveTerms(_course: string, _assignment: string, terms: ITerms): Promise<ITerms> {
    this._note('terms');
    if (terms.revision !== this.stored.revision) {
      const conflict = { yours: { ...terms }, theirs: { ...this.stored } };
      throw new RequestError('Somebody else saved.', 'conflict', 409, null, null, conflict);
    }
    this.stored = { ...terms, revision: terms.revision + 1 };
    return this.stored;
  }

  async extensions(): Promise<IExtension[]> {
    return this.given;
  }

  async grant(_course: string, _assignment: string, extension: INewExtension): Promise<void> {
    this._note(`grant ${JSON.stringify(extension)}`);
    const { user = null, group = null, seconds, attempts, reason } = extension;
    const id = `extension-${this.given.length + 1}`;
    const given = { id, user, group, seconds, attempts, reason, revoked_at: null };
    this.given = [...this.given, { ...given, created_by: 'ines', created_at: NOW }];
  }

  async revoke(_course: string, _assignment: string, id: string): Promise<void> {
    this._note(`revoke ${id}`);
    this.given = this.given.map(each => (each.id === id ? { ...each, revoked_at: NOW } : each));
  }

  async versions(): Promise<IVersion[]> {
    return this.releases;
  }

  async versionNotebook(
    _course: string,
    assignment: string,
    number: number,
    kind: NotebookKind
  ): Promise<IDownload> {
    return { name: `${assignment}-${number}-${kind}.ipynb`, text: '{}' };
  }

  async publishAgain(_course: string, _name: string, number: number, note: string): Promise<void> {
    this._note(`publish ${number} "${note}"`);
    const newest = Math.max(...this.releases.map(each => each.number));
    this.releases = [{ ...version(newest + 1, 0, 0), note }, ...this.releases];
  }

  async releaseGrades(): Promise<number> {
    this._note('release grades');
    return 2;
  }

  async withdrawGrades(): Promise<number> {
    this._note('withdraw grades');
    return 1;
  }

  async startBatch(_course: string, assignment: string, wanted: INewBatch): Promise<IBatch> {
    this._note(`batch ${JSON.stringify(wanted)}`);
    const made = batch(assignment, wanted, { waiting: 2, done: 0 });
    this.runs = [made, ...this.runs];
    return made;
  }

  async batches(): Promise<IPage<IBatch>> {
    this._answer();
    return { items: this.runs, total: this.runs.length, offset: 0, limit: 20 };
  }

  async batchItems(_batch: string, changed: boolean): Promise<IBatchItem[]> {
    return this.items.filter(item => !changed || item.before?.points !== item.after?.points);
  }

  async cancelBatch(id: string): Promise<void> {
    this._note(`cancel ${id}`);
    this.runs = this.runs.map(each =>
      each.id === id
        ? { ...each, is_over: true, cancelled_at: NOW, counts: { cancelled: each.total } }
        : each
    );
  }

  async queue(): Promise<IQueue> {
    return this.now;
  }

  private _note(change: string): void {
    this._answer();
    this.changes.push(change);
  }

  private _answer(): void {
    if (this.refusal !== null) {
      throw this.refusal;
    }
  }
}

function person(user: string, first_name: string, groups: string[]): IMember {
  const known = { last_name: '', email: `${user}@example.org`, lms_user_id: '' };
  const since = { enrolled_at: NOW, removed_at: null };
  return { user, role: 'student', first_name, groups, ...known, ...since };
}

function version(number: number, submissions: number, graded: number): IVersion {
  const released = { released_at: NOW, released_by: 'ines', note: '' };
  return { number, ...released, points: 10, submissions, graded };
}

/** A batch of two submissions. */
export function batch(assignment: string, wanted: INewBatch, counts: IBatch['counts']): IBatch {
  return {
    id: 'batch-1',
    course: 'rl',
    assignment,
    created_by: 'ines',
    created_at: NOW,
    reason: wanted.reason,
    scope: wanted.scope,
    version: wanted.newest_version ? 2 : null,
    cancelled_at: null,
    counts,
    total: 2,
    is_over: false
  };
}

/** One submission of a batch with its points before and after. */
export function item(user: string, before: number | null, after: number | null): IBatchItem {
  const snapshot = (points: number) => ({
    version: 2,
    points,
    max_points: 10,
    exercises: { gae: points }
  });
  return {
    submission_id: `of-${user}`,
    user,
    attempt: 1,
    state: after === null ? 'waiting' : 'done',
    before: before === null ? null : snapshot(before),
    after: after === null ? null : snapshot(after),
    error: null,
    position: after === null ? 1 : null
  };
}
