/**
 * PPO's clipped objective, sample by sample.
 *
 * Source: Schulman et al. 2017, "Proximal Policy Optimization Algorithms", equation 7 and figure 1.
 */

/** Samples of a rollout as the update on it left them; one ratio and one advantage for each. */
export interface IMinibatch {
  readonly step: number;
  readonly update: number;
  readonly clipRange: number;
  /** How many samples the rollout had. */
  readonly rolloutSize: number;
  readonly ratios: Float32Array;
  readonly advantages: Float32Array;
}

/** The ratio within 1 - epsilon and 1 + epsilon. */
export function clippedRatio(ratio: number, epsilon: number): number {
  return Math.min(Math.max(ratio, 1 - epsilon), 1 + epsilon);
}

/** min(r A, clip(r) A): what a sample adds to the objective. */
export function surrogate(ratio: number, advantage: number, epsilon: number): number {
  return Math.min(ratio * advantage, clippedRatio(ratio, epsilon) * advantage);
}

/**
 * What the update has added to a sample's objective, which was A at the ratio 1 before it. This is
 * figure 1 of the paper, moved so that all samples begin at 0.
 */
export function gain(ratio: number, advantage: number, epsilon: number): number {
  return surrogate(ratio, advantage, epsilon) - advantage;
}

/** Whether the objective is flat where this sample is, so that it has no gradient. */
export function isHeld(ratio: number, advantage: number, epsilon: number): boolean {
  return (advantage > 0 && ratio > 1 + epsilon) || (advantage < 0 && ratio < 1 - epsilon);
}

/** Whether the sample counts for the clip fraction, be it held or not. */
export function isOutside(ratio: number, epsilon: number): boolean {
  return Math.abs(ratio - 1) > epsilon;
}

/**
 * (r - 1) - ln r in nats: its mean estimates KL(old, new), and it is never negative.
 *
 * Source: Schulman 2020, "Approximating KL Divergence", estimator k3.
 */
export function sampleKl(ratio: number): number {
  const beyond = ratio - 1;
  return Math.max(beyond - Math.log1p(beyond), 0); // rounding may leave -1e-17
}

/** What a minibatch comes to. Means and shares are over all its samples. */
export interface ISummary {
  readonly samples: number;
  readonly outside: number;
  readonly held: number;
  readonly meanKl: number;
  readonly lowRatio: number;
  readonly highRatio: number;
  readonly meanAdvantage: number;
  readonly objective: number;
  readonly gain: number;
  /** The gain that there would be without the clip. */
  readonly plainGain: number;
}

/** Return the numbers of a minibatch; means are NaN without samples. */
export function summaryOf({ ratios, advantages, clipRange }: IMinibatch): ISummary {
  const samples = ratios.length;
  let [outside, held, kl, total, objective, added, plain] = [0, 0, 0, 0, 0, 0, 0];
  let [lowRatio, highRatio] = [Infinity, -Infinity];
  ratios.forEach((ratio, index) => {
    const advantage = advantages[index] ?? 0;
    outside += isOutside(ratio, clipRange) ? 1 : 0;
    held += isHeld(ratio, advantage, clipRange) ? 1 : 0;
    kl += sampleKl(ratio);
    total += advantage;
    objective += surrogate(ratio, advantage, clipRange);
    added += gain(ratio, advantage, clipRange);
    plain += (ratio - 1) * advantage;
    lowRatio = Math.min(lowRatio, ratio);
    highRatio = Math.max(highRatio, ratio);
  });
  return {
    samples,
    outside,
    held,
    meanKl: kl / samples,
    lowRatio,
    highRatio,
    meanAdvantage: total / samples,
    objective: objective / samples,
    gain: added / samples,
    plainGain: plain / samples
  };
}

/** Which part of a sample's kind: above 0, or not. */
export type Sign = 1 | -1;

/** The samples whose advantage is above 0, or the others, by their number and in order of ratio. */
export function samplesOf({ ratios, advantages }: IMinibatch, sign: Sign): number[] {
  return Array.from(ratios.keys())
    .filter(index => (advantages[index] ?? 0) > 0 === sign > 0)
    .sort((one, other) => (ratios[one] ?? 0) - (ratios[other] ?? 0));
}

type Range = readonly [low: number, high: number];

/** How far the axes of the figures reach: ratios, gains by the sign of the advantage, advantages. */
export interface IAxes {
  readonly ratios: Range;
  readonly above: Range;
  readonly below: Range;
  readonly advantages: Range;
}

/** Share of samples that the axes hold, and of updates; what is beyond is drawn at the edge. */
const [HELD_SAMPLES, HELD_UPDATES] = [0.98, 0.9];
const ROOM = 1.15;
/** How far the ratios reach, then the ends of the gains (above, below) and of the advantages. */
type Extent = readonly [number, number, number, number, number, number, number];
const extents = new WeakMap<IMinibatch, Extent>();

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
}

function extentOf(batch: IMinibatch): Extent {
  let found = extents.get(batch);
  if (!found) {
    const { ratios, advantages, clipRange } = batch;
    const most = (values: readonly number[]): number => quantile(values, HELD_SAMPLES);
    const ends = ([1, -1] as const).flatMap(sign => {
      const samples = samplesOf(batch, sign);
      const gains = samples.map(at => gain(ratios[at] ?? 1, advantages[at] ?? 0, clipRange));
      const size = samples.reduce((sum, at) => sum + Math.abs(advantages[at] ?? 0), 0);
      // The line for the mean advantage has to be in it, with its bend.
      const line = samples.length ? (1.3 * clipRange * size) / samples.length : 0;
      const down = gains.filter(value => value < 0).map(value => -value);
      const up = gains.filter(value => value > 0);
      return [Math.max(most(down), line), Math.max(most(up), line)];
    });
    const all = Array.from(advantages);
    found = [
      Math.max(most(Array.from(ratios, ratio => Math.abs(ratio - 1))), 2 * clipRange),
      ...(ends as [number, number, number, number]),
      most(all.filter(value => value < 0).map(value => -value)),
      most(all.filter(value => value > 0))
    ];
    extents.set(batch, found);
  }
  return found;
}

/** Axes for one minibatch, or for several so that they can be compared by eye. */
export function axesOf(batches: readonly IMinibatch[]): IAxes {
  const every = batches.map(extentOf);
  const reach = ROOM * Math.max(...every.map(([ratio]) => ratio), 1e-6);
  const range = (at: 1 | 3 | 5): Range => {
    const end = (index: number): number =>
      ROOM *
      quantile(
        every.map(extent => extent[index] ?? 0),
        HELD_UPDATES
      );
    const [low, high] = [end(at), end(at + 1)];
    return [-(low || high || 1), high || low || 1];
  };
  return {
    ratios: [Math.max(1 - reach, 0), 1 + reach],
    above: range(1),
    below: range(3),
    advantages: range(5)
  };
}
