import { Marking } from '../instructor/marking';
import { numberOf, problemOf } from '../instructor/markDraft';
import type { IDeskState } from '../instructor/markingModel';
import { MarkingModel } from '../instructor/markingModel';
import { MemoryGrading } from './gradingMemory';
import {
  aroundEach,
  click,
  find,
  has,
  key,
  node,
  press,
  service,
  show,
  textOf,
  type
} from './gradingPage';

aroundEach(Marking);

const POINTS = '.jp-PPO-desk [name="points"]';
const points = (): string => find<HTMLInputElement>(POINTS).value;

async function desk(): Promise<void> {
  await show();
  await press('[data-exercise="why"]');
  expect(document.activeElement).toBe(find('.jp-PPO-desk'));
}

describe('the desk', () => {
  it('shows one answer by pseudonym, in frames where nothing can run', async () => {
    await desk();
    expect(textOf('.jp-PPO-deskHead h3')).toBe('Student 397');
    const frames = [...node.querySelectorAll('iframe')];
    expect(frames.map(frame => frame.getAttribute('sandbox'))).toEqual(['', '']);
    expect(frames[1]?.srcdoc).toContain('answer of of-ada');
    expect(frames[1]?.srcdoc).toContain("default-src 'none'");
    expect(textOf('.jp-PPO-scheme')).toBe('say clip');
  });

  it('marks by keys alone and says what it did', async () => {
    await desk();
    await key('7');
    expect(points()).toBe('7');
    expect(textOf('.jp-PPO-savedState')).toBe('Not saved');
    await key('Enter');
    expect(service.said).toEqual([
      'mark of-ada/why {"points":7,"extra_credit":0,"comment":"","reason":"","revision":0}'
    ]);
    expect(textOf('.jp-PPO-figures')).toBe('2 of 3');
    expect(textOf('.jp-PPO-desk [aria-live]')).toBe(
      'Saved 7 of 12 for Student 397. Student 398, 2 of 3.'
    );
    expect(textOf('[data-exercise="why"]')).toContain('2 waiting, 1 of 3 marked');
    await key('f');
    expect(points()).toBe('12');
    await key('z');
    expect(points()).toBe('0');
    await type(POINTS, ''); // what is typed and not saved is kept, also for the next test
  });

  it('does nothing by keys while somebody types, but saves with Ctrl and Enter', async () => {
    await desk();
    await key('5');
    await type('[name="comment"]', 'j');
    await key('f');
    await key('j');
    await key('7');
    expect(points()).toBe('5');
    expect(textOf('.jp-PPO-figures')).toBe('1 of 3');
    await key('Enter', { ctrlKey: true });
    expect(service.said).toHaveLength(1);
    expect(service.marks.get('of-ada')).toMatchObject({ points: 5, comment: 'j' });
    expect(document.activeElement).toBe(find('.jp-PPO-desk'));
  });

  it('keeps what was typed when one goes on without saving', async () => {
    await desk();
    await key('4');
    await key('j');
    expect(points()).toBe('');
    expect(textOf('.jp-PPO-deskBar')).toContain('1 typed and not saved');
    await key('k');
    expect(points()).toBe('4');
    await type(POINTS, '');
  });

  it('shows both marks when somebody saved in between, and keeps the one that is chosen', async () => {
    await desk();
    service.store('of-ada', { points: 1, comment: 'from gil' }, 'gil');
    await key('9');
    await key('Enter');
    expect(textOf('.jp-PPO-conflict')).toMatch(/gil saved another mark.*9.*1.*from gil/);
    await press('.jp-PPO-mine');
    expect(service.marks.get('of-ada')).toMatchObject({ points: 9, revision: 2 });
    expect(has('.jp-PPO-conflict')).toBe(false);
  });

  it('takes theirs', async () => {
    await desk();
    service.store('of-ada', { points: 1, comment: 'from gil' }, 'gil');
    await key('9');
    await key('Enter');
    await press('.jp-PPO-theirs');
    expect(points()).toBe('1');
    expect(service.marks.get('of-ada')).toMatchObject({ points: 1, revision: 1 });
    expect(textOf('.jp-PPO-savedState')).toBe('Saved by gil');
  });

  it('shows names only when asked to, and says what that means', async () => {
    await desk();
    await press('.jp-PPO-deskBar label:nth-of-type(2) input');
    expect(textOf('.jp-PPO-deskHead h3')).toBe('ada');
    expect(textOf('.jp-PPO-desk')).toContain('not logged anywhere');
  });

  it('lists everything, or only what waits', async () => {
    service.store('of-ada', { points: 1 }, 'gil');
    await desk();
    expect(textOf('.jp-PPO-figures')).toBe('1 of 2');
    await key('u');
    expect(textOf('.jp-PPO-figures')).toBe('2 of 3');
  });

  it('explains its keys and gives the keyboard back', async () => {
    await desk();
    await key('?');
    expect(textOf('.jp-PPO-keys')).toContain('Full points');
    await key('Escape');
    expect(has('.jp-PPO-keys')).toBe(false);
    expect(document.activeElement).toBe(find('.jp-PPO-desk'));
  });

  it('says why nothing was saved', async () => {
    await desk();
    service.refusal = new Error('The disk is full.');
    await key('5');
    await key('Enter');
    expect(textOf('.jp-PPO-markForm')).toContain('The disk is full.');
    expect(textOf('.jp-PPO-savedState')).toBe('Not saved');
    await type(POINTS, '');
    await click('Save and next');
    expect(textOf('.jp-PPO-desk [aria-live]')).toBe('Give points first.');
  });
});

describe('number keys', () => {
  async function model(): Promise<MarkingModel> {
    const client = new MemoryGrading();
    const [exercise] = await client.markingTotals();
    if (exercise === undefined) {
      throw new Error('there is one');
    }
    const made = new MarkingModel(client, 'rl', exercise, new Map());
    await made.load();
    return made;
  }

  const typed = (state: IDeskState): string => state.draft.points;

  it('make one number within a moment', async () => {
    const marking = await model();
    marking.digit('1', 1_000);
    marking.digit('2', 1_200);
    expect(typed(marking.snapshot())).toBe('12');
    marking.digit('3', 9_000);
    expect(typed(marking.snapshot())).toBe('3');
  });

  it('start anew where the number would be too large', async () => {
    const marking = await model();
    marking.digit('9', 1_000);
    marking.digit('8', 1_100);
    expect(typed(marking.snapshot())).toBe('8');
  });
});

it.each([
  ['1.5', 1.5],
  [' 2,5 ', 2.5],
  ['−1', -1],
  ['.5', 0.5],
  ['', null]
])('reads %p as a number', (text, value) => {
  expect(numberOf(text)).toBe(value);
});

it.each(['x', '1e3', '1.2.3', '--1', 'Infinity'])('does not take %p for a number', text => {
  expect(numberOf(text)).toBeNaN();
  expect(problemOf({ points: text, extra: '', comment: '' }, 4)?.field).toBe('points');
  expect(problemOf({ points: '', extra: text, comment: '' }, 4)?.field).toBe('extra');
});
