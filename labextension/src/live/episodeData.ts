/** An episode as it comes from the kernel, and what follows from it. Pure; draws nothing. */

export type ActionKind = 'discrete' | 'multi_discrete' | 'multi_binary' | 'continuous';

/** What is known before the first step; as `EpisodeInfo` in Python. */
export type EpisodeInfo = {
  readonly env_id: string;
  readonly step: number;
  readonly seed: number;
  readonly deterministic: boolean;
  readonly action_kind: ActionKind;
  readonly action_sizes: readonly number[];
  readonly action_names: readonly string[];
  readonly action_low: readonly number[];
  readonly action_high: readonly number[];
  readonly observation_names: readonly string[];
  readonly gamma: number;
  readonly value_is_scaled: boolean;
  readonly frames_per_second: number;
  readonly why_no_pictures: string;
};

/** What was seen at a step and what the policy did; null is no finite number. */
export type Moment = {
  readonly value: number | null;
  readonly action: readonly number[];
  readonly probabilities: readonly (number | null)[];
  readonly mean: readonly (number | null)[];
  readonly std: readonly (number | null)[];
  /** What the action gave; null at the last moment. */
  readonly reward: number | null;
  readonly observation: readonly (number | null)[];
};

/** A moment on its way; `bytes` is the length of its PNG, 0 where there is none. */
export type SentMoment = Moment & { readonly bytes: number };

export type Ending = 'terminated' | 'truncated' | 'cut' | 'stopped' | 'failed';

/** An episode that grows. */
export class EpisodeData {
  readonly moments: Moment[] = [];
  readonly pictures: (Blob | null)[] = [];
  ending: Ending | null = null;
  private sums: number[] = [0];

  constructor(readonly info: EpisodeInfo) {}

  /** Add moments that begin at `first`; false when some before them are missing. */
  add(first: number, moments: readonly SentMoment[], pictures: ArrayBufferView): boolean {
    if (first > this.moments.length) {
      return false;
    }
    let offset = pictures.byteOffset;
    moments.forEach((moment, index) => {
      const begin = offset;
      offset += moment.bytes;
      if (first + index < this.moments.length) {
        return; // it came twice
      }
      this.moments.push(moment);
      this.sums.push((this.sums[this.sums.length - 1] ?? 0) + (moment.reward ?? 0));
      this.pictures.push(
        moment.bytes
          ? new Blob([(pictures.buffer as ArrayBuffer).slice(begin, offset)], { type: 'image/png' })
          : null
      );
    });
    return true;
  }

  /** Whether the environment was drawn. */
  get hasPictures(): boolean {
    return Boolean(this.pictures[0]);
  }

  /** Steps that were made. */
  get steps(): number {
    return this.moments.filter(({ action }) => action.length > 0).length;
  }

  /** The sum of rewards before a moment. */
  returnBefore(index: number): number {
    return this.sums[Math.min(index, this.sums.length - 1)] ?? 0;
  }

  /**
   * The discounted return that came after each moment, which the critic's values estimate. What
   * came after the end of a truncated episode nobody knows: the last value stands for it. Empty
   * while the episode goes on, and where values are in units of their own.
   */
  returnsToGo(): number[] {
    const last = this.moments[this.moments.length - 1];
    if (this.ending === null || !last || this.info.value_is_scaled) {
      return [];
    }
    let rest = this.ending === 'terminated' ? 0 : (last.value ?? NaN);
    const found = new Array<number>(this.moments.length).fill(NaN);
    for (let index = this.moments.length - 2; index >= 0; index--) {
      rest = (this.moments[index]?.reward ?? 0) + this.info.gamma * rest;
      found[index] = rest;
    }
    return found;
  }
}

/** One bar of what the policy chose from. */
export type Choice = {
  readonly name: string;
  readonly probability: number;
  readonly isTaken: boolean;
};

/** Choices that belong together: one group, or one for each part of the action. */
export type ChoiceGroup = { readonly name: string; readonly choices: readonly Choice[] };

/** A component of a continuous action. */
export type Component = {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly mean: number;
  readonly std: number;
  readonly taken: number;
};

/** Of more actions than this only the likeliest are shown, and the one that was taken. */
const MOST_CHOICES = 12;

/** What a policy with discrete actions chose from, for bars. */
export function choiceGroups(info: EpisodeInfo, moment: Moment): ChoiceGroup[] {
  const chance = (index: number): number => moment.probabilities[index] ?? NaN;
  const name = (index: number): string => info.action_names[index] ?? `action ${index}`;
  if (info.action_kind === 'multi_binary') {
    const choices = moment.probabilities.map((_, index) => ({
      name: info.action_names[index] ?? `${index}`,
      probability: chance(index),
      isTaken: moment.action[index] === 1
    }));
    return [{ name: 'probability of 1', choices }];
  }
  if (info.action_kind === 'discrete') {
    const choices = moment.probabilities.map((_, index) => ({
      name: name(index),
      probability: chance(index),
      isTaken: moment.action[0] === index
    }));
    return [{ name: '', choices: likeliest(choices) }];
  }
  let first = 0;
  return info.action_sizes.map((size, part) => {
    const choices = Array.from({ length: size }, (_, index) => ({
      name: `${index}`,
      probability: chance(first + index),
      isTaken: moment.action[part] === index
    }));
    first += size;
    return { name: info.action_names[part] ?? `part ${part}`, choices: likeliest(choices) };
  });
}

function likeliest(choices: readonly Choice[]): readonly Choice[] {
  if (choices.length <= MOST_CHOICES) {
    return choices;
  }
  const least = [...choices].sort((a, b) => b.probability - a.probability)[MOST_CHOICES - 1];
  return choices.filter(
    ({ probability, isTaken }) => isTaken || probability > (least?.probability ?? 0)
  );
}

/** What a policy with continuous actions chose from. */
export function components(info: EpisodeInfo, moment: Moment): Component[] {
  return moment.mean.map((mean, index) => ({
    name: info.action_names[index] ?? `component ${index}`,
    low: info.action_low[index] ?? -1,
    high: info.action_high[index] ?? 1,
    mean: mean ?? NaN,
    std: moment.std[index] ?? NaN,
    taken: moment.action[index] ?? NaN
  }));
}

/** How an episode ended, in words. */
export function endingWords(ending: Ending, steps: number): string {
  switch (ending) {
    case 'terminated':
      return `the task ended after ${steps} steps`;
    case 'truncated':
      return `the time limit came after ${steps} steps`;
    case 'cut':
      return `cut after ${steps} steps: it had no end by then`;
    case 'stopped':
      return `you stopped it after ${steps} steps`;
    case 'failed':
      return `it failed after ${steps} steps`;
  }
}
