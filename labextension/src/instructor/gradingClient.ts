import type { ServerConnection } from '@jupyterlab/services';

import { Connection, RequestError } from '../connection';
import { attachmentName } from '../request';
import type { IMe, IPage, Role } from '../types';
import type {
  IAnswer,
  IAssignmentName,
  IAttempt,
  IEntry,
  IEntryContent,
  IFile,
  IFullGrade,
  IGradebook,
  IGradebookQuery,
  IGradeChange,
  IGradingClient,
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
} from './gradingTypes';

const LARGEST_PAGE = 200;
/** How many submissions of an entry one page shows. */
export const ENTRIES_PER_PAGE = 50;

/** The course service of the Jupyter server that this page came from, for those who grade. */
export class GradingClient implements IGradingClient {
  constructor(settings?: ServerConnection.ISettings) {
    this._connection = new Connection(settings);
  }

  async role(course: string): Promise<Role> {
    const me = await this._connection.json<IMe>(['me']);
    const own = me.courses.find(item => item.name === course)?.role;
    return own ?? (me.admin ? 'admin' : 'student');
  }

  assignments(course: string): Promise<IAssignmentName[]> {
    return this._all(['courses', course, 'assignments']);
  }

  async groupNames(course: string): Promise<string[]> {
    const groups = await this._all<{ name: string }>(['courses', course, 'groups']);
    return groups.map(group => group.name);
  }

  gradebook(course: string, query: IGradebookQuery): Promise<IGradebook> {
    return this._connection.json(['courses', course, 'gradebook'], {}, asked(query));
  }

  gradebookCsv(course: string, query: IGradebookQuery): Promise<IFile> {
    const all = { ...asked(query), format: 'csv' };
    return this._file(['courses', course, 'gradebook'], `${course}-gradebook.csv`, all);
  }

  async gradebookJson(course: string, query: IGradebookQuery): Promise<IFile> {
    const items: IRow[] = [];
    for (;;) {
      const part = { ...query, offset: items.length, limit: LARGEST_PAGE };
      const page = await this.gradebook(course, part);
      items.push(...page.items);
      if (page.items.length === 0 || items.length >= page.total) {
        const text = JSON.stringify({ columns: page.columns, items }, null, 2);
        const name = `${course}-${query.assignment || 'gradebook'}.json`;
        return { name, data: new Blob([text], { type: 'application/json' }) };
      }
    }
  }

  nbgraderExport(course: string): Promise<IFile> {
    return this._file(['courses', course, 'gradebook', 'nbgrader'], `${course}-gradebook.db`);
  }

  nbgraderImport(course: string, file: Blob): Promise<INbgraderImport> {
    const headers = { 'Content-Type': 'application/vnd.sqlite3' };
    const path = ['courses', course, 'gradebook', 'nbgrader'];
    return this._connection.json(path, { method: 'POST', body: file, headers });
  }

  attempts(course: string, assignment: string, user: string): Promise<IAttempt[]> {
    return this._all(['courses', course, 'submissions'], { assignment, user });
  }

  grade(submission: string): Promise<IFullGrade> {
    return this._connection.json(['submissions', submission, 'grade']);
  }

  history(submission: string): Promise<IGradeChange[]> {
    return this._all(['submissions', submission, 'history']);
  }

  async regrade(submission: string): Promise<void> {
    await this._connection.json(['submissions', submission, 'grade'], { method: 'POST' });
  }

  async setReleased(
    course: string,
    assignment: string,
    submission: string,
    released: boolean
  ): Promise<void> {
    const path = ['courses', course, 'assignments', assignment, 'released-grades'];
    const body = { submissions: [submission] };
    await this._connection.json(path, sent(released ? 'PUT' : 'DELETE', body));
  }

  markingTotals(course: string): Promise<IMarkingTotal[]> {
    return this._all(['courses', course, 'marking']);
  }

  markingItems(
    course: string,
    assignment: string,
    gradeId: string,
    state: MarkingState,
    named: boolean
  ): Promise<IMarkingItem[]> {
    const path = ['courses', course, 'assignments', assignment, 'marking'];
    return this._all(path, { grade_id: gradeId, state, named: String(named) });
  }

  answer(submission: string, gradeId: string): Promise<IAnswer> {
    return this._connection.json(['submissions', submission, 'answers', gradeId]);
  }

  mark(submission: string, gradeId: string, mark: INewMark): Promise<IScoredExercise> {
    return this._connection.json(['submissions', submission, 'marks', gradeId], sent('PUT', mark));
  }

  entry(course: string, name: string): Promise<IEntry> {
    return this._connection.json(['courses', course, 'entries', name]);
  }

  define(course: string, name: string, definition: INewDefinition, note: string): Promise<IEntry> {
    const path = ['courses', course, 'entries', name];
    return this._connection.json(path, sent('PUT', definition), note === '' ? {} : { note });
  }

  entrySubmissions(course: string, name: string, offset: number): Promise<IPage<IAttempt>> {
    const part = { offset: String(offset), limit: String(ENTRIES_PER_PAGE) };
    const query = { assignment: name, latest: 'true', ...part };
    return this._connection.json(['courses', course, 'submissions'], {}, query);
  }

  entryContent(submission: string): Promise<IEntryContent> {
    return this._connection.json(['submissions', submission, 'entry']);
  }

  entryFile(submission: string, name: string): Promise<IFile> {
    const last = name.slice(name.lastIndexOf('/') + 1);
    return this._file(['submissions', submission, 'files', name], last);
  }

  outcome(submission: string): Promise<IOutcomeOf> {
    return this._connection.json(['submissions', submission, 'outcome']);
  }

  saveOutcome(submission: string, outcome: INewOutcome): Promise<IOutcomeOf> {
    return this._connection.json(['submissions', submission, 'outcome'], sent('PUT', outcome));
  }

  changeOutcome(submission: string, change: OutcomeChange, revision: number): Promise<IOutcomeOf> {
    const path = ['submissions', submission, 'outcome', change];
    return this._connection.json(path, sent('POST', { revision }));
  }

  revisions(submission: string): Promise<IOutcomeOf[]> {
    return this._all(['submissions', submission, 'outcome', 'revisions']);
  }

  async releaseApproved(course: string, name: string): Promise<number> {
    const path = ['courses', course, 'entries', name, 'release'];
    const answer = await this._connection.json<{ released: number }>(path, { method: 'POST' });
    return answer.released;
  }

  private async _file(
    path: string[],
    name: string,
    query: Record<string, string> = {}
  ): Promise<IFile> {
    const response = await this._connection.fetch(path, {}, query);
    const header = response.headers.get('Content-Disposition');
    return { name: attachmentName(header) ?? name, data: await response.blob() };
  }

  private async _all<T>(path: string[], query: Record<string, string> = {}): Promise<T[]> {
    const items: T[] = [];
    for (;;) {
      const part = { offset: String(items.length), limit: String(LARGEST_PAGE) };
      const page = await this._connection.json<IPage<T>>(path, {}, { ...query, ...part });
      items.push(...page.items);
      if (page.items.length === 0 || items.length >= page.total) {
        return items;
      }
    }
  }

  private readonly _connection: Connection;
}

/** The two values of an edit that met another one, or null when it failed for another reason. */
export function conflictOf<T>(error: unknown): { yours: T; theirs: T } | null {
  const conflict = error instanceof RequestError ? error.conflict : null;
  return conflict as { yours: T; theirs: T } | null;
}

function asked(query: IGradebookQuery): Record<string, string> {
  const given = Object.entries(query).filter(([, value]) => value !== '');
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

function sent(method: string, value: unknown): RequestInit {
  const headers = { 'Content-Type': 'application/json' };
  return { method, body: JSON.stringify(value), headers };
}
