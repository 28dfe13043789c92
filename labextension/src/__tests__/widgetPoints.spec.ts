import type { WidgetModel } from '../widgets/model';
import { PointsClient, asFloat64 } from '../widgets/points';

type Listener = (content: unknown, buffers: ArrayBufferView[]) => void;
type Asked = { from: string; asked: number };

/** A view's client, and the kernel it talks to. */
class Kernel {
  readonly sent: Asked[] = [];
  changes = 0;
  private listener: Listener = () => undefined;
  readonly client: PointsClient;

  constructor() {
    const model: Partial<WidgetModel> = {
      on: (_event, listener) => {
        this.listener = listener as unknown as Listener;
      },
      off: () => {
        this.listener = () => undefined;
      },
      send: content => {
        this.sent.push(content as Asked);
      }
    };
    this.client = new PointsClient(model as WidgetModel, () => {
      this.changes += 1;
    });
    this.client.start();
  }

  say(content: object, values: number[] = []): void {
    this.listener(content, [new DataView(Float64Array.from(values).buffer)]);
  }

  /** Answer the newest request with one point. */
  answer(seq: number): void {
    const { from: to, asked } = this.sent[this.sent.length - 1] as Asked;
    this.say({ type: 'reset', to, asked, seq });
    this.say({ type: 'points', to, part: 0, last: true, tracks: tracks(1) }, [seq, 1]);
  }

  /** One more point for all views. */
  point(seq: number): void {
    this.say({ type: 'points', seq, tracks: tracks(1) }, [seq, 1]);
  }

  get steps(): number[] {
    return [...this.client.source('a').points('x').steps];
  }
}

function tracks(count: number): object[] {
  return [{ id: 'a', ops: [{ metric: 'x', count }] }];
}

beforeEach(() => {
  jest.useFakeTimers();
  Object.defineProperty(window, 'crypto', {
    configurable: true,
    value: { getRandomValues: (array: Uint32Array) => array.fill(7) }
  });
});

afterEach(() => {
  jest.useRealTimers();
});

it('takes the history and then what is new, once', () => {
  const kernel = new Kernel();
  kernel.point(3); // before the answer, which holds it
  kernel.answer(3);
  kernel.point(4);
  kernel.point(4);
  expect(kernel.steps).toEqual([3, 4]);
  expect(kernel.sent).toHaveLength(1);
  expect(kernel.changes).toBe(2);
});

it('asks a busy kernel again, ever less often, as long as points come', () => {
  const kernel = new Kernel();
  for (let seconds = 1; seconds <= 120; seconds += 1) {
    jest.advanceTimersByTime(1000);
    kernel.point(seconds);
  }
  const requests = kernel.sent.length;
  expect(requests).toBeGreaterThan(2);
  expect(requests).toBeLessThan(7);
  expect(new Set(kernel.sent.map(({ asked }) => asked)).size).toBe(1); // answered once
  jest.advanceTimersByTime(600_000);
  expect(kernel.sent).toHaveLength(requests); // nothing comes: nothing is asked
  kernel.answer(120);
  kernel.point(121);
  expect(kernel.steps).toEqual([120, 121]);
});

it('gives a slow line ever more time for the parts of a history', () => {
  const kernel = new Kernel();
  const waits = [5, 10, 20, 40, 60, 60].map(seconds => {
    const { from: to, asked } = kernel.sent[kernel.sent.length - 1] as Asked;
    kernel.say({ type: 'reset', to, asked, seq: 1 });
    const before = kernel.sent.length;
    jest.advanceTimersByTime(seconds * 1000 - 1);
    const wasPatient = kernel.sent.length === before;
    jest.advanceTimersByTime(1);
    return wasPatient && kernel.sent.length === before + 1;
  });
  expect(waits).toEqual([true, true, true, true, true, true]);
});

it('takes no answer to an older request', () => {
  const kernel = new Kernel();
  kernel.answer(1);
  kernel.point(5); // three are missing
  const [first, second] = kernel.sent as [Asked, Asked];
  expect(second.asked).toBe(first.asked + 1);
  kernel.say({ type: 'reset', to: first.from, asked: first.asked, seq: 4 });
  expect(kernel.steps).toEqual([1]);
  kernel.answer(5);
  expect(kernel.steps).toEqual([5]);
});

it('forgets runs that are shown no longer, and everything at the end', () => {
  const kernel = new Kernel();
  kernel.answer(1);
  kernel.client.keep(['b']);
  expect(kernel.steps).toEqual([]);
  kernel.client.dispose();
  kernel.point(2);
  expect(kernel.steps).toEqual([]);
  expect(jest.getTimerCount()).toBe(0);
});

it('reads numbers from any place in a larger buffer', () => {
  const whole = new Uint8Array(19);
  whole.set(new Uint8Array(Float64Array.of(1.5, -2).buffer), 3);
  expect([...asFloat64(new DataView(whole.buffer, 3, 16))]).toEqual([1.5, -2]);
  expect([...asFloat64(Float64Array.of(7).buffer)]).toEqual([7]);
  expect(asFloat64(undefined)).toHaveLength(0);
});
