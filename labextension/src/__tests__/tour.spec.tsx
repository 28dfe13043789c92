import * as axe from 'axe-core';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { PreferencesModel } from '../preferences/model';
import { LOOK_MS, Tour } from '../tour/card';
import { TourModel } from '../tour/model';
import type { TourEnd } from '../tour/model';
import { offerTour } from '../tour/offer';
import type { IAnswer } from '../tour/offer';
import { placeBeside } from '../tour/place';
import { STEPS, thingOf } from '../tour/steps';
import { MemoryPreferences } from './preferencesMemory';

/** The parts of JupyterLab that the tour is about, as the extension draws them. */
const PAGE = `
  <button id="work">work</button>
  <div class="jp-PPO-panel" id="jupyter-ppo:course">
    <button class="jp-PPO-openHome">My course</button>
    <button class="jp-PPO-get">Get notebook</button>
    <button class="jp-PPO-validate">Validate</button>
    <button class="jp-PPO-submit">Submit</button>
  </div>
  <div class="jp-NotebookPanel lm-mod-hidden"><div class="jp-Cell"></div></div>
  <div class="jp-NotebookPanel"><div class="jp-Cell"></div><div class="jp-Cell jp-mod-active"></div></div>
`;

let page: HTMLElement;
let root: Root | null;
let ends: TourEnd[];

beforeEach(() => {
  jest.useFakeTimers();
  page = document.createElement('div');
  page.innerHTML = PAGE;
  document.body.appendChild(page);
  for (const element of page.querySelectorAll<HTMLElement>('*')) {
    show(element, true);
  }
  ends = [];
  root = null;
});

afterEach(() => {
  React.act(() => root?.unmount());
  page.remove();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

function show(element: HTMLElement, isShown: boolean): void {
  const size = isShown ? 50 : 0;
  const box = { left: 10, top: 20, width: size, height: size };
  element.getBoundingClientRect = () => box as DOMRect;
}

async function begin(): Promise<void> {
  const before = document.activeElement;
  const model = new TourModel(end => ends.push(end));
  const host = document.createElement('div');
  page.appendChild(host);
  root = createRoot(host);
  await React.act(async () => root?.render(<Tour model={model} before={before} />));
}

const card = (): HTMLElement | null => document.querySelector('[role="dialog"]');
const title = (): string => card()?.querySelector('h2')?.textContent ?? '';

async function press(selector: string): Promise<void> {
  await React.act(async () => card()?.querySelector<HTMLElement>(selector)?.click());
}

async function key(name: string, more: KeyboardEventInit = {}): Promise<void> {
  await React.act(async () => {
    const event = new KeyboardEvent('keydown', { key: name, bubbles: true, ...more });
    document.activeElement?.dispatchEvent(event);
  });
}

it('goes through all of its steps with the buttons, and is done at the end', async () => {
  await begin();
  const seen = [title()];
  expect(card()?.textContent).toContain('Step 1 of 6');
  expect(card()?.querySelector<HTMLButtonElement>('.jp-PPO-tourBack')?.disabled).toBe(true);
  for (let step = 1; step < STEPS.length; step += 1) {
    await press('.jp-PPO-tourNext');
    seen.push(title());
    expect(document.querySelector('.jp-PPO-tourRing')).not.toBeNull();
  }
  expect(seen).toEqual(STEPS.map(step => step.title));
  await press('.jp-PPO-tourBack');
  await press('.jp-PPO-tourNext');
  expect(card()?.querySelector('.jp-PPO-tourNext')?.textContent).toBe('Finish');
  await press('.jp-PPO-tourNext');
  expect([card(), ends]).toEqual([null, ['done']]);
});

it('goes by keys, keeps the focus with each step and gives it back', async () => {
  page.querySelector<HTMLElement>('#work')?.focus();
  await begin();
  expect(document.activeElement?.textContent).toBe(STEPS[0]?.title);
  await key('ArrowRight');
  expect(document.activeElement?.textContent).toBe(STEPS[1]?.title);
  await key('ArrowRight', { repeat: true });
  await key('ArrowRight', { ctrlKey: true });
  await key('a');
  expect(title()).toBe(STEPS[1]?.title);
  await key('ArrowLeft');
  await key('ArrowLeft');
  expect(document.activeElement?.textContent).toBe(STEPS[0]?.title);
  await key('Escape');
  expect([card(), ends]).toEqual([null, ['later']]);
  expect(document.activeElement?.id).toBe('work');
});

it('takes the focus from nobody who went on to work', async () => {
  await begin();
  const work = page.querySelector<HTMLElement>('#work');
  work?.focus();
  await press('.jp-PPO-tourEnd');
  expect(document.activeElement).toBe(work);
});

it('finds the thing in sight, follows it, and says what to do where there is none', async () => {
  const panel = page.querySelector<HTMLElement>('.jp-PPO-panel');
  const cell = page.querySelector<HTMLElement>('.jp-mod-active');
  expect(STEPS.map(step => thingOf(step)?.className)).toEqual([
    'jp-PPO-panel',
    'jp-PPO-get',
    'jp-Cell jp-mod-active',
    'jp-PPO-validate',
    'jp-PPO-submit',
    'jp-PPO-openHome'
  ]);
  cell?.parentElement?.remove();
  expect(STEPS.map(step => thingOf(step) !== null)).toEqual([true, true, false, true, true, true]);
  show(panel as HTMLElement, false);
  await begin();
  const text = (): string => card()?.querySelector('.jp-PPO-tourAct')?.textContent ?? '';
  expect([text(), document.querySelector('.jp-PPO-tourRing')]).toEqual([STEPS[0]?.missing, null]);
  show(panel as HTMLElement, true);
  await React.act(async () => jest.advanceTimersByTimeAsync(LOOK_MS));
  expect(text()).toBe(STEPS[0]?.act);
  expect(document.querySelector<HTMLElement>('.jp-PPO-tourRing')?.style.left).toBe('10px');
});

it('has names for all of its controls, and says each step', async () => {
  await begin();
  jest.useRealTimers();
  const { violations } = await axe.run(card() as HTMLElement, {
    rules: { 'color-contrast': { enabled: false } }
  });
  expect(violations.map(({ id }) => id)).toEqual([]);
  expect(card()?.querySelector('[aria-live="polite"]')?.textContent).toContain(STEPS[0]?.text);
  React.act(() => root?.unmount());
  jest.useFakeTimers();
});

it('can be read in three minutes', () => {
  const words = STEPS.flatMap(step => `${step.title} ${step.text} ${step.act}`.split(/\s+/));
  // Slow readers of a foreign language read 120 words a minute; each step is done in 10 seconds.
  expect(words.length / 120 + (STEPS.length * 10) / 60).toBeLessThan(3);
});

describe('the place of the card', () => {
  const view = { width: 1000, height: 700 };
  const size = { width: 300, height: 200 };

  it.each([
    ['right of it', { left: 0, top: 50, width: 300, height: 600 }, { left: 312, top: 50 }],
    ['left of it', { left: 700, top: 50, width: 300, height: 100 }, { left: 388, top: 50 }],
    ['below it', { left: 100, top: 0, width: 800, height: 100 }, { left: 100, top: 112 }],
    ['above it', { left: 100, top: 400, width: 800, height: 300 }, { left: 100, top: 188 }],
    ['in a corner', { left: 0, top: 0, width: 1000, height: 700 }, { left: 688, top: 488 }],
    ['in the middle', null, { left: 350, top: 250 }],
    ['in sight', { left: 0, top: 690, width: 50, height: 30 }, { left: 62, top: 488 }]
  ])('is %s', (_, thing, corner) => {
    expect(placeBeside(thing, size, view)).toEqual({ ...corner, ...size });
  });

  it('is all in sight wherever the thing is, as far as there is room', () => {
    for (let left = -400; left <= 1400; left += 90) {
      for (let top = -400; top <= 1100; top += 90) {
        for (const [width, height] of [
          [10, 10],
          [400, 30],
          [30, 500],
          [950, 650]
        ] as const) {
          const at = placeBeside({ left, top, width, height }, size, view);
          expect(at.left).toBeGreaterThanOrEqual(12);
          expect(at.top).toBeGreaterThanOrEqual(12);
          expect(at.left + size.width).toBeLessThanOrEqual(view.width - 12);
          expect(at.top + size.height).toBeLessThanOrEqual(view.height - 12);
        }
      }
    }
  });
});

describe('the offer', () => {
  let service: MemoryPreferences;
  let model: PreferencesModel;
  let answers: readonly IAnswer[] | null;
  let started: number;

  beforeEach(() => {
    service = new MemoryPreferences();
    model = new PreferencesModel(service);
    answers = null;
    started = 0;
  });

  const offer = (isIn: () => Promise<boolean> = async () => true): Promise<void> =>
    offerTour(
      model,
      isIn,
      (_, given) => (answers = given),
      () => (started += 1)
    );

  const answer = async (label: string): Promise<void> => {
    answers?.find(each => each.label === label)?.act();
    await model.ready();
    await Promise.resolve();
  };

  it('begins the tour, or puts it off, or ends the matter', async () => {
    await offer();
    expect(answers?.map(each => each.label)).toEqual(['Start', 'Later', 'No thanks']);
    await answer('Start');
    expect([started, service.stored.tour]).toEqual([1, 'later']);
    await answer('Later');
    await model.change({});
    expect(service.stored.tour).toBe('later');
    await answer('No thanks');
    await model.change({});
    expect(service.stored.tour).toBe('done');
  });

  it('is not made again when it was closed without an answer', async () => {
    await offer();
    answers = null;
    model = new PreferencesModel(service);
    await offer();
    expect(answers).toBeNull();
  });

  it('is made once only, and not to who is in no course or unknown', async () => {
    await offer(async () => false);
    await offer(async () => Promise.reject(new Error('no answer')));
    expect(answers).toBeNull();
    service.refusal = new Error('no answer');
    model = new PreferencesModel(service);
    await offer();
    expect(answers).toBeNull();
    service.elsewhere({ tour: 'later' });
    await offer();
    expect(answers).toBeNull();
  });
});
