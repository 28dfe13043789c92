import { RequestError } from '../connection';
import { FIRST_WAIT_MS, LONGEST_WAIT_MS, RunStream, SILENCE_MS, waitFor } from '../runs/stream';
import type { IStreamListener } from '../runs/stream';
import type { IRunEvent, IStatusMessage, Item } from '../runs/types';
import { MemorySocket, point } from './runsMemory';

/** A stream, its sockets, and what it told in words. */
function follow(check: () => Promise<unknown> = async () => null) {
  const sockets: MemorySocket[] = [];
  const told: string[] = [];
  const items: Item[] = [];
  const listener: IStreamListener = {
    onStatus: (status: IStatusMessage) => void told.push(status.state),
    onItems: (more: readonly Item[]) => void items.push(...more),
    onEvents: (events: readonly IRunEvent[]) => void told.push(`${events.length} events`),
    onEnd: () => void told.push('end'),
    onGone: message => void told.push(`gone: ${message}`),
    onReset: () => {
      told.push('reset');
      items.length = 0;
    },
    onLost: isLost => void told.push(isLost ? 'lost' : 'back')
  };
  const open = ({ points, events }: { points: number; events: number }): WebSocket => {
    sockets.push(new MemorySocket(points, events));
    return last() as unknown as WebSocket;
  };
  const last = (): MemorySocket => sockets[sockets.length - 1] as MemorySocket;
  return { stream: new RunStream(open, check, listener), sockets, told, items, last };
}

const RUNNING: IStatusMessage = {
  type: 'status',
  state: 'running',
  position: null,
  message: '',
  progress: null
};

describe('RunStream', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('goes on from its cursors after a lost connection, so that the curve is whole', async () => {
    const { stream, sockets, told, items, last } = follow();
    stream.start();
    last().send({ type: 'points', cursor: 40, items: [point(1, 10), point(2, 20)] });
    last().send({ type: 'event', cursor: 7, items: [] });
    last().break();
    await jest.advanceTimersByTimeAsync(FIRST_WAIT_MS);
    expect(sockets.map(each => [each.since, each.eventsSince])).toEqual([
      [0, 0],
      [40, 7]
    ]);
    last().send({ type: 'points', cursor: 60, items: [point(3, 30)] });
    expect(items).toEqual([point(1, 10), point(2, 20), point(3, 30)]);
    expect(told).toEqual(['0 events', 'lost', 'back']);
    last().send({ type: 'end' });
    expect(told).toContain('end');
    expect(stream.isActive).toBe(false);
    expect(last().isClosed).toBe(true);
  });

  it('waits longer and longer while nothing answers, and at once no more when it does', async () => {
    const { stream, sockets, last } = follow(() => Promise.reject(new Error('no answer')));
    stream.start();
    for (const count of [1, 2, 3, 4, 5, 6, 7]) {
      last().break();
      await jest.advanceTimersByTimeAsync(waitFor(count - 1) - 1);
      expect(sockets).toHaveLength(count);
      await jest.advanceTimersByTimeAsync(1);
      expect(sockets).toHaveLength(count + 1);
    }
    expect(waitFor(40)).toBe(LONGEST_WAIT_MS);
    last().send({ ...RUNNING, state: 'paused' });
    last().break();
    await jest.advanceTimersByTimeAsync(FIRST_WAIT_MS);
    expect(sockets).toHaveLength(9);
    stream.stop();
  });

  it('connects at once when the network is back', async () => {
    const { stream, sockets, last } = follow();
    stream.start();
    last().break();
    await jest.advanceTimersByTimeAsync(1);
    window.dispatchEvent(new Event('online'));
    expect(sockets).toHaveLength(2);
    stream.stop();
    window.dispatchEvent(new Event('online'));
    expect(sockets).toHaveLength(2);
  });

  it('takes a connection for dead when a run that trains says nothing for long', async () => {
    const { stream, sockets, items, last } = follow();
    stream.start();
    const first = last();
    first.send(RUNNING);
    first.send({ type: 'points', cursor: 9, items: [point(1, 1)] });
    await jest.advanceTimersByTimeAsync(SILENCE_MS);
    expect(sockets).toHaveLength(2);
    expect(first.isClosed).toBe(true);
    expect(last().since).toBe(9);
    first.send({ type: 'points', cursor: 12, items: [point(2, 2)] }); // too late: it comes again
    last().send({ type: 'points', cursor: 12, items: [point(2, 2)] });
    expect(items).toEqual([point(1, 1), point(2, 2)]);
    stream.stop();
  });

  it('leaves a paused run in peace', async () => {
    const { stream, sockets, last } = follow();
    stream.start();
    last().send({ ...RUNNING, state: 'paused' });
    await jest.advanceTimersByTimeAsync(10 * SILENCE_MS);
    expect(sockets).toHaveLength(1);
    stream.stop();
  });

  it.each([
    ['the server says so', 4404, async () => null],
    [
      'a request says so',
      1006,
      () => Promise.reject(new RequestError('It was deleted.', 'not_found', 404))
    ]
  ])('gives up a run that is gone: %s', async (_name, code, check) => {
    const { stream, told, last } = follow(check);
    stream.start();
    last().break(code, 'It was deleted.');
    await jest.advanceTimersByTimeAsync(LONGEST_WAIT_MS);
    expect(told[told.length - 1]).toBe('gone: It was deleted.');
    expect(stream.isActive).toBe(false);
  });

  it('begins anew when its cursor is of files that were replaced', async () => {
    const wrong = new RequestError('since: it is none.', 'invalid_input', 400, 'since');
    const { stream, told, items, last } = follow(() => Promise.reject(wrong));
    stream.start();
    last().send({ type: 'points', cursor: 500, items: [point(1, 1)] });
    last().break();
    await jest.advanceTimersByTimeAsync(FIRST_WAIT_MS);
    last().break();
    await jest.advanceTimersByTimeAsync(LONGEST_WAIT_MS);
    expect(told).toContain('reset');
    expect(last().since).toBe(0);
    expect(items).toEqual([]);
    stream.stop();
  });

  it('waits for long when there are too many streams', async () => {
    const { stream, sockets, last } = follow();
    stream.start();
    last().break(1013);
    await jest.advanceTimersByTimeAsync(waitFor(4) - 1);
    expect(sockets).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(sockets).toHaveLength(2);
    stream.stop();
  });

  it('says nothing any more once it was stopped', async () => {
    const { stream, told, items, last } = follow();
    stream.start();
    const socket = last();
    stream.stop();
    socket.send({ type: 'points', cursor: 1, items: [point(1, 1)] });
    socket.break();
    await jest.advanceTimersByTimeAsync(LONGEST_WAIT_MS);
    expect([told, items]).toEqual([[], []]);
  });
});
