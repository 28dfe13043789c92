import type { ServerConnection } from '@jupyterlab/services';

import { Connection } from '../connection';
import type { IAchievements, IProgress } from '../home/types';
import type { IPage } from '../types';
import type {
  IProgressClient,
  IProgressQuery,
  IProgressRow,
  IRecomputed,
  IRuleEdition,
  ISavedRules
} from './progressTypes';

/** The course service of the Jupyter server that this page came from, for the class's progress. */
export class ProgressClient implements IProgressClient {
  constructor(settings?: ServerConnection.ISettings) {
    this._connection = new Connection(settings);
  }

  students(course: string, query: IProgressQuery): Promise<IPage<IProgressRow>> {
    const { search, sort, offset, limit } = query;
    return this._connection.json(
      ['courses', course, 'progress', 'students'],
      {},
      {
        ...(search.trim() === '' ? {} : { search: search.trim() }),
        sort,
        offset: String(offset),
        limit: String(limit)
      }
    );
  }

  student(course: string, user: string): Promise<IProgress> {
    return this._connection.json(['courses', course, 'progress', 'students', user]);
  }

  achievements(course: string, user: string): Promise<IAchievements> {
    return this._connection.json(['courses', course, 'achievements', 'students', user]);
  }

  recompute(course: string): Promise<IRecomputed> {
    return this._connection.json(['courses', course, 'progress', 'recompute'], {
      method: 'POST'
    });
  }

  rules(course: string): Promise<IRuleEdition> {
    return this._connection.json(['courses', course, 'achievements', 'rules']);
  }

  saveRules(course: string, rules: unknown, number: number): Promise<ISavedRules> {
    return this._connection.json(['courses', course, 'achievements', 'rules'], {
      method: 'PUT',
      body: JSON.stringify({ rules, number }),
      headers: { 'Content-Type': 'application/json' }
    });
  }

  private readonly _connection: Connection;
}
