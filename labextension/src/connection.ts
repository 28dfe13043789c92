import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

const API = 'jupyter-ppo/api/v1';

/**
 * A request that did not succeed.
 *
 * `code` is the service's own word for it (`not_found`, `too_large`, ...), or `network` when no
 * answer came, or `http` when what answered was not the course service. `message` is for people.
 * `retryAfter` is how many seconds the service asks to wait, where it does. `conflict` is what was
 * sent and what is stored now, when somebody else saved in between.
 */
export class RequestError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly status: number,
    readonly field: string | null = null,
    readonly retryAfter: number | null = null,
    readonly conflict: IConflict | null = null
  ) {
    super(message);
    this.name = 'RequestError';
  }
}

/** The two values of an edit that met another one, in the shape of the answer. */
export interface IConflict {
  yours: Record<string, unknown>;
  theirs: Record<string, unknown>;
}

/** The REST service of the Jupyter server that this page came from. */
export class Connection {
  constructor(private readonly _settings = ServerConnection.makeSettings()) {}

  /** A stream of messages; signed in as the page is. */
  socket(path: string[], query: Record<string, string> = {}): WebSocket {
    const { wsUrl, token, appendToken } = this._settings;
    const address = URLExt.join(wsUrl, API, ...path.map(encodeURIComponent));
    const asked = appendToken && token !== '' ? { ...query, token } : query;
    return new this._settings.WebSocket(address + URLExt.objectToQueryString(asked));
  }

  /** The JSON that a successful request answers. */
  async json<T>(
    path: string[],
    init: RequestInit = {},
    query: Record<string, string> = {}
  ): Promise<T> {
    const response = await this.fetch(path, init, query);
    try {
      return parseJson(await response.text()) as T;
    } catch {
      throw notJson();
    }
  }

  /** A successful response. */
  async fetch(
    path: string[],
    init: RequestInit,
    query: Record<string, string> = {}
  ): Promise<Response> {
    const response = await this._send(path, init, query);
    if (!response.ok) {
      throw errorOf(response, await bodyOf(response));
    }
    return response;
  }

  private async _send(
    path: string[],
    init: RequestInit,
    query: Record<string, string>
  ): Promise<Response> {
    const address = URLExt.join(this._settings.baseUrl, API, ...path.map(encodeURIComponent));
    try {
      return await ServerConnection.makeRequest(
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
  }
}

/** JSON with whole numbers beyond 2^53 kept to the last digit, where the browser can do that. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) => {
    const isRounded = typeof value === 'number' && !Number.isSafeInteger(value);
    return isRounded && /^-?\d+$/.test(context?.source ?? '')
      ? BigInt(context?.source ?? '')
      : value;
  });
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return parseJson(await response.text());
  } catch {
    return null;
  }
}

function notJson(): RequestError {
  return new RequestError('The server sent an answer that is not JSON.', 'http', 200);
}

function errorOf(response: Response, body: unknown): RequestError {
  const header = response.headers.get('Retry-After') ?? '';
  const wait = /^\d{1,6}$/.test(header) ? Number(header) : null;
  if (isErrorBody(body)) {
    const { code, message, field = null, conflict = null } = body;
    return new RequestError(message, code, response.status, field, wait, conflict);
  }
  const message =
    response.status === 404
      ? 'The course service is not running on this server. Enable it with ' +
        '"jupyter server extension enable jupyter_ppo" and restart Jupyter.'
      : `The server answered ${response.status} ${response.statusText}`.trim() + '.';
  return new RequestError(message, 'http', response.status, null, wait);
}

interface IErrorBody {
  code: string;
  message: string;
  field?: string | null;
  conflict?: IConflict | null;
}

function isErrorBody(body: unknown): body is IErrorBody {
  return (
    typeof body === 'object' &&
    body !== null &&
    typeof (body as Partial<IErrorBody>).code === 'string' &&
    typeof (body as Partial<IErrorBody>).message === 'string'
  );
}
