import { StudentClient } from './course/client';
import type { IStudentClient } from './course/types';
import type { ILeaderboardClient } from './leaderboardModel';
import type {
  IAssignment,
  IDownload,
  IGrade,
  ILeaderboard,
  ILeaderboardEntry,
  IMe,
  IPage,
  ISubmission
} from './types';

const NOTEBOOK_TYPE = 'application/x-ipynb+json';
const PAGE_SIZE = 200;

/** What the panel asks of the course service. */
export interface ICourseClient extends ILeaderboardClient, IStudentClient {
  me(): Promise<IMe>;
  assignments(course: string): Promise<IAssignment[]>;
  /** Every attempt of one person in one course, newest first. */
  submissions(course: string, user: string): Promise<ISubmission[]>;
  /** The students' copy of an assignment. */
  notebook(course: string, assignment: string): Promise<IDownload>;
  /** What a graded submission scored, exercise by exercise. */
  grade(submission: string): Promise<IGrade>;
  /** The feedback page of a graded submission, as HTML. */
  feedback(submission: string): Promise<string>;
}

/** The course service of the Jupyter server that this page came from. */
export class CourseClient extends StudentClient implements ICourseClient {
  me(): Promise<IMe> {
    return this.connection.json<IMe>(['me']);
  }

  assignments(course: string): Promise<IAssignment[]> {
    return this._all<IAssignment>(['courses', course, 'assignments'], {});
  }

  submissions(course: string, user: string): Promise<ISubmission[]> {
    return this._all<ISubmission>(['courses', course, 'submissions'], { user });
  }

  async notebook(course: string, assignment: string): Promise<IDownload> {
    const path = ['courses', course, 'assignments', assignment, 'notebook'];
    const response = await this.connection.fetch(path, { headers: { Accept: NOTEBOOK_TYPE } });
    const header = response.headers.get('Content-Disposition');
    return { name: attachmentName(header) ?? `${assignment}.ipynb`, text: await response.text() };
  }

  grade(submission: string): Promise<IGrade> {
    return this.connection.json<IGrade>(['submissions', submission, 'grade']);
  }

  async feedback(submission: string): Promise<string> {
    const path = ['submissions', submission, 'feedback'];
    return (await this.connection.fetch(path, { headers: { Accept: 'text/html' } })).text();
  }

  async leaderboard(course: string): Promise<ILeaderboard> {
    const path = ['courses', course, 'leaderboard'];
    let pseudonym: string | null = null;
    const items = await this._all<ILeaderboardEntry, IPage<ILeaderboardEntry> & ILeaderboard>(
      path,
      {},
      page => (pseudonym = page.pseudonym)
    );
    return { items, pseudonym };
  }

  async joinLeaderboard(course: string, pseudonym: string): Promise<void> {
    await this.connection.json(['courses', course, 'leaderboard', 'me'], {
      method: 'PUT',
      body: JSON.stringify({ pseudonym }),
      headers: { 'Content-Type': 'application/json' }
    });
  }

  async leaveLeaderboard(course: string): Promise<void> {
    await this.connection.json(['courses', course, 'leaderboard', 'me'], { method: 'DELETE' });
  }

  private async _all<T, P extends IPage<T> = IPage<T>>(
    path: string[],
    query: Record<string, string>,
    look: (page: P) => void = () => undefined
  ): Promise<T[]> {
    const items: T[] = [];
    for (;;) {
      const page = await this.connection.json<P>(
        path,
        {},
        { ...query, ...pageQuery(items.length) }
      );
      look(page);
      items.push(...page.items);
      if (page.items.length === 0 || items.length >= page.total) {
        return items;
      }
    }
  }
}

function pageQuery(offset: number): Record<string, string> {
  return { offset: String(offset), limit: String(PAGE_SIZE) };
}

/** The file name in a Content-Disposition header, if it is a plain one; RFC 6266 has both forms. */
export function attachmentName(header: string | null): string | null {
  const encoded = /filename\*=utf-8''([^;]+)/i.exec(header ?? '')?.[1]?.trim();
  const plain = /filename="?([^";]+)"?/i.exec(header ?? '')?.[1]?.trim();
  const name = (encoded === undefined ? undefined : decoded(encoded)) ?? plain;
  // A name with a separator would leave the folder that the person chose.
  return name && !/[\\/]/.test(name) ? name : null;
}

/** Text with its percent signs resolved; undefined if they are none. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
