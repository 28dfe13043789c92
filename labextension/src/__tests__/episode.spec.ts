import {
  EpisodeData,
  choiceGroups,
  components,
  endingWords,
  type EpisodeInfo,
  type SentMoment
} from '../live/episodeData';
import { heightsOf, pathOf, scaleLabel } from '../live/episodeLines';

const INFO: EpisodeInfo = {
  env_id: 'Own-v0',
  step: 64,
  seed: 1,
  deterministic: true,
  action_kind: 'discrete',
  action_sizes: [3],
  action_names: [],
  action_low: [],
  action_high: [],
  observation_names: [],
  gamma: 0.5,
  value_is_scaled: false,
  frames_per_second: 30,
  why_no_pictures: ''
};

function moment(change: Partial<SentMoment> = {}): SentMoment {
  return {
    value: 2,
    action: [1],
    probabilities: [0.2, 0.5, 0.3],
    mean: [],
    std: [],
    reward: 1,
    observation: [],
    bytes: 0,
    ...change
  };
}

const last = moment({ action: [], reward: null, value: 8 });
const none = new Uint8Array();

async function textOf(blob: Blob | null | undefined): Promise<string> {
  return new Promise(resolve => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.readAsText(blob ?? new Blob());
  });
}

describe('an episode that grows', () => {
  it('takes pictures from their place in the bytes, once', async () => {
    const data = new EpisodeData(INFO);
    const bytes = new TextEncoder().encode('xxaabbbc');
    const part = new DataView(bytes.buffer, bytes.byteOffset + 2, 6);
    const two = [moment({ bytes: 2 }), moment({ bytes: 3 })];
    expect(data.add(0, [...two, moment({ bytes: 1 })], part)).toBe(true);
    expect(await Promise.all(data.pictures.map(textOf))).toEqual(['aa', 'bbb', 'c']);
    const again = new TextEncoder().encode('AABBBd');
    expect(data.add(1, [two[0], two[1], moment({ bytes: 1 })] as SentMoment[], again)).toBe(true);
    expect(await Promise.all(data.pictures.map(textOf))).toEqual(['aa', 'bbb', 'c', 'd']);
    expect(data.hasPictures).toBe(true);
  });

  it('notices what is missing and stays as it was', () => {
    const data = new EpisodeData(INFO);
    expect(data.add(1, [moment()], none)).toBe(false);
    expect(data.moments).toHaveLength(0);
    expect(data.hasPictures).toBe(false);
  });

  it('counts steps and rewards', () => {
    const data = new EpisodeData(INFO);
    data.add(0, [moment(), moment({ reward: 4 }), last], none);
    expect([0, 1, 2, 3].map(index => data.returnBefore(index))).toEqual([0, 1, 5, 5]);
    expect(data.steps).toBe(2);
  });
});

describe('the return that came', () => {
  function ended(ending: 'terminated' | 'truncated', info: Partial<EpisodeInfo> = {}): number[] {
    const data = new EpisodeData({ ...INFO, ...info });
    data.add(0, [moment(), moment({ reward: 4 }), last], none);
    expect(data.returnsToGo()).toEqual([]);
    data.ending = ending;
    return data.returnsToGo();
  }

  it('is discounted, and nothing comes after the task ended', () => {
    expect(ended('terminated')).toEqual([3, 4, NaN]);
  });

  it('goes on with the value of what was seen last when only time ended it', () => {
    expect(ended('truncated')).toEqual([5, 8, NaN]);
  });

  it('is not shown beside values in units of their own', () => {
    expect(ended('terminated', { value_is_scaled: true })).toEqual([]);
  });
});

describe('what the policy chose from', () => {
  it('has a bar for each action', () => {
    const [group] = choiceGroups({ ...INFO, action_names: ['a', 'b', 'c'] }, moment());
    expect(group?.choices).toEqual([
      { name: 'a', probability: 0.2, isTaken: false },
      { name: 'b', probability: 0.5, isTaken: true },
      { name: 'c', probability: 0.3, isTaken: false }
    ]);
  });

  it('has the likeliest of many, and the one that was taken', () => {
    const probabilities = Array.from({ length: 40 }, (_, index) => (index + 1) / 820);
    const [group] = choiceGroups(INFO, moment({ probabilities, action: [3] }));
    expect(group?.choices).toHaveLength(12);
    expect(group?.choices[0]).toMatchObject({ name: 'action 3', isTaken: true });
    expect(group?.choices[1]?.name).toBe('action 29');
  });

  it('has a group for each part', () => {
    const info: EpisodeInfo = { ...INFO, action_kind: 'multi_discrete', action_sizes: [1, 2] };
    const groups = choiceGroups(info, moment({ action: [0, 1] }));
    expect(groups.map(({ choices }) => choices.map(({ isTaken }) => isTaken))).toEqual([
      [true],
      [false, true]
    ]);
    expect(groups[1]?.choices[0]?.probability).toBe(0.5);
  });

  it('has the chance of one for each bit', () => {
    const info: EpisodeInfo = { ...INFO, action_kind: 'multi_binary' };
    const [group] = choiceGroups(info, moment({ action: [1, 0, 1] }));
    expect(group?.choices.map(({ isTaken }) => isTaken)).toEqual([true, false, true]);
  });

  it('has mean and deviation of continuous actions; what is no number stays none', () => {
    const info: EpisodeInfo = { ...INFO, action_kind: 'continuous', action_low: [-2] };
    const parts = components(info, moment({ mean: [0.5, null], std: [0.1, 0.2], action: [1, 0] }));
    expect(parts[0]).toMatchObject({ low: -2, high: 1, mean: 0.5, std: 0.1, taken: 1 });
    expect(parts[1]?.mean).toBeNaN();
  });
});

describe('a line', () => {
  const y = (value: number): number => value;

  it('is broken where there is no number', () => {
    expect(pathOf([1, 2, NaN, 4], 4, y, false)).toBe('M0.00 1.00L200.00 2.00M600.00 4.00');
    expect(pathOf([1, 2], 2, y, true)).toBe('M0.00 1.00H600.00V2.00');
    expect(pathOf([], 2, y, false)).toBe('');
  });

  it('of very many points keeps the extremes', () => {
    const values = Array.from({ length: 50_000 }, (_, index) => index % 7);
    values[31_234] = 900;
    values[41_000] = -900;
    const path = pathOf(values, values.length, y, false);
    expect(path).toContain(' 900.00');
    expect(path).toContain(' -900.00');
    expect(path.split('L').length).toBeLessThan(1300);
  });
});

it('labels an axis with digits that tell its ends apart, and draws noise low', () => {
  const [low, high] = heightsOf(49.9, 50.1);
  expect(high - low).toBeCloseTo(0.05 * 50.1);
  expect([low, high].map(one => scaleLabel(one, high - low))).toEqual(['48.7', '51.3']);
  expect(heightsOf(1, 1)).toEqual([0, 1]);
  expect(heightsOf(-3, 7)).toEqual([-3, 7]);
});

it('says how an episode ended', () => {
  expect(endingWords('terminated', 12)).toBe('the task ended after 12 steps');
  expect(endingWords('cut', 9)).toContain('it had no end by then');
});
