import type { ServerConnection } from '@jupyterlab/services';

import { Connection, RequestError } from '../connection';
import type { IPage } from '../types';
import type {
  BatchVerb,
  DraftFilter,
  IAssignmentChoice,
  IBulk,
  ICalibration,
  ICalibrationItem,
  ICall,
  ICallItem,
  ICallQuery,
  IDraft,
  IDraftBatch,
  IDraftItem,
  IEdit,
  IEstimate,
  IFeedbackClient,
  IFeedbackSettings,
  IModelStatus,
  IScope,
  ISpend,
  IStoredSettings,
  IToMark
} from './types';

const LARGEST_PAGE = 200;
/** How many batches are looked at; older ones are over. */
const BATCHES = 5;
/** An entry has one answer and no exercises; an address cannot have an empty part. */
const ENTRY = '-';

/** Drafts, calibration, settings and spend, from the server that this page came from. */
export class FeedbackClient implements IFeedbackClient {
  constructor(settings?: ServerConnection.ISettings) {
    this._connection = new Connection(settings);
  }

  status(): Promise<IModelStatus> {
    return this._connection.json(['tutor']);
  }

  assignments(course: string): Promise<IAssignmentChoice[]> {
    return this._all(['courses', course, 'assignments']);
  }

  estimate(course: string, assignment: string, scope: IScope): Promise<IEstimate> {
    return this._connection.json(of(course, assignment, 'drafts', 'estimate'), post(scope));
  }

  start(course: string, assignment: string, scope: IScope): Promise<IDraftBatch> {
    return this._connection.json(of(course, assignment, 'draft-batches'), post(scope));
  }

  batches(course: string, assignment: string): Promise<IPage<IDraftBatch>> {
    const query = { offset: '0', limit: String(BATCHES) };
    return this._connection.json(of(course, assignment, 'draft-batches'), {}, query);
  }

  change(batch: string, verb: BatchVerb): Promise<IDraftBatch> {
    return this._connection.json(['draft-batches', batch, verb], post({}));
  }

  drafts(
    course: string,
    assignment: string,
    gradeId: string | null,
    state: DraftFilter
  ): Promise<IDraftItem[]> {
    const query: Record<string, string> = gradeId === null ? {} : { grade_id: gradeId };
    return this._all(of(course, assignment, 'drafts'), { ...query, state });
  }

  draft(id: string): Promise<IDraft> {
    return this._connection.json(['drafts', id]);
  }

  approve(id: string, revision: number): Promise<IDraft> {
    return this._connection.json(['drafts', id, 'approve'], post({ revision }));
  }

  edit(id: string, edit: IEdit): Promise<IDraft> {
    return this._connection.json(['drafts', id, 'edit'], post(edit));
  }

  reject(id: string, reason: string): Promise<IDraft> {
    return this._connection.json(['drafts', id, 'reject'], post({ reason }));
  }

  approveAll(
    course: string,
    assignment: string,
    gradeId: string | null,
    threshold: number
  ): Promise<IBulk> {
    const asked = gradeId === null ? { threshold } : { grade_id: gradeId, threshold };
    return this._connection.json(of(course, assignment, 'drafts', 'approve'), post(asked));
  }

  calibrations(course: string, assignment: string): Promise<ICalibrationItem[]> {
    return this._all(of(course, assignment, 'calibrations'));
  }

  calibration(course: string, assignment: string, gradeId: string): Promise<ICalibration> {
    return this._connection.json(calibration(course, assignment, gradeId));
  }

  async next(course: string, assignment: string, gradeId: string): Promise<IToMark | null> {
    try {
      return await this._connection.json<IToMark>(calibration(course, assignment, gradeId, 'next'));
    } catch (error) {
      if (error instanceof RequestError && error.status === 404 && error.code === 'not_found') {
        return null;
      }
      throw error;
    }
  }

  async putLevels(
    course: string,
    assignment: string,
    gradeId: string,
    submission: string,
    levels: Record<string, string>
  ): Promise<void> {
    const path = calibration(course, assignment, gradeId, 'answers', submission);
    await this._connection.json(path, body('PUT', { levels }));
  }

  settings(course: string, assignment: string | null): Promise<IStoredSettings> {
    return this._connection.json(settingsPath(course, assignment));
  }

  saveSettings(
    course: string,
    assignment: string | null,
    settings: Partial<IFeedbackSettings>,
    revision: number
  ): Promise<IStoredSettings> {
    const seen = { 'If-Match': `"${revision}"` };
    return this._connection.json(settingsPath(course, assignment), body('PUT', settings, seen));
  }

  calls(course: string, query: ICallQuery): Promise<IPage<ICallItem>> {
    const { purpose, offset, limit } = query;
    const part = { offset: String(offset), limit: String(limit) };
    const asked = purpose === '' ? part : { ...part, purpose };
    return this._connection.json(['courses', course, 'model-calls'], {}, asked);
  }

  call(id: string): Promise<ICall> {
    return this._connection.json(['model-calls', id]);
  }

  spend(course: string, days: number): Promise<ISpend> {
    return this._connection.json(['courses', course, 'model-spend'], {}, { days: String(days) });
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

function calibration(
  course: string,
  assignment: string,
  gradeId: string,
  ...rest: string[]
): string[] {
  return of(course, assignment, 'calibrations', gradeId === '' ? ENTRY : gradeId, ...rest);
}

function settingsPath(course: string, assignment: string | null): string[] {
  return assignment === null
    ? ['courses', course, 'feedback-settings']
    : of(course, assignment, 'feedback-settings');
}

function post(value: unknown): RequestInit {
  return body('POST', value);
}

function body(method: string, value: unknown, more: Record<string, string> = {}): RequestInit {
  return {
    method,
    body: JSON.stringify(value),
    headers: { 'Content-Type': 'application/json', ...more }
  };
}
