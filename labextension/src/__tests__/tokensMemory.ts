/** API tokens on a server in memory. */

import type { IApiToken, IMadeToken, INewToken, ITokensClient } from '../tokens/types';
import type { ICourse, IMe, Role } from '../types';

export const SOON = '2027-01-02T03:04:05+00:00';
export const PAST = '2026-01-02T03:04:05+00:00';

export function token(name: string, more: Partial<IApiToken> = {}): IApiToken {
  return {
    id: `id-${name}`,
    user: 'ines',
    name,
    course: 'rl',
    role: 'student',
    access: 'read',
    created_at: PAST,
    expires_at: SOON,
    last_used_at: null,
    uses: 0,
    revoked_at: null,
    rotated_from: null,
    ...more
  };
}

export function course(name: string, role: Role): ICourse {
  return { name, title: name, role };
}

export class MemoryTokens implements ITokensClient {
  courses: ICourse[] = [course('rl', 'instructor'), course('ml', 'student')];
  kept: IApiToken[] = [token('nightly export')];
  others: IApiToken[] = [token('their script', { user: 'sue' })];
  refusal: Error | null = null;
  /** Every change that was asked for, in words. */
  readonly changes: string[] = [];

  async me(): Promise<IMe> {
    const sandbox = { available: true, engine: null, image: null, problem: null, remedy: null };
    return { user: 'ines', admin: false, courses: this.courses, sandbox };
  }

  async mine(): Promise<IApiToken[]> {
    return this.kept;
  }

  async ofCourse(name: string): Promise<IApiToken[]> {
    return [...this.kept, ...this.others].filter(each => each.course === name);
  }

  async create(asked: INewToken): Promise<IMadeToken> {
    this._note(`create ${JSON.stringify(asked)}`);
    return this._made(token(asked.name, { ...asked, course: asked.course }));
  }

  async rotate(id: string, overlapHours: number): Promise<IMadeToken> {
    this._note(`rotate ${id} ${overlapHours}`);
    const old = this.kept.find(each => each.id === id);
    return this._made(token(`${old?.name} 2`, { rotated_from: id }));
  }

  async revoke(id: string): Promise<IApiToken> {
    this._note(`revoke ${id}`);
    return this._ended(id);
  }

  async revokeInCourse(name: string, id: string): Promise<IApiToken> {
    this._note(`revoke ${id} of ${name}`);
    return this._ended(id);
  }

  private _note(change: string): void {
    const { refusal } = this;
    if (refusal !== null) {
      this.refusal = null;
      throw refusal;
    }
    this.changes.push(change);
  }

  private _made(made: IApiToken): IMadeToken {
    this.kept = [made, ...this.kept];
    return { token: made, secret: `ppo_${made.id}` };
  }

  private _ended(id: string): IApiToken {
    const end = (each: IApiToken): IApiToken =>
      each.id === id ? { ...each, revoked_at: PAST } : each;
    this.kept = this.kept.map(end);
    this.others = this.others.map(end);
    return [...this.kept, ...this.others].find(each => each.id === id) as IApiToken;
  }
}
