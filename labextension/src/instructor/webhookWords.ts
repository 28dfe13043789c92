/** How the events of webhooks read. */

import type { WebhookEvent } from './webhooksClient';

export const EVENTS: readonly (readonly [WebhookEvent, string])[] = [
  ['submission.received', 'An attempt came in'],
  ['submission.graded', 'An attempt has a grade, or a new one'],
  ['outcome.released', 'A student sees a grade or an outcome'],
  ['batch.finished', 'A batch has ended']
];

/** Several events, as words; one that is not known here, as it is. */
export function eventsText(events: readonly WebhookEvent[]): string {
  return events.map(event => EVENTS.find(([known]) => known === event)?.[1] ?? event).join('; ');
}
