import { RequestError } from '../connection';
import { activeEvents, MINUTE_MS, openedEvent } from '../events/buffer';
import { backOff, LONGEST_WAIT_MS, Sender } from '../events/sender';
import { EventStore } from '../events/storage';
import type { IStudentEvent } from '../events/types';
import { GAE, MemoryBrowser, MemoryItems, MemoryLocks, MemoryLog, NOON } from './eventsMemory';

const MINUTE = NOON / MINUTE_MS;

let service: MemoryLog;
let items: MemoryItems;
let browser: MemoryBrowser;
let tabs: Sender[];

/** Another tab: a store over the same storage, and its sender. */
function tab(user = 'ada'): { store: EventStore; sender: Sender } {
  const store = new EventStore('http://lab/', user, items, text => browser.warn(text));
  const sender = new Sender(store, service, user, browser);
  tabs.push(sender);
  return { store, sender };
}

async function pass(milliseconds: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(milliseconds);
}

beforeEach(() => {
  jest.useFakeTimers({ now: NOON });
  service = new MemoryLog();
  items = new MemoryItems();
  browser = new MemoryBrowser();
  tabs = [];
});

afterEach(() => {
  tabs.forEach(each => each.dispose());
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

function opened(count: number): IStudentEvent[] {
  return Array.from({ length: count }, (_, at) => openedEvent(GAE, NOON - at));
}

it('sends everything in batches of at most 200, and then keeps nothing', async () => {
  const { store, sender } = tab();
  store.add(opened(450), NOON);
  sender.wake();
  await pass(2_000);
  expect(service.batches.map(batch => batch.length)).toEqual([200, 200, 50]);
  expect(service.log.size).toBe(450);
  expect(items.length).toBe(0);
});

it('sends each course its own events', async () => {
  service.assignmentsOf['ml'] = service.assignmentsOf['rl'] ?? [];
  const { store, sender } = tab();
  store.add([...opened(2), openedEvent({ ...GAE, course: 'ml' }, NOON)], NOON);
  await sender.send();
  expect(service.log.size).toBe(3);
});

it('keeps what happens offline and sends it once the network is back', async () => {
  browser.online = false;
  const { store, sender } = tab();
  store.add(opened(3), NOON);
  sender.wake();
  await pass(60 * MINUTE_MS);
  expect(service.batches).toEqual([]);
  expect(store.all()).toHaveLength(3);
  browser.online = true;
  window.dispatchEvent(new Event('online'));
  await pass(0);
  expect(service.log.size).toBe(3);
  expect(store.all()).toEqual([]);
});

it('sends what an earlier page left behind', async () => {
  const first = tab();
  first.store.add(opened(2), NOON);
  first.sender.dispose();
  const second = tab();
  await second.sender.send();
  expect(service.log.size).toBe(2);
});

it('repeats what was taken without an answer, and it counts once', async () => {
  service.failures = ['answer lost'];
  const { store, sender } = tab();
  store.add(opened(2), NOON);
  await sender.send();
  expect(service.log.size).toBe(2);
  expect(store.all()).toHaveLength(2);
  await pass(2_000);
  expect(service.receipts.map(({ receipt }) => receipt)).toEqual([
    'accepted',
    'accepted',
    'duplicate',
    'duplicate'
  ]);
  expect(service.log.size).toBe(2);
  expect(store.all()).toEqual([]);
});

it('has the same keys after a crash between sending and the answer', async () => {
  service.failures = ['answer lost'];
  const before = tab();
  before.store.add(opened(2), NOON);
  await before.sender.send();
  before.sender.dispose(); // the browser is gone, the storage is not
  const after = tab();
  await after.sender.send();
  expect(service.log.size).toBe(2);
  expect(items.length).toBe(0);
});

it('waits longer and longer after failures, and starts over after a success', async () => {
  service.failures = ['offline', 'offline', 'offline'];
  const { store, sender } = tab();
  store.add(opened(1), NOON);
  await sender.send();
  for (const failures of [0, 1, 2]) {
    const wait = backOff(failures, 0.5);
    expect(service.log.size).toBe(0);
    await pass(wait - 1);
    expect(service.failures).toHaveLength(2 - failures);
    await pass(1);
  }
  expect(service.log.size).toBe(1);
});

it('spreads its waits and never waits beyond the longest', () => {
  expect(backOff(0, 0)).toBe(1_000);
  expect(backOff(0, 1)).toBe(2_000);
  expect(backOff(3, 0)).toBe(8_000);
  expect(backOff(1_000, 0.999)).toBeLessThanOrEqual(LONGEST_WAIT_MS);
});

it('waits as long as the service asks for', async () => {
  service.failures = [new RequestError('Too much.', 'too_many_requests', 429, null, 120)];
  const { store, sender } = tab();
  store.add(opened(1), NOON);
  await sender.send();
  await pass(119_999);
  expect(service.log.size).toBe(0);
  await pass(1);
  expect(service.log.size).toBe(1);
});

it('does not hurry before a wait is over when something new happens', async () => {
  service.failures = [new RequestError('Too much.', 'too_many_requests', 429, null, 120)];
  const { store, sender } = tab();
  store.add(opened(1), NOON);
  await sender.send();
  store.add(opened(1), NOON);
  sender.wake();
  await pass(60_000);
  expect(service.log.size).toBe(0);
  await pass(60_000);
  expect(service.log.size).toBe(2);
});

it('gives up on a request without an answer, and repeats it', async () => {
  const { store, sender } = tab();
  store.add(opened(1), NOON);
  const post = jest.spyOn(service, 'post').mockImplementationOnce(() => new Promise(() => {}));
  const sent = sender.send();
  await pass(60_000);
  await sent;
  await pass(2_000);
  expect(post).toHaveBeenCalledTimes(2);
  expect(service.log.size).toBe(1);
});

it('lets go of what is refused, and says so on the console', async () => {
  const { store, sender } = tab();
  store.add([openedEvent({ course: 'rl', assignment: 'gone' }, NOON), ...opened(1)], NOON);
  await sender.send();
  expect(store.all()).toEqual([]);
  expect(browser.said).toHaveLength(1);
  expect(browser.said[0]).toContain('rl/gone');
  expect(browser.said[0]).toContain('unknown_assignment');
});

it('finds the one event that makes a batch unreadable and sends the others', async () => {
  const { store, sender } = tab();
  const events = opened(9);
  store.add(events, NOON);
  service.unreadable = event => event.key === events[4]?.key;
  await sender.send();
  expect(service.log.size).toBe(8);
  expect(store.all()).toEqual([]);
  expect(browser.said).toHaveLength(1);
});

it('keeps everything while something else than the service answers', async () => {
  service.failures = [400, 403, 404, 502].map(
    status => new RequestError('A page of a proxy.', 'http', status)
  );
  const { store, sender } = tab();
  store.add(opened(3), NOON);
  for (let at = 0; at < 4; at += 1) {
    await sender.send();
    expect(store.all()).toHaveLength(3);
  }
  await sender.send();
  expect(service.log.size).toBe(3);
});

it('goes on with the other courses when one does not take events', async () => {
  service.assignmentsOf['ml'] = service.assignmentsOf['rl'] ?? [];
  service.failures = [new RequestError('You are not in this course.', 'forbidden', 403)];
  const { store, sender } = tab();
  store.add([openedEvent({ ...GAE, course: 'ml' }, NOON - 9), ...opened(1)], NOON);
  await sender.send();
  expect([...service.log.values()].map(event => event.course)).toEqual(['rl']);
  expect(store.all()).toHaveLength(1);
  await pass(2_000); // perhaps they are by now
  expect(service.log.size).toBe(2);
});

it('keeps a person’s events while somebody else is signed in', async () => {
  const { store, sender } = tab();
  store.add(opened(2), NOON);
  service.user = 'bob';
  await sender.send();
  expect(store.all()).toHaveLength(2);
  expect(service.log.size).toBe(0);
  const other = tab('bob');
  expect(other.store.all()).toEqual([]);
  service.user = 'ada';
  await sender.send();
  expect(service.log.size).toBe(2);
});

it('sets the times right when this computer’s clock is ahead', async () => {
  const ahead = 3 * 60 * MINUTE_MS;
  service.time = NOON - ahead;
  const { store, sender } = tab();
  store.add([...activeEvents(GAE, [MINUTE - 1, MINUTE], NOON), ...opened(1)], NOON);
  await sender.send();
  expect(service.minutes()).toEqual([MINUTE - 181, MINUTE - 180]);
  expect(service.log.size).toBe(2);
  expect([...service.log.values()].map(event => Date.parse(event.occurred_at))).toEqual([
    NOON - ahead,
    NOON - ahead
  ]);
  expect(store.all()).toEqual([]);
});

it('tells how many events were dropped with the next batch', async () => {
  const { store, sender } = tab();
  store.add(opened(2_003), NOON);
  expect(store.all()).toHaveLength(2_000);
  expect(browser.said).toEqual([]);
  await sender.send();
  expect(browser.said).toHaveLength(1);
  expect(browser.said[0]).toMatch(/^3 of your events/);
  expect(service.log.size).toBe(2_000);
});

describe('several tabs', () => {
  it('send one after the other where the browser has locks', async () => {
    const locks = new MemoryLocks();
    browser.locks = locks as unknown as LockManager;
    const [one, other] = [tab(), tab()];
    one.store.add(opened(300), NOON);
    other.store.add(opened(300), NOON);
    await Promise.all([one.sender.send(), other.sender.send()]);
    expect(locks.most).toBe(1);
    expect(service.receipts.map(({ receipt }) => receipt)).toEqual(Array(600).fill('accepted'));
    expect(items.length).toBe(0);
  });

  it('do no harm without locks: what both send counts once', async () => {
    const [one, other] = [tab(), tab()];
    one.store.add(opened(3), NOON);
    other.store.add(opened(2), NOON);
    await Promise.all([one.sender.send(), other.sender.send()]);
    expect(service.log.size).toBe(5);
    expect(service.receipts.length).toBeGreaterThan(5); // both sent
    expect(items.length).toBe(0);
    expect(browser.said).toEqual([]);
  });

  it('merge at the same time without losing a minute', async () => {
    const [one, other] = [tab(), tab()];
    const minutes = Array.from({ length: 40 }, (_, at) => MINUTE - at);
    minutes.forEach((minute, at) =>
      (at % 2 ? one : other).store.add(activeEvents(GAE, [minute], NOON), NOON)
    );
    one.store.tidy(NOON, 10);
    other.store.tidy(NOON, 10);
    expect(one.store.all()).toHaveLength(1);
    await other.sender.send();
    expect(service.minutes()).toEqual([...minutes].reverse());
  });
});

describe('a page that is left', () => {
  it('sends what fits into its last request and keeps it until it is known to have come', async () => {
    const { store, sender } = tab();
    const long = Array.from({ length: 24_000 }, (_, at) => MINUTE - at);
    store.add(activeEvents(GAE, long, NOON), NOON);
    expect(store.all()).toHaveLength(200);
    service.failures = ['answer lost'];
    sender.flush();
    expect(service.keepalives).toEqual([true]);
    const sent = JSON.stringify(service.batches[0]).length;
    expect(sent).toBeLessThan(60_000);
    expect(service.batches[0]?.length).toBeGreaterThan(20);
    await pass(0);
    expect(store.all()).toHaveLength(200);
    await sender.send();
    expect(service.minutes()).toHaveLength(24_000);
  });

  it('that comes back knows what was taken', async () => {
    const { store, sender } = tab();
    store.add(opened(1), NOON);
    sender.flush();
    await pass(0);
    expect(store.all()).toEqual([]);
  });
});
