import type { ServerConnection } from '@jupyterlab/services';

import { Connection, parseJson, RequestError } from '../connection';
import { eventsOf } from './stream';
import type {
  IExplanation,
  IFailure,
  IHint,
  ILadder,
  ISelfCheck,
  ITutorClient,
  ITutorStatus,
  OnWords,
  Question
} from './types';

const JSON_TYPE = 'application/json';
const STREAM_TYPE = 'text/event-stream';

/** The tutor of the Jupyter server that this page came from. */
export class TutorClient implements ITutorClient {
  constructor(settings?: ServerConnection.ISettings) {
    this._connection = new Connection(settings);
  }

  status(): Promise<ITutorStatus> {
    return this._connection.json<ITutorStatus>(['tutor']);
  }

  ladder(course: string, assignment: string, gradeId: string): Promise<ILadder> {
    return this._connection.json<ILadder>(hintsPath(course, assignment, gradeId));
  }

  hint(
    course: string,
    assignment: string,
    gradeId: string,
    answer: string,
    failure: IFailure | null,
    onWords: OnWords
  ): Promise<IHint> {
    const body = failure === null ? { answer } : { answer, failure };
    return this._stream<IHint>(hintsPath(course, assignment, gradeId), body, onWords);
  }

  explain(course: string, question: Question, onWords: OnWords): Promise<IExplanation> {
    return this._stream<IExplanation>(['courses', course, 'explanations'], question, onWords);
  }

  selfCheck(course: string, assignment: string, gradeId: string): Promise<ISelfCheck> {
    return this._connection.json<ISelfCheck>(checkPath(course, assignment, gradeId));
  }

  saveSelfCheck(
    course: string,
    assignment: string,
    gradeId: string,
    levels: Readonly<Record<string, string>>,
    revision: number
  ): Promise<ISelfCheck> {
    return this._connection.json<ISelfCheck>(checkPath(course, assignment, gradeId), {
      method: 'PUT',
      body: JSON.stringify({ levels }),
      headers: { 'Content-Type': JSON_TYPE, 'If-Match': `"${revision}"` }
    });
  }

  /** Ask for words as they come; the answer is what the last event holds. */
  private async _stream<T>(path: string[], body: unknown, onWords: OnWords): Promise<T> {
    const response = await this._connection.fetch(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': JSON_TYPE, Accept: `${STREAM_TYPE}, ${JSON_TYPE};q=0.5` }
    });
    if (!(response.headers.get('Content-Type') ?? '').startsWith(STREAM_TYPE)) {
      return parseJson(await response.text()) as T;
    }
    for await (const { event, data } of eventsOf(response)) {
      const value = parseJson(data) as { text?: string; code?: string; message?: string };
      if (event === 'text' || event === 'replace') {
        onWords(value.text ?? '', event === 'replace');
      } else if (event === 'done') {
        return value as T;
      } else if (event === 'error') {
        const message = value.message ?? 'The answer broke off. Ask again.';
        throw new RequestError(message, value.code ?? 'http', response.status);
      }
    }
    throw new RequestError('The answer broke off. Ask again.', 'network', 0);
  }

  private readonly _connection: Connection;
}

function hintsPath(course: string, assignment: string, gradeId: string): string[] {
  return ['courses', course, 'assignments', assignment, 'hints', gradeId];
}

function checkPath(course: string, assignment: string, gradeId: string): string[] {
  return ['courses', course, 'assignments', assignment, 'self-checks', gradeId];
}
