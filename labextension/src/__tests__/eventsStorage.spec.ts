import { activeEvents, MINUTE_MS, openedEvent } from '../events/buffer';
import { EventStore } from '../events/storage';
import { GAE, MemoryItems, NOON } from './eventsMemory';

const MINUTE = NOON / MINUTE_MS;
let items: MemoryItems;
let said: string[];

function store(user = 'ada', server = 'http://lab/'): EventStore {
  return new EventStore(server, user, items, text => said.push(text));
}

function minutesIn(kept: EventStore): number[] {
  const minutes = kept.all().flatMap(event => (event.data['minutes'] as number[]) ?? []);
  return minutes.sort((one, other) => one - other);
}

beforeEach(() => {
  items = new MemoryItems();
  said = [];
});

it('brings back in another page what was kept, oldest first', () => {
  const events = [openedEvent(GAE, NOON), openedEvent(GAE, NOON - 1)];
  store().add(events, NOON);
  expect(store().all()).toEqual([events[1], events[0]]);
});

it('keeps people and servers apart', () => {
  store().add([openedEvent(GAE, NOON)], NOON);
  expect(store('bob').all()).toEqual([]);
  expect(store('ad').all()).toEqual([]);
  expect(store('ada', 'http://lab/user/ada/').all()).toEqual([]);
  store('bob').clear();
  expect(store().all()).toHaveLength(1);
});

it('adds in one tab without overwriting what another one added', () => {
  const [one, other] = [store(), store()];
  one.add([openedEvent(GAE, NOON)], NOON);
  other.add([openedEvent(GAE, NOON)], NOON);
  expect(one.all()).toHaveLength(2);
  expect(other.all()).toEqual(one.all());
});

describe('a full storage', () => {
  const worked = Array.from({ length: 30 }, (_, at) => MINUTE - at);

  it('takes more once minutes are merged', () => {
    items.room = 3_000;
    const kept = store();
    worked.forEach(minute => kept.add(activeEvents(GAE, [minute], NOON), NOON));
    expect(minutesIn(store())).toEqual([...worked].reverse());
    expect(kept.takeLost()).toBe(0);
    expect(said).toEqual([]);
  });

  it('that takes nothing leaves events in memory, says so once, and stores them when it can', () => {
    items.room = 0;
    const kept = store();
    kept.add([openedEvent(GAE, NOON)], NOON);
    kept.add(activeEvents(GAE, [MINUTE], NOON), NOON);
    expect(kept.all()).toHaveLength(2);
    expect(store().all()).toEqual([]);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('no room');
    items.room = Infinity;
    kept.add([openedEvent(GAE, NOON)], NOON);
    expect(store().all()).toHaveLength(3);
    expect(kept.all()).toHaveLength(3);
  });

  it('is no obstacle where there is no storage at all', () => {
    const kept = new EventStore('http://lab/', 'ada', null, text => said.push(text));
    const event = openedEvent(GAE, NOON);
    kept.add([event], NOON);
    expect(kept.all()).toEqual([event]);
    kept.replace([event.key], []);
    expect(kept.all()).toEqual([]);
  });
});

it('drops and counts what is not an event, also when another page asks', () => {
  store().add([openedEvent(GAE, NOON)], NOON);
  const [name] = [...items.items.keys()];
  items.items.set(name ?? '', '{"key":');
  expect(store().all()).toEqual([]);
  expect(items.items.has(name ?? '')).toBe(false);
  const later = store();
  expect(later.takeLost()).toBe(1);
  expect(later.takeLost()).toBe(0);
});

it('uses the browser’s own storage', () => {
  const kept = new EventStore('http://lab/', 'ada');
  kept.add([openedEvent(GAE, NOON)], NOON);
  expect(window.localStorage.length).toBe(1);
  kept.clear();
  expect(window.localStorage.length).toBe(0);
});
