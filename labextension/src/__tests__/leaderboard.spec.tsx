import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { CoursePanel } from '../components';
import { CourseModel } from '../model';
import type { ILeaderboardEntry } from '../types';
import { MemoryService, MemoryWorkspace } from './memory';

let service: MemoryService;
let model: CourseModel;
let node: HTMLElement;
let root: Root;

beforeEach(async () => {
  service = new MemoryService();
  model = new CourseModel(service, new MemoryWorkspace());
  node = document.createElement('div');
  document.body.appendChild(node);
  root = createRoot(node);
  await React.act(async () => root.render(<CoursePanel model={model} />));
  await React.act(async () => model.refresh());
});

afterEach(() => {
  React.act(() => root.unmount());
  node.remove();
  model.dispose();
});

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = node.querySelector<T>(selector);
  if (found === null) {
    throw new Error(`${selector} is not in ${node.innerHTML}`);
  }
  return found;
}

async function open(): Promise<void> {
  await React.act(async () => {
    const section = find<HTMLDetailsElement>('.jp-PPO-leaderboard');
    section.open = true;
    section.dispatchEvent(new Event('toggle'));
  });
}

async function join(name: string): Promise<void> {
  const input = find<HTMLInputElement>('.jp-PPO-membership input');
  await React.act(async () => {
    // React watches the property of its own element, so the prototype's setter is needed.
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(input, name);
    input.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await React.act(async () => find<HTMLFormElement>('.jp-PPO-membership').requestSubmit());
}

function entry(rank: number, pseudonym: string, own = false): ILeaderboardEntry {
  const figures = { mean: 500 - rank, low: 490, high: 510.25, episodes: 20 };
  return { rank, pseudonym, own, assignment: 'first', env_id: 'CartPole-v1', ...figures };
}

it('is asked for when it is opened, and marks the own entry', async () => {
  service.board = [
    entry(1, 'quick fox'),
    entry(2, 'slow bear', true),
    { ...entry(1, 'owl'), env_id: 'Acrobot-v1' }
  ];
  expect(node.querySelector('.jp-PPO-board')).toBeNull();
  await open();
  const captions = [...node.querySelectorAll('caption')].map(item => item.textContent);
  expect(captions).toEqual(['first, CartPole-v1', 'first, Acrobot-v1']);
  expect(find('.jp-PPO-board tbody').textContent).toBe('1quick fox499.02slow bear (you)498.0');
  expect(node.querySelectorAll('.jp-mod-own')).toHaveLength(1);
  expect(find('.jp-PPO-board td[title]').title).toBe(
    '95 % confidence interval 490.0 to 510.3, 20 episodes'
  );
});

it('is joined under a pseudonym and left again', async () => {
  await open();
  expect(find('.jp-PPO-membership').textContent).toContain('You are not on it.');
  expect(find('.jp-PPO-leaderboard .jp-PPO-empty').textContent).toContain('No policy');
  expect(node.querySelector('.jp-PPO-leave')).toBeNull();
  await join(' quick fox ');
  expect(service.pseudonym).toBe('quick fox');
  expect(find('.jp-PPO-membership').textContent).toContain('You are on it as quick fox.');
  expect(find('.jp-PPO-join').textContent).toBe('Change');
  await React.act(async () => find('.jp-PPO-leave').click());
  expect(service.pseudonym).toBeNull();
  expect(find('.jp-PPO-join').textContent).toBe('Join');
});

it('says why a pseudonym is refused and keeps what was typed', async () => {
  await open();
  service.refusal = new Error("pseudonym: 'fox' is taken. Choose another one.");
  await join('fox');
  expect(find('.jp-PPO-leaderboard [role="alert"]').textContent).toContain('is taken');
  expect(find<HTMLInputElement>('.jp-PPO-membership input').value).toBe('fox');
  service.refusal = null;
  await join('fox');
  expect(node.querySelector('.jp-PPO-leaderboard [role="alert"]')).toBeNull();
});
