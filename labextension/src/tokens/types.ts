/** API tokens, as the service tells of them; see docs/tokens.md. */

import type { IMe, Role } from '../types';

/** What a token may do: look, or change things, too. */
export type TokenAccess = 'read' | 'write';

/** A token without its secret; the count and the last use are up to a minute old. */
export interface IApiToken {
  id: string;
  user: string;
  name: string;
  course: string;
  role: Role;
  access: TokenAccess;
  created_at: string;
  expires_at: string;
  last_used_at: string | null;
  uses: number;
  revoked_at: string | null;
  rotated_from: string | null;
}

/** A new token; the secret is told this once. */
export interface IMadeToken {
  token: IApiToken;
  secret: string;
}

/** A token to make. */
export interface INewToken {
  course: string;
  name: string;
  role: Role;
  access: TokenAccess;
  days: number;
}

/** What the section asks of the service. */
export interface ITokensClient {
  me(): Promise<IMe>;
  /** One's own tokens, newest first, also those that have ended. */
  mine(): Promise<IApiToken[]>;
  /** Everybody's tokens for a course; for its instructors. */
  ofCourse(course: string): Promise<IApiToken[]>;
  create(token: INewToken): Promise<IMadeToken>;
  /** Make one of the same kind; the old one stays good for so many hours. */
  rotate(id: string, overlapHours: number): Promise<IMadeToken>;
  revoke(id: string): Promise<IApiToken>;
  revokeInCourse(course: string, id: string): Promise<IApiToken>;
}
