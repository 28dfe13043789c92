/** What is kept of what happened until the service has it; without storage, clock or network. */

import { newKey } from '../course/sending';
import { placeOf } from '../course/validationModel';
import type { EventKind, IPlace, IReceipt, IStudentEvent } from './types';

/** How many events are kept at most; activity is merged, then dropped, before anything else. */
export const MOST_EVENTS = 2_000;
/** How many events the service takes at once. */
export const BATCH_EVENTS = 200;
/** How many minutes one event may hold. */
export const MOST_MINUTES = 120;
export const MINUTE_MS = 60_000;

const DAY_MS = 24 * 60 * MINUTE_MS;
/** The service takes nothing older than 30 days; an hour of it is left for the way. */
const OLDEST_MS = 30 * DAY_MS - 60 * MINUTE_MS;

/** How much a request may hold. */
export interface ILimits {
  events: number;
  /** Characters of JSON. */
  size: number;
}

export function openedEvent(place: IPlace, now: number): IStudentEvent {
  return event('opened', place, now, {});
}

/** Validate ran: how many exercises passed the tests that students can read, and how many not. */
export function checkedEvent(
  place: IPlace,
  passed: number,
  failed: number,
  now: number
): IStudentEvent {
  return event('checked', place, now, { passed, failed });
}

/** Minutes since 1970 (UTC) with work in them, in as many events as they need. */
export function activeEvents(
  place: IPlace,
  minutes: readonly number[],
  now: number
): IStudentEvent[] {
  const sorted = [...new Set(minutes)].sort((one, other) => one - other);
  const events: IStudentEvent[] = [];
  for (let at = 0; at < sorted.length; at += MOST_MINUTES) {
    events.push(event('active', place, now, { minutes: sorted.slice(at, at + MOST_MINUTES) }));
  }
  return events;
}

function event(
  kind: EventKind,
  { course, assignment }: IPlace,
  at: number,
  data: Record<string, unknown>
): IStudentEvent {
  const occurred_at = new Date(at).toISOString();
  return { key: newKey(), course, kind, assignment, occurred_at, data };
}

/** Oldest first; at one time in the order of the keys, so that every tab has the same order. */
export function inOrder(events: readonly IStudentEvent[]): IStudentEvent[] {
  const places = events.map(each => [Date.parse(each.occurred_at), each] as const);
  places.sort(([one, a], [other, b]) => one - other || (a.key < b.key ? -1 : 1));
  return places.map(([, each]) => each);
}

/**
 * What of the events is to be kept at `now`, oldest first, and how many had to be dropped.
 *
 * What the service would not take any more for its age is dropped. Beyond `most` events the
 * minutes of each assignment are merged into few events, which loses nothing; then the oldest
 * activity is dropped, then the oldest of the rest.
 */
export function tidied(
  events: readonly IStudentEvent[],
  now: number,
  most = MOST_EVENTS
): { kept: IStudentEvent[]; lost: number } {
  let lost = 0;
  let kept: IStudentEvent[] = [];
  for (const each of inOrder(events)) {
    const young = withoutOldMinutes(each, now - OLDEST_MS);
    if (young !== each) {
      lost += 1;
    }
    if (young !== null) {
      kept.push(young);
    }
  }
  if (kept.length > most) {
    kept = merged(kept);
  }
  const surplus = kept.length - most;
  if (surplus > 0) {
    const byWorth = [...kept.filter(isActive), ...kept.filter(each => !isActive(each))];
    const dropped = new Set(byWorth.slice(0, surplus));
    kept = kept.filter(each => !dropped.has(each));
    lost += surplus;
  }
  return { kept, lost };
}

/** The event as it is, or under a new key without what is too old, or null. */
function withoutOldMinutes(each: IStudentEvent, oldest: number): IStudentEvent | null {
  if (Date.parse(each.occurred_at) < oldest) {
    return null;
  }
  if (!isActive(each)) {
    return each;
  }
  const minutes = minutesOf(each);
  const young = minutes.filter(minute => minute * MINUTE_MS >= oldest);
  if (young.length === minutes.length) {
    return each;
  }
  return young.length === 0 ? null : { ...each, key: newKey(), data: { minutes: young } };
}

/** The same with the minutes of each assignment in as few events as can be. */
export function merged(events: readonly IStudentEvent[]): IStudentEvent[] {
  const groups = new Map<string, IStudentEvent[]>();
  for (const each of events.filter(isActive)) {
    // What was set right is not set right again.
    const name = `${placeOf(each.course, each.assignment)}${each.moved ? '*' : ''}`;
    groups.set(name, [...(groups.get(name) ?? []), each]);
  }
  const fewer = [...groups.values()].flatMap(group => {
    const last = group[group.length - 1];
    if (last === undefined) {
      return [];
    }
    const made = activeEvents(last, group.flatMap(minutesOf), Date.parse(last.occurred_at));
    const marked = last.moved ? made.map(each => ({ ...each, moved: true as const })) : made;
    return marked.length < group.length ? marked : group;
  });
  return inOrder([...events.filter(each => !isActive(each)), ...fewer]);
}

/** The oldest events of one course that fit into a request; `skipped` courses are left out. */
export function batchOf(
  events: readonly IStudentEvent[],
  limits: ILimits,
  skipped: ReadonlySet<string> = new Set()
): IStudentEvent[] {
  const open = inOrder(events).filter(each => !skipped.has(each.course));
  const batch: IStudentEvent[] = [];
  let size = 0;
  for (const each of open.filter(({ course }) => course === open[0]?.course)) {
    size += JSON.stringify(each).length + 1;
    // One is sent alone however large it is: it would never be sent otherwise.
    if (batch.length >= limits.events || (batch.length > 0 && size > limits.size)) {
      break;
    }
    batch.push(each);
  }
  return batch;
}

/** What an answer says of the events that were sent. */
export interface ISettled {
  /** Keys of events that need not be kept any more. */
  readonly gone: string[];
  /** Events to keep in the place of some of those. */
  readonly again: IStudentEvent[];
  /** Events that will never be taken, and why. */
  readonly rejected: { event: IStudentEvent; message: string }[];
}

/**
 * What became of a batch. What has no receipt stays.
 *
 * `ahead` is by how many milliseconds this computer's clock is ahead of the service's, null where
 * that is not known: events from the future are set right by it, once.
 */
export function settled(
  batch: readonly IStudentEvent[],
  receipts: readonly IReceipt[],
  ahead: number | null
): ISettled {
  const byKey = new Map(receipts.map(receipt => [receipt.key, receipt]));
  const outcome: ISettled = { gone: [], again: [], rejected: [] };
  for (const each of batch) {
    const said = byKey.get(each.key);
    // Somebody else has signed in: it waits until this person is back.
    if (said === undefined || said.refusal === 'other_person') {
      continue;
    }
    outcome.gone.push(each.key);
    if (said.receipt !== 'rejected') {
      continue;
    }
    if (said.refusal === 'future' && ahead !== null && ahead > 0 && !each.moved) {
      outcome.again.push(movedBack(each, ahead));
    } else {
      outcome.rejected.push({ event: each, message: said.message });
    }
  }
  return outcome;
}

function movedBack(each: IStudentEvent, by: number): IStudentEvent {
  const occurred_at = new Date(Date.parse(each.occurred_at) - by).toISOString();
  const steps = Math.round(by / MINUTE_MS);
  const data = isActive(each)
    ? { minutes: minutesOf(each).map(minute => minute - steps) }
    : each.data;
  return { ...each, key: newKey(), occurred_at, data, moved: true };
}

function isActive(each: IStudentEvent): boolean {
  return each.kind === 'active';
}

function minutesOf(each: IStudentEvent): number[] {
  return each.data['minutes'] as number[];
}

const KINDS: readonly unknown[] = ['opened', 'active', 'checked'];

/** Whether what was read from a storage is an event: another program may have written there. */
export function isEvent(value: unknown): value is IStudentEvent {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const { key, course, assignment, kind, occurred_at, data } = value as Partial<IStudentEvent>;
  const texts: unknown[] = [key, course, assignment, occurred_at];
  return (
    texts.every(text => typeof text === 'string' && text !== '') &&
    !Number.isNaN(Date.parse(String(occurred_at))) &&
    KINDS.includes(kind) &&
    typeof data === 'object' &&
    data !== null &&
    (kind !== 'active' || isMinutes(data['minutes']))
  );
}

function isMinutes(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length > 0 && value.every(each => Number.isSafeInteger(each))
  );
}
