import type { ServerConnection } from '@jupyterlab/services';

import { Connection } from '../connection';
import { attachmentName } from '../request';
import type { IDownload, IMe, IPage, ISubmission } from '../types';
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
} from './types';

const LARGEST_PAGE = 200;
/** How many people one page of the table shows. */
export const PEOPLE_PER_PAGE = 50;
/** How many of the latest batches the queue shows. */
const BATCHES_SHOWN = 20;

/** The course service of the Jupyter server that this page came from, for those who run courses. */
export class InstructorClient implements IInstructorClient {
  constructor(settings?: ServerConnection.ISettings) {
    this._connection = new Connection(settings);
  }

  me(): Promise<IMe> {
    return this._connection.json<IMe>(['me']);
  }

  submission(id: string): Promise<ISubmission> {
    return this._connection.json<ISubmission>(['submissions', id]);
  }

  async feedback(id: string): Promise<string> {
    const headers = { Accept: 'text/html' };
    return (await this._connection.fetch(['submissions', id, 'feedback'], { headers })).text();
  }

  members(course: string, filter: IMemberFilter): Promise<IPage<IMember>> {
    const { search, role, group, removed, offset } = filter;
    const query = { search, role, group, removed: removed ? 'true' : '' };
    const asked = Object.entries(query).filter(([, value]) => value !== '');
    return this._connection.json(
      ['courses', course, 'members'],
      {},
      { ...Object.fromEntries(asked), offset: String(offset), limit: String(PEOPLE_PER_PAGE) }
    );
  }

  async saveMember(course: string, user: string, member: IMemberEdit): Promise<void> {
    await this._connection.json(['courses', course, 'members', user], put(member));
  }

  async unenrol(course: string, user: string): Promise<void> {
    await this._connection.fetch(['courses', course, 'members', user], { method: 'DELETE' });
  }

  importMembers(course: string, file: Blob | string, dryRun: boolean): Promise<IRosterImport> {
    const headers = { 'Content-Type': 'text/csv' };
    return this._connection.json(
      ['courses', course, 'members', 'import'],
      { method: 'POST', body: file, headers },
      { dry_run: String(dryRun) }
    );
  }

  groups(course: string): Promise<IGroup[]> {
    return this._all(['courses', course, 'groups']);
  }

  async saveGroup(course: string, group: string, users: string[]): Promise<void> {
    await this._connection.json(['courses', course, 'groups', group], put({ users }));
  }

  async deleteGroup(course: string, group: string): Promise<void> {
    await this._connection.fetch(['courses', course, 'groups', group], { method: 'DELETE' });
  }

  trash(course: string): Promise<ITrashed[]> {
    return this._all(['courses', course, 'trash']);
  }

  async restore(course: string, id: string): Promise<void> {
    await this._connection.fetch(['courses', course, 'trash', id], { method: 'POST' });
  }

  assignments(course: string): Promise<ICourseAssignment[]> {
    return this._all(['courses', course, 'assignments']);
  }

  deleteAssignment(course: string, assignment: string): Promise<ITrashed> {
    return this._connection.json(of(course, assignment), { method: 'DELETE' });
  }

  terms(course: string, assignment: string): Promise<ITerms> {
    return this._connection.json(of(course, assignment, 'terms'));
  }

  saveTerms(course: string, assignment: string, terms: ITerms): Promise<ITerms> {
    return this._connection.json(of(course, assignment, 'terms'), put(terms));
  }

  extensions(course: string, assignment: string): Promise<IExtension[]> {
    return this._all(of(course, assignment, 'extensions'), { revoked: 'true' });
  }

  async grant(course: string, assignment: string, extension: INewExtension): Promise<void> {
    await this._connection.json(of(course, assignment, 'extensions'), post(extension));
  }

  async revoke(course: string, assignment: string, extension: string): Promise<void> {
    const path = of(course, assignment, 'extensions', extension);
    await this._connection.fetch(path, { method: 'DELETE' });
  }

  versions(course: string, assignment: string): Promise<IVersion[]> {
    return this._all(of(course, assignment, 'versions'));
  }

  async versionNotebook(
    course: string,
    assignment: string,
    number: number,
    kind: NotebookKind
  ): Promise<IDownload> {
    const path = of(course, assignment, 'versions', String(number), 'notebook');
    const response = await this._connection.fetch(path, {}, { kind });
    const header = response.headers.get('Content-Disposition');
    const name = attachmentName(header) ?? `${assignment}-version-${number}.ipynb`;
    return { name, text: await response.text() };
  }

  async publishAgain(
    course: string,
    assignment: string,
    number: number,
    note: string
  ): Promise<void> {
    await this._connection.json(of(course, assignment, 'versions'), post({ number, note }));
  }

  releaseGrades(course: string, assignment: string): Promise<number> {
    return this._changeRelease(course, assignment, 'PUT');
  }

  withdrawGrades(course: string, assignment: string): Promise<number> {
    return this._changeRelease(course, assignment, 'DELETE');
  }

  startBatch(course: string, assignment: string, batch: INewBatch): Promise<IBatch> {
    return this._connection.json(of(course, assignment, 'batches'), post(batch));
  }

  batches(course: string): Promise<IPage<IBatch>> {
    const query = { offset: '0', limit: String(BATCHES_SHOWN) };
    return this._connection.json(['courses', course, 'batches'], {}, query);
  }

  batchItems(batch: string, changed: boolean): Promise<IBatchItem[]> {
    return this._all(['batches', batch, 'items'], changed ? { changed: 'true' } : {});
  }

  async cancelBatch(batch: string): Promise<void> {
    await this._connection.json(['batches', batch, 'cancel'], { method: 'POST' });
  }

  queue(course: string): Promise<IQueue> {
    return this._connection.json(['courses', course, 'queue']);
  }

  private async _changeRelease(
    course: string,
    assignment: string,
    method: 'PUT' | 'DELETE'
  ): Promise<number> {
    const path = of(course, assignment, 'released-grades');
    const answer = await this._connection.json<{ changed: number }>(path, body(method, {}));
    return answer.changed;
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

function of(course: string, assignment: string, ...rest: string[]): string[] {
  return ['courses', course, 'assignments', assignment, ...rest];
}

function put(value: unknown): RequestInit {
  return body('PUT', value);
}

function post(value: unknown): RequestInit {
  return body('POST', value);
}

function body(method: string, value: unknown): RequestInit {
  return {
    method,
    body: JSON.stringify(value),
    headers: { 'Content-Type': 'application/json' }
  };
}
