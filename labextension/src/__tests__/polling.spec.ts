import { FIRST_DELAY_MS, LONGEST_DELAY_MS, pollDelay, Poller } from '../polling';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** A poller that is shown, and how often it asked. */
function watch(answers: (boolean | Error)[]): { poller: Poller; asked: () => number } {
  let count = 0;
  const poller = new Poller(() => {
    const answer = answers[count] ?? false;
    count += 1;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  poller.setVisible(true);
  return { poller, asked: () => count };
}

function pass(milliseconds: number): Promise<void> {
  return jest.advanceTimersByTimeAsync(milliseconds);
}

it('waits longer each time, up to a bound', () => {
  const delays = [0, 1, 2, 3, 20].map(pollDelay);
  expect(delays[0]).toBe(FIRST_DELAY_MS);
  expect([...delays].sort((one, other) => one - other)).toEqual(delays);
  expect(delays[4]).toBe(LONGEST_DELAY_MS);
});

it('asks until nothing is under way', async () => {
  const { poller, asked } = watch([true, true, false]);
  poller.start();
  await pass(60_000);
  expect(asked()).toBe(3);
  expect(jest.getTimerCount()).toBe(0);
});

it('does not ask before it is started', async () => {
  const { asked } = watch([true]);
  await pass(60_000);
  expect(asked()).toBe(0);
});

it('goes on after a poll that failed', async () => {
  const { poller, asked } = watch([new Error('no network'), false]);
  poller.start();
  await pass(60_000);
  expect(asked()).toBe(2);
});

it('rests while hidden and goes on when shown', async () => {
  const { poller, asked } = watch(Array<boolean>(5).fill(true));
  poller.start();
  await pass(FIRST_DELAY_MS);
  expect(asked()).toBe(1);
  poller.setVisible(false);
  await pass(60_000);
  expect(asked()).toBe(1);
  poller.setVisible(true);
  await pass(FIRST_DELAY_MS);
  expect(asked()).toBe(2);
});

it('does not go on when hidden during a poll or started while hidden', async () => {
  const waiting: ((goOn: boolean) => void)[] = [];
  const poller = new Poller(() => new Promise<boolean>(resolve => waiting.push(resolve)));
  poller.setVisible(true);
  poller.start();
  await pass(FIRST_DELAY_MS);
  poller.setVisible(false);
  waiting[0]?.(true);
  await pass(0);
  expect(jest.getTimerCount()).toBe(0);
  poller.start();
  expect(jest.getTimerCount()).toBe(0);
});

it('starts over with short pauses', async () => {
  const { poller, asked } = watch(Array<boolean>(50).fill(true));
  poller.start();
  await pass(60_000);
  const before = asked();
  poller.start();
  await pass(FIRST_DELAY_MS);
  expect(asked()).toBe(before + 1);
});

it('never runs twice side by side when started during a poll', async () => {
  const waiting: ((goOn: boolean) => void)[] = [];
  const poller = new Poller(() => new Promise<boolean>(resolve => waiting.push(resolve)));
  poller.setVisible(true);
  poller.start();
  await pass(FIRST_DELAY_MS);
  poller.start();
  waiting[0]?.(true);
  await pass(0);
  expect(jest.getTimerCount()).toBe(1);
});

it('is silent for good once disposed, also when a poll was under way', async () => {
  const waiting: ((goOn: boolean) => void)[] = [];
  const poller = new Poller(() => new Promise<boolean>(resolve => waiting.push(resolve)));
  poller.setVisible(true);
  poller.start();
  await pass(FIRST_DELAY_MS);
  poller.dispose();
  waiting[0]?.(true);
  await pass(60_000);
  poller.start();
  expect(jest.getTimerCount()).toBe(0);
  expect(waiting).toHaveLength(1);
});
