/** Checks and releases on a server in memory. */

import type { IAuthorClient, ICheckTrial, IRelease } from '../author/types';
import type { IDownload, IMe, Role } from '../types';

export class MemoryAuthoring implements IAuthorClient {
  role: Role = 'instructor';
  trialNow: ICheckTrial = { id: '1', state: 'queued', error: null, result: null };
  refusal: Error | null = null;
  readonly received: string[][] = [];

  async me(): Promise<IMe> {
    const sandbox = { available: true, engine: null, image: null, problem: null, remedy: null };
    return {
      user: 'ines',
      admin: false,
      courses: [{ name: 'rl', title: 'Reinforcement learning', role: this.role }],
      sandbox
    };
  }

  check(course: string, text: string): Promise<ICheckTrial> {
    return this._answer(['check', course, text], this.trialNow);
  }

  async trial(): Promise<ICheckTrial> {
    return this.trialNow;
  }

  preview(course: string, text: string): Promise<IDownload> {
    return this._answer(['preview', course, text], { name: 'preview.ipynb', text: 'copy' });
  }

  release(course: string, assignment: string, text: string, note: string): Promise<IRelease> {
    const tests = [{ grade_id: 't', state: 'sealed', reason: '', findings: [] }];
    const made = { name: assignment, version: 2, points: 1, tests };
    return this._answer(['release', course, assignment, text, note], made);
  }

  private async _answer<T>(received: string[], answer: T): Promise<T> {
    if (this.refusal !== null) {
      throw this.refusal;
    }
    this.received.push(received);
    return answer;
  }
}
