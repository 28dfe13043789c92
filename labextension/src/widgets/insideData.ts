/** The minibatches of a run as the kernel sends them. */
import type { IMinibatch } from '../live/surrogate';

type Operation =
  | { readonly rewind: number }
  | {
      readonly step: number;
      readonly update: number;
      readonly clipRange: number;
      readonly rolloutSize: number;
      readonly count: number;
    };

/** A message of the kernel: operations from number `start` on, and their samples as float32. */
export type MinibatchMessage = {
  readonly type: 'minibatches';
  readonly start: number;
  readonly ops: readonly Operation[];
};

/** Minibatches that count, oldest first. */
export class Minibatches {
  #all: IMinibatch[] = [];
  #taken = 0;

  /** Those that count; another array after every change. */
  get all(): readonly IMinibatch[] {
    return this.#all;
  }

  /** How many operations were taken so far: what to ask the kernel from. */
  get taken(): number {
    return this.#taken;
  }

  /** Take what is new in a message; false when something before it is missing. */
  take({ start, ops }: MinibatchMessage, samples: DataView): boolean {
    if (start > this.#taken) {
      return false;
    }
    if (start + ops.length <= this.#taken) {
      return true; // an answer to another view
    }
    let all = [...this.#all];
    let offset = 0;
    ops.forEach((operation, index) => {
      const isNew = start + index >= this.#taken;
      if ('rewind' in operation) {
        all = isNew ? all.filter(({ step }) => step <= operation.rewind) : all;
        return;
      }
      const { count, ...facts } = operation;
      if (isNew) {
        all.push({
          ...facts,
          ratios: floats(samples, offset, count),
          advantages: floats(samples, offset + 4 * count, count)
        });
      }
      offset += 8 * count;
    });
    this.#all = all;
    this.#taken = start + ops.length;
    return true;
  }
}

/** Copy numbers out of a buffer of Jupyter, in which they may begin anywhere. */
function floats(view: DataView, offset: number, count: number): Float32Array {
  const begin = view.byteOffset + offset;
  return new Float32Array(view.buffer.slice(begin, begin + 4 * count) as ArrayBuffer);
}
