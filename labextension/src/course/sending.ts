/** Hands things in so that a lost answer or a second try never makes a second attempt. */

import { RequestError } from '../connection';

interface IUnanswered {
  body: string;
  key: string;
}

/** The keys of what was sent and not answered yet. */
export class Sending {
  /**
   * Send `body`, and once more with the same key when no answer comes.
   *
   * If that one is lost, too, the same body gets the same key the next time.
   */
  async send<T>(place: string, body: string, deliver: (key: string) => Promise<T>): Promise<T> {
    const before = this._unanswered.get(place);
    const key = before?.body === body ? before.key : newKey();
    this._unanswered.set(place, { body, key });
    try {
      const answer = await this._twice(() => deliver(key));
      this._unanswered.delete(place);
      return answer;
    } catch (error) {
      if (!isLost(error)) {
        this._unanswered.delete(place);
        throw error;
      }
      const { message, code, status } = error;
      const remedy = 'Press Submit again later: what has arrived already is not taken twice.';
      throw new RequestError(`${message} ${remedy}`, code, status);
    }
  }

  private async _twice<T>(deliver: () => Promise<T>): Promise<T> {
    try {
      return await deliver();
    } catch (error) {
      if (isLost(error)) {
        return deliver();
      }
      throw error;
    }
  }

  private readonly _unanswered = new Map<string, IUnanswered>();
}

/** Whether the service may have taken it although its answer did not come. */
function isLost(error: unknown): error is RequestError {
  return (
    error instanceof RequestError &&
    (error.code === 'network' || (error.code === 'http' && error.status >= 500))
  );
}

/** A random version 4 UUID; `crypto.randomUUID` is missing on pages that are not https. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const digits = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
