import type { ServerConnection } from '@jupyterlab/services';

import { Connection } from '../connection';
import type { IEntry, IEntryContent } from '../instructor/gradingTypes';
import type { ISubmission } from '../types';
import { bytesOf } from './base64';
import type { IJudged, IOutcome, IStudentClient, IStudentTerms, IValidationTrial } from './types';

const NOTEBOOK_TYPE = 'application/x-ipynb+json';

/** What students ask of the Jupyter server that this page came from. */
export class StudentClient implements IStudentClient {
  constructor(settings?: ServerConnection.ISettings) {
    this.connection = new Connection(settings);
  }

  terms(course: string, assignment: string): Promise<IStudentTerms> {
    return this.connection.json<IStudentTerms>([
      'courses',
      course,
      'assignments',
      assignment,
      'terms'
    ]);
  }

  submit(course: string, assignment: string, text: string, key: string): Promise<ISubmission> {
    const path = ['courses', course, 'assignments', assignment, 'submissions'];
    return this.connection.json<ISubmission>(path, sent(text, NOTEBOOK_TYPE, key));
  }

  submitArchive(
    course: string,
    assignment: string,
    base64: string,
    key: string
  ): Promise<ISubmission> {
    const path = ['courses', course, 'assignments', assignment, 'submissions'];
    const init = sent(bytesOf(base64), 'application/zip', key);
    return this.connection.json<ISubmission>(path, init);
  }

  validate(course: string, assignment: string, text: string): Promise<IValidationTrial> {
    const path = ['courses', course, 'assignments', assignment, 'validations'];
    return this.connection.json<IValidationTrial>(path, sent(text, NOTEBOOK_TYPE));
  }

  trial(id: string): Promise<IValidationTrial> {
    return this.connection.json<IValidationTrial>(['trials', id]);
  }

  entry(course: string, assignment: string): Promise<IEntry> {
    return this.connection.json<IEntry>(['courses', course, 'entries', assignment]);
  }

  submitEntry(course: string, assignment: string, body: string, key: string): Promise<ISubmission> {
    const path = ['courses', course, 'entries', assignment, 'submissions'];
    return this.connection.json<ISubmission>(path, sent(body, 'application/json', key));
  }

  async judged(submission: string): Promise<IJudged> {
    const [outcome, content] = await Promise.all([
      this.connection.json<IOutcome>(['submissions', submission, 'outcome']),
      this.connection.json<IEntryContent>(['submissions', submission, 'entry'])
    ]);
    return { outcome, definition: content.definition };
  }

  protected readonly connection: Connection;
}

function sent(body: string | Uint8Array<ArrayBuffer>, type: string, key?: string): RequestInit {
  const headers: Record<string, string> = { 'Content-Type': type };
  if (key !== undefined) {
    headers['Idempotency-Key'] = key;
  }
  return { method: 'POST', body, headers };
}
