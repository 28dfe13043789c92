import type { IFile } from '../instructor/gradingTypes';
import { attachmentName, CourseClient } from '../request';
import type { IRun } from '../runs/types';
import type { IPage } from '../types';
import type { IAchievements, IHomeClient, IPrivacy, IProgress } from './types';

/** What "My course" asks of the Jupyter server that this page came from. */
export class HomeClient extends CourseClient implements IHomeClient {
  progress(course: string): Promise<IProgress> {
    return this.connection.json<IProgress>(['courses', course, 'progress']);
  }

  achievements(course: string): Promise<IAchievements> {
    return this.connection.json<IAchievements>(['courses', course, 'achievements']);
  }

  credential(award: string): Promise<IFile> {
    return this._file(['achievements', award, 'credential'], `${award}.jwt`);
  }

  async latestRuns(user: string, limit: number): Promise<IRun[]> {
    const query = { user, offset: '0', limit: String(limit) };
    return (await this.connection.json<IPage<IRun>>(['runs'], {}, query)).items;
  }

  privacy(): Promise<IPrivacy> {
    return this.connection.json<IPrivacy>(['privacy']);
  }

  myData(): Promise<IFile> {
    return this._file(['me', 'data'], 'my-data.zip');
  }

  private async _file(path: string[], fallback: string): Promise<IFile> {
    const response = await this.connection.fetch(path, {});
    const name = attachmentName(response.headers.get('Content-Disposition')) ?? fallback;
    return { name, data: await response.blob() };
  }
}
