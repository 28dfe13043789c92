import * as axe from 'axe-core';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { RequestError } from '../connection';
import { TutorArea } from '../tutor/area';
import { TutorModel } from '../tutor/model';
import { answerCell, hint, MemoryTutor, NO_MODEL } from './tutorMemory';

let service: MemoryTutor;
let model: TutorModel;
let node: HTMLElement;
let root: Root;
let looks: number;

beforeEach(async () => {
  service = new MemoryTutor();
  model = new TutorModel(service);
  looks = 0;
  node = document.createElement('div');
  document.body.appendChild(node);
  root = createRoot(node);
  await React.act(async () =>
    root.render(<TutorArea model={model} onLook={() => (looks += 1)} onExplain={() => undefined} />)
  );
});

afterEach(() => {
  React.act(() => root.unmount());
  node.remove();
  model.dispose();
});

async function act(what: () => Promise<void>): Promise<void> {
  await React.act(what);
}

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = node.querySelector<T>(selector);
  if (found === null) {
    throw new Error(`${selector} is not in ${node.innerHTML}`);
  }
  return found;
}

async function press(selector: string): Promise<void> {
  await act(async () => find<HTMLButtonElement>(selector).click());
}

test('says how to begin, and looks at the cell when asked to', async () => {
  expect(node.textContent).toContain('Put the cursor into a cell of an exercise');
  await press('.jp-PPO-look');
  expect(looks).toBe(1);
});

test('a hint is asked for with the answer and its failure, and is kept with its level', async () => {
  const failure = { check: 'compute_gae_hand', error_type: 'AssertionError', message: 'no' };
  await act(() => model.show(answerCell({ failure })));
  expect(find('.jp-PPO-askHint').textContent).toBe('Hint 1: What is asked');
  await press('.jp-PPO-askHint');
  expect(service.asked).toEqual([
    {
      course: 'ppo',
      assignment: '05-gae',
      gradeId: 'compute_gae',
      answer: 'def compute_gae(): pass',
      failure
    }
  ]);
  const shown = find('.jp-PPO-hint');
  expect(shown.textContent).toContain('Level 1 of 4: What is asked');
  expect(shown.textContent).toContain('The check asks for an array of shape (T,).');
  expect(find('.jp-PPO-said').textContent).toBe('Hint 1 is there.');
});

test('the next level waits for a new attempt and says so', async () => {
  await act(() => model.show(answerCell()));
  await press('.jp-PPO-askHint');
  expect(find<HTMLButtonElement>('.jp-PPO-askHint').disabled).toBe(true);
  expect(node.textContent).toContain('Change your answer first, then ask for the next hint.');
});

test('the same attempt gets its hint again and is told so', async () => {
  service.ladders = { ...service.ladders, taken: [hint({ id: 'h1' })] };
  service.again = hint({ id: 'h1' });
  await act(() => model.show(answerCell()));
  await press('.jp-PPO-askHint');
  expect(node.querySelectorAll('.jp-PPO-hint')).toHaveLength(1);
  expect(find('.jp-PPO-said').textContent).toContain('Change your answer, try it, then ask again.');
});

test('says in words who wrote a hint', async () => {
  const taken = [
    hint({ id: 'a', said_by: 'By the author.' }),
    hint({ id: 'c', said_by: 'By small-1; it may be wrong.', note: 'Cut short.' })
  ];
  service.ladders = { ...service.ladders, taken };
  await act(() => model.show(answerCell()));
  const remarks = [...node.querySelectorAll('.jp-PPO-hint .jp-PPO-remark')];
  expect(remarks[0]?.textContent).toContain('By the author.');
  expect(remarks[1]?.textContent).toContain('Cut short. By small-1; it may be wrong.');
});

test('keeps saying why no model wrote a hint, also after another cell was looked at', async () => {
  service.note = 'The language model did not answer.';
  await act(() => model.show(answerCell()));
  await press('.jp-PPO-askHint');
  const remark = (): string => find('.jp-PPO-hint .jp-PPO-remark').textContent ?? '';
  expect(remark()).toContain('The language model did not answer.');
  await act(() => model.show(answerCell({ gradeId: 'gae_single' })));
  await act(() => model.show(answerCell()));
  expect(remark()).toContain('The language model did not answer.');
});

test('says before it is asked what a hint takes', async () => {
  const next = { level: 'step', number: 4, cost_fraction: 0.125 } as const;
  service.ladders = { ...service.ladders, next };
  await act(() => model.show(answerCell()));
  expect(node.textContent).toContain("Takes 12.5 % of this exercise's points.");
});

test('says plainly that no language model is involved', async () => {
  service.answered = NO_MODEL;
  await act(() => model.show(answerCell()));
  expect(find('.jp-PPO-tutorStatus').textContent).toMatch(/^No language model is set up/);
});

test('hints that are switched off say why', async () => {
  service.ladders = { enabled: false, taken: [], next: null, why_not: 'Your teacher said no.' };
  await act(() => model.show(answerCell()));
  expect(node.textContent).toContain('Your teacher said no.');
  expect(node.querySelector('.jp-PPO-askHint')).toBeNull();
});

test('a request that fails says why and can be tried again', async () => {
  await act(() => model.show(answerCell()));
  service.failure = new RequestError('You asked 30 times this hour.', 'too_many_requests', 429);
  await press('.jp-PPO-askHint');
  expect(find('[role="alert"]').textContent).toContain('You asked 30 times this hour.');
  await press('.jp-PPO-askHint');
  expect(node.querySelector('[role="alert"]')).toBeNull();
  expect(node.querySelectorAll('.jp-PPO-hint')).toHaveLength(1);
});

test('words that were taken back are replaced', async () => {
  const seen: (string | null)[] = [];
  service.replaced = 'Something else.';
  await act(() => model.show(answerCell()));
  model.subscribe(() => seen.push(model.snapshot().words));
  await press('.jp-PPO-askHint');
  expect(seen).toContain('The check ');
  expect(seen).toContain('Something else.');
});

test('an answer to an earlier exercise is dropped', async () => {
  await act(async () => {
    const first = model.show(answerCell());
    const second = model.show(answerCell({ gradeId: 'gae_single' }));
    await Promise.all([first, second]);
  });
  expect(find('.jp-PPO-tutorExercise').textContent).toBe('Hints: gae_single');
});

test('an error is explained, with what the figures say after the words', async () => {
  const question = {
    kind: 'error',
    code: 'x',
    error_type: 'NameError',
    message: 'x',
    traceback: ''
  } as const;
  service.explanation = { ...service.explanation, facts: ['approx_kl rose to 0.3.'] };
  await act(() => model.explain('ppo', question));
  const section = find('.jp-PPO-explanation');
  expect(section.querySelector('h3')?.textContent).toBe('About NameError');
  expect(section.querySelector('.jp-PPO-explainedFacts')?.textContent).toBe(
    'approx_kl rose to 0.3.'
  );
  expect(section.querySelectorAll('.jp-PPO-hintText')).toHaveLength(2);
  await press('.jp-PPO-explanation .jp-PPO-button');
  expect(node.querySelector('.jp-PPO-explanation')).toBeNull();
});

test('markup in words of a model is shown as text', async () => {
  service.explanation = { ...service.explanation, text: '<img src=x onerror=alert(1)> [a](b)' };
  await act(() => model.explain('ppo', { kind: 'cell', code: 'x' }));
  expect(node.querySelector('img, a')).toBeNull();
  expect(node.textContent).toContain('<img src=x onerror=alert(1)>');
});

test('an explanation that fails says why', async () => {
  service.failure = new RequestError('There is no such run.', 'not_found', 404);
  await act(() => model.explain('ppo', { kind: 'run', run_id: 'r', update: 40 }));
  expect(find('.jp-PPO-explanation h3').textContent).toBe('About this run, around update 40');
  expect(find('[role="alert"]').textContent).toContain('There is no such run.');
});

test('an answer in words has its rubric to check oneself by', async () => {
  await act(() => model.show(answerCell({ gradeId: 'why', isByHand: true })));
  await press('input[value="there"]');
  expect(service.asked).toEqual([
    {
      course: 'ppo',
      assignment: '05-gae',
      gradeId: 'why',
      levels: { reason: 'there' },
      revision: 0
    }
  ]);
  expect(find<HTMLInputElement>('input[value="there"]').checked).toBe(true);
  expect(find('.jp-PPO-said').textContent).toBe('Kept.');
});

test('a choice that could not be kept stays on the screen, with the reason', async () => {
  await act(() => model.show(answerCell({ gradeId: 'why', isByHand: true })));
  service.failure = new RequestError('Changed elsewhere.', 'edit_conflict', 409);
  await press('input[value="there"]');
  expect(find<HTMLInputElement>('input[value="there"]').checked).toBe(true);
  expect(find('[role="alert"]').textContent).toContain('Changed elsewhere.');
});

test('nothing in the panel stops a screen reader', async () => {
  service.ladders = { ...service.ladders, taken: [hint()] };
  await act(() => model.show(answerCell()));
  await act(() => model.explain('ppo', { kind: 'cell', code: 'x' }));
  const { violations } = await axe.run(node, { rules: { 'color-contrast': { enabled: false } } });
  expect(violations.map(({ id }) => id)).toEqual([]);
});
