import { Minibatches, type MinibatchMessage } from '../widgets/insideData';

type Operation = MinibatchMessage['ops'][number];

function made(update: number, count = 2): Operation {
  return { step: 100 * update, update, clipRange: 0.2, rolloutSize: 64, count };
}

/** A message of the kernel, its samples in the middle of a larger buffer. */
function message(start: number, ops: readonly Operation[]): [MinibatchMessage, DataView] {
  const values = ops.flatMap(operation =>
    'rewind' in operation
      ? []
      : [1, 1 + operation.update / 100, ...Array<number>(2 * operation.count - 2).fill(0.5)]
  );
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  const whole = new Uint8Array(bytes.length + 3);
  whole.set(bytes, 3);
  return [{ type: 'minibatches', start, ops }, new DataView(whole.buffer, 3)];
}

describe('minibatches of the kernel', () => {
  it('are taken in order, and a run that goes on from a step loses what came after', () => {
    const data = new Minibatches();
    expect(data.take(...message(0, [made(1), made(2), made(3)]))).toBe(true);
    expect(data.take(...message(3, [{ rewind: 150 }, made(2), made(3, 3)]))).toBe(true);
    expect(data.all.map(({ update }) => update)).toEqual([1, 2, 3]);
    expect(data.taken).toBe(6);
    const [first, , last] = data.all;
    expect(Array.from(first?.ratios ?? [])).toEqual([1, Math.fround(1.01)]);
    expect(Array.from(first?.advantages ?? [])).toEqual([0.5, 0.5]);
    expect(last?.ratios).toHaveLength(3);
    expect(last?.clipRange).toBe(0.2);
  });

  it('are not taken when something before them is missing', () => {
    const data = new Minibatches();
    expect(data.take(...message(1, [made(2)]))).toBe(false);
    expect(data.taken).toBe(0);
    expect(data.all).toEqual([]);
  });

  it('count once when the answer to another page comes here too', () => {
    const data = new Minibatches();
    data.take(...message(0, [made(1), made(2)]));
    expect(data.take(...message(0, [made(1), made(2)]))).toBe(true);
    expect(data.take(...message(0, [made(1), made(2), made(3)]))).toBe(true);
    expect(data.all.map(({ update }) => update)).toEqual([1, 2, 3]);
    expect(Array.from(data.all[2]?.ratios ?? [])[1]).toBeCloseTo(1.03, 6);
  });

  it('give another list after every change', () => {
    const data = new Minibatches();
    const before = data.all;
    data.take(...message(0, [made(1)]));
    expect(data.all).not.toBe(before);
  });
});
