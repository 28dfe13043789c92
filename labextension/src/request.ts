import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { IAssignment, IDownload, IMe, IPage, ISubmission } from './types';

const API = 'jupyter-ppo/api/v1';
const NOTEBOOK_TYPE = 'application/x-ipynb+json';
const PAGE_SIZE = 200;

/**
 * A request that did not succeed.
 *
 * `code` is the service's own word for it (`not_found`, `too_large`, ...), or `network` when no
 * answer came, or `http` when what answered was not the course service. `message` is for people.
 */
export class RequestError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly status: number,
    readonly field: string | null = null
  ) {
    super(message);
    this.name = 'RequestError';
  }
}

/** What the panel asks of the course service. */
export interface ICourseClient {
  me(): Promise<IMe>;
  assignments(course: string): Promise<IAssignment[]>;
  /** Every attempt of one person in one course, newest first. */
  submissions(course: string, user: string): Promise<ISubmission[]>;
  /** The students' copy of an assignment. */
  notebook(course: string, assignment: string): Promise<IDownload>;
  /** Hand in a notebook; `text` is sent byte for byte. */
  submit(course: string, assignment: string, text: string): Promise<ISubmission>;
  /** The feedback page of a graded submission, as HTML. */
  feedback(submission: string): Promise<string>;
}

/** The course service of the Jupyter server that this page came from. */
export class CourseClient implements ICourseClient {
  constructor(private readonly _settings = ServerConnection.makeSettings()) {}

  me(): Promise<IMe> {
    return this._json<IMe>(['me']);
  }

  assignments(course: string): Promise<IAssignment[]> {
    return this._all<IAssignment>(['courses', course, 'assignments'], {});
  }

  submissions(course: string, user: string): Promise<ISubmission[]> {
    return this._all<ISubmission>(['courses', course, 'submissions'], { user });
  }

  async notebook(course: string, assignment: string): Promise<IDownload> {
    const path = ['courses', course, 'assignments', assignment, 'notebook'];
    const response = await this._fetch(path, { headers: { Accept: NOTEBOOK_TYPE } });
    const header = response.headers.get('Content-Disposition');
    return { name: attachmentName(header) ?? `${assignment}.ipynb`, text: await response.text() };
  }

  submit(course: string, assignment: string, text: string): Promise<ISubmission> {
    return this._json<ISubmission>(['courses', course, 'assignments', assignment, 'submissions'], {
      method: 'POST',
      body: text,
      headers: { 'Content-Type': NOTEBOOK_TYPE }
    });
  }

  async feedback(submission: string): Promise<string> {
    const path = ['submissions', submission, 'feedback'];
    return (await this._fetch(path, { headers: { Accept: 'text/html' } })).text();
  }

  private async _all<T>(path: string[], query: Record<string, string>): Promise<T[]> {
    const items: T[] = [];
    for (;;) {
      const page = await this._json<IPage<T>>(path, {}, { ...query, ...pageQuery(items.length) });
      items.push(...page.items);
      if (page.items.length === 0 || items.length >= page.total) {
        return items;
      }
    }
  }

  private async _json<T>(
    path: string[],
    init: RequestInit = {},
    query: Record<string, string> = {}
  ): Promise<T> {
    const response = await this._fetch(path, init, query);
    try {
      return (await response.json()) as T;
    } catch {
      throw new RequestError('The server sent an answer that is not JSON.', 'http', 200);
    }
  }

  private async _fetch(
    path: string[],
    init: RequestInit,
    query: Record<string, string> = {}
  ): Promise<Response> {
    const address = URLExt.join(this._settings.baseUrl, API, ...path.map(encodeURIComponent));
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        address + URLExt.objectToQueryString(query),
        init,
        this._settings
      );
    } catch {
      throw new RequestError(
        'The Jupyter server does not answer. Check that it is still running.',
        'network',
        0
      );
    }
    if (!response.ok) {
      throw await errorFrom(response);
    }
    return response;
  }
}

function pageQuery(offset: number): Record<string, string> {
  return { offset: String(offset), limit: String(PAGE_SIZE) };
}

/** The file name in a Content-Disposition header, if it is a plain one. */
export function attachmentName(header: string | null): string | null {
  const name = /filename="?([^";]+)"?/i.exec(header ?? '')?.[1]?.trim();
  // A name with a separator would leave the folder that the person chose.
  return name && !/[\\/]/.test(name) ? name : null;
}

async function errorFrom(response: Response): Promise<RequestError> {
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    body = null;
  }
  if (isErrorBody(body)) {
    return new RequestError(body.message, body.code, response.status, body.field ?? null);
  }
  const message =
    response.status === 404
      ? 'The course service is not running on this server. Enable it with ' +
        '"jupyter server extension enable jupyter_ppo" and restart Jupyter.'
      : `The server answered ${response.status} ${response.statusText}`.trim() + '.';
  return new RequestError(message, 'http', response.status);
}

interface IErrorBody {
  code: string;
  message: string;
  field?: string | null;
}

function isErrorBody(body: unknown): body is IErrorBody {
  return (
    typeof body === 'object' &&
    body !== null &&
    typeof (body as Partial<IErrorBody>).code === 'string' &&
    typeof (body as Partial<IErrorBody>).message === 'string'
  );
}
