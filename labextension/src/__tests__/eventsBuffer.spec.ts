import {
  activeEvents,
  batchOf,
  checkedEvent,
  isEvent,
  MINUTE_MS,
  openedEvent,
  settled,
  tidied
} from '../events/buffer';
import type { IStudentEvent } from '../events/types';
import { GAE, NOON } from './eventsMemory';

const MINUTE = NOON / MINUTE_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
const PPO = { course: 'rl', assignment: 'ppo' };

function minutesOf(events: readonly IStudentEvent[]): number[] {
  return events.flatMap(event => (event.data['minutes'] as number[] | undefined) ?? []);
}

function worked(count: number, first = MINUTE - count): IStudentEvent[] {
  return Array.from({ length: count }, (_, at) =>
    activeEvents(GAE, [first + at], NOON - (count - at) * MINUTE_MS)
  ).flat();
}

it('gives every event a UUID of its own', () => {
  const events = [openedEvent(GAE, NOON), openedEvent(GAE, NOON), checkedEvent(GAE, 3, 1, NOON)];
  const keys = events.map(event => event.key);
  expect(new Set(keys).size).toBe(3);
  keys.forEach(key => expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/));
  expect(events[2]).toMatchObject({ ...GAE, kind: 'checked', data: { passed: 3, failed: 1 } });
  expect(events[2]?.occurred_at).toBe('2026-11-22T12:00:00.000Z');
});

it('puts at most 120 minutes into one event, each once and in order', () => {
  const minutes = Array.from({ length: 250 }, (_, at) => MINUTE - at);
  const events = activeEvents(GAE, [...minutes, MINUTE], NOON);
  expect(events.map(event => minutesOf([event]).length)).toEqual([120, 120, 10]);
  expect(minutesOf(events)).toEqual([...minutes].reverse());
});

describe('bounds', () => {
  it('leaves alone what is within them', () => {
    const events = [...worked(5), openedEvent(GAE, NOON)];
    expect(tidied(events, NOON)).toEqual({ kept: events, lost: 0 });
  });

  it('merges the minutes of each assignment before anything is dropped', () => {
    const other = activeEvents(PPO, [MINUTE], NOON - 50);
    const events = [...worked(300), ...other, openedEvent(GAE, NOON)];
    const { kept, lost } = tidied(events, NOON, 100);
    expect(lost).toBe(0);
    expect(kept.map(event => event.kind)).toEqual([
      'active',
      'active',
      'active',
      'active',
      'opened'
    ]);
    const mine = kept.filter(event => event.assignment === 'gae');
    expect(minutesOf(mine).sort()).toEqual(minutesOf(events.slice(0, 300)));
    // Another content under a key that may have been sent would be refused.
    const before = new Set(events.map(event => event.key));
    expect(mine.filter(event => event.kind === 'active' && before.has(event.key))).toEqual([]);
  });

  it('drops the oldest activity first, and says how much', () => {
    const old = activeEvents(PPO, [MINUTE - 60], NOON - 60 * MINUTE_MS);
    const checks = [1, 2, 3].map(at => checkedEvent(GAE, at, 0, NOON - (90 - at) * MINUTE_MS));
    const events = [...checks, ...old, ...worked(1)];
    const first = tidied(events, NOON, 4);
    expect(first.lost).toBe(1);
    expect(first.kept).toEqual([...checks, ...events.slice(4)]);
    const second = tidied(events, NOON, 2);
    expect(second).toEqual({ kept: checks.slice(1), lost: 3 });
  });

  it('drops what the service would not take for its age', () => {
    const old = openedEvent(GAE, NOON - 30 * DAY_MS);
    const young = openedEvent(GAE, NOON - 29 * DAY_MS);
    expect(tidied([old, young], NOON)).toEqual({ kept: [young], lost: 1 });
    const [both] = activeEvents(GAE, [MINUTE - 31 * 1440, MINUTE], NOON);
    const { kept, lost } = tidied([both as IStudentEvent], NOON);
    expect([minutesOf(kept), lost]).toEqual([[MINUTE], 1]);
    expect(kept[0]?.key).not.toBe(both?.key);
  });
});

describe('a batch', () => {
  it('holds the oldest events of one course', () => {
    const other = openedEvent({ course: 'ml', assignment: 'a' }, NOON - DAY_MS);
    const events = [openedEvent(GAE, NOON), other, openedEvent(PPO, NOON - 1)];
    const limits = { events: 200, size: 10_000 };
    expect(batchOf(events, limits)).toEqual([other]);
    expect(batchOf(events, limits, new Set(['ml']))).toEqual([events[2], events[0]]);
    expect(batchOf(events, { ...limits, events: 1 }, new Set(['ml']))).toEqual([events[2]]);
    expect(batchOf([], limits)).toEqual([]);
  });

  it('fits into a request, except for a single event that does not', () => {
    const events = worked(10);
    const one = JSON.stringify(events[0]).length + 1;
    expect(batchOf(events, { events: 200, size: 3 * one })).toHaveLength(3);
    expect(batchOf(events, { events: 200, size: 10 })).toHaveLength(1);
  });
});

describe('an answer', () => {
  const batch = [...worked(3), openedEvent(GAE, NOON)] as [
    IStudentEvent,
    IStudentEvent,
    IStudentEvent,
    IStudentEvent
  ];
  const said = (at: number, receipt: 'accepted' | 'duplicate' | 'rejected', refusal = '') => ({
    key: batch[at]?.key ?? '',
    receipt,
    refusal: refusal || null,
    message: refusal
  });

  it('lets go of what was taken, known or refused, and keeps what it does not name', () => {
    const receipts = [said(0, 'accepted'), said(1, 'duplicate'), said(2, 'rejected', 'too_old')];
    const { gone, again, rejected } = settled(batch, receipts, 0);
    expect(gone).toEqual(batch.slice(0, 3).map(event => event.key));
    expect(again).toEqual([]);
    expect(rejected).toEqual([{ event: batch[2], message: 'too_old' }]);
  });

  it('sets events from the future right by the service’s clock, once', () => {
    const hour = 60 * MINUTE_MS;
    const { again, gone } = settled(batch, [said(0, 'rejected', 'future')], hour);
    expect(gone).toEqual([batch[0].key]);
    expect(again).toHaveLength(1);
    expect(again[0]?.key).not.toBe(batch[0].key);
    expect(Date.parse(again[0]?.occurred_at ?? '')).toBe(Date.parse(batch[0].occurred_at) - hour);
    expect(minutesOf(again)).toEqual(minutesOf([batch[0]]).map(minute => minute - 60));
    const moved = again[0] as IStudentEvent;
    const refused = {
      key: moved.key,
      receipt: 'rejected',
      refusal: 'future',
      message: ''
    } as const;
    expect(settled([moved], [refused], hour)).toMatchObject({ again: [], gone: [moved.key] });
    expect(settled(batch, [said(0, 'rejected', 'future')], null).again).toEqual([]);
  });

  it('keeps what somebody else’s sign-in refused', () => {
    expect(settled(batch, [said(0, 'rejected', 'other_person')], 0).gone).toEqual([]);
  });
});

it('tells events from what else may stand in a storage', () => {
  const [event] = worked(1);
  expect(isEvent(JSON.parse(JSON.stringify(event)))).toBe(true);
  for (const change of [{ kind: 'graded' }, { key: 1 }, { occurred_at: 'soon' }, { data: null }]) {
    expect(isEvent({ ...event, ...change })).toBe(false);
  }
  expect(isEvent({ ...event, data: { minutes: ['1'] } })).toBe(false);
  expect(isEvent([])).toBe(false);
  expect(isEvent(null)).toBe(false);
});
