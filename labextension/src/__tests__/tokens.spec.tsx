import axe from 'axe-core';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { RequestError } from '../connection';
import { TokensSection } from '../tokens/section';
import { canRotate, daysProblem, endText, hoursProblem, lists, rolesUpTo } from '../tokens/words';
import { course, MemoryTokens, PAST, SOON, token } from './tokensMemory';

let service: MemoryTokens;
let node: HTMLElement;
let root: Root;

beforeEach(() => {
  jest.useFakeTimers({ now: new Date('2026-06-01T00:00:00Z') });
  service = new MemoryTokens();
  node = document.createElement('div');
  document.body.appendChild(node);
  root = createRoot(node);
});

afterEach(() => {
  React.act(() => root.unmount());
  node.remove();
  jest.useRealTimers();
});

async function show(): Promise<void> {
  await React.act(async () => root.render(<TokensSection client={service} />));
}

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = node.querySelector<T>(selector);
  if (found === null) {
    throw new Error(`${selector} is not in ${node.innerHTML}`);
  }
  return found;
}

async function press(selector: string): Promise<void> {
  await React.act(async () => find(selector).click());
}

/** Type into a field or choose from a list, past React's own setter, as a browser does. */
async function type(selector: string, text: string): Promise<void> {
  await React.act(async () => {
    const field = find<HTMLInputElement>(selector);
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value')?.set?.call(field, text);
    field.dispatchEvent(
      new Event(field.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true })
    );
  });
}

function names(): (string | undefined)[] {
  return [...node.querySelectorAll<HTMLElement>('[data-token]')].map(each => each.dataset['token']);
}

it('makes a token, shows its secret once, and lists it', async () => {
  await show();
  await press('.jp-PPO-askToken');
  expect(document.activeElement).toBe(find('[name="name"]'));
  await type('[name="name"]', ' grades ');
  await type('[name="days"]', '30');
  await press('.jp-PPO-newToken [type="submit"]');
  expect(service.changes).toEqual([
    'create {"course":"rl","name":"grades","role":"student","access":"read","days":30}'
  ]);
  const secret = find<HTMLInputElement>('.jp-PPO-secretText');
  expect(secret.value).toBe('ppo_id-grades');
  expect(document.activeElement).toBe(secret);
  expect(names()).toEqual(['grades', 'nightly export']);
  await press('.jp-PPO-secretDone');
  expect(node.innerHTML).not.toContain('ppo_id-grades');
});

it('offers no more than one may do in the chosen course', async () => {
  await show();
  await press('.jp-PPO-askToken');
  const [chosen, role] = [...node.querySelectorAll<HTMLSelectElement>('.jp-PPO-newToken select')];
  const roles = (): string[] => [...(role?.options ?? [])].map(option => option.value);
  expect(roles()).toEqual(['student', 'grader', 'instructor']);
  chosen?.setAttribute('data-which', 'course');
  await type('[data-which="course"]', 'ml');
  expect(roles()).toEqual(['student']);
});

it('keeps what was typed when the service refuses', async () => {
  await show();
  await press('.jp-PPO-askToken');
  await type('[name="name"]', 'mine');
  service.refusal = new RequestError('name: there is one already.', 'conflict', 409, 'name');
  await press('.jp-PPO-newToken [type="submit"]');
  expect(node.textContent).toContain('name: there is one already.');
  expect(find<HTMLInputElement>('[name="name"]').value).toBe('mine');
});

it('asks for days that there are before it sends anything', async () => {
  await show();
  await press('.jp-PPO-askToken');
  await type('[name="name"]', 'mine');
  await type('[name="days"]', '1000');
  expect(find('.jp-PPO-newToken').textContent).toContain('Use 1 to 365 days.');
  await React.act(async () => {
    const event = new Event('submit', { bubbles: true, cancelable: true });
    find('.jp-PPO-newToken').dispatchEvent(event);
  });
  expect(service.changes).toEqual([]);
});

it('rotates a token once, with an overlap', async () => {
  await show();
  await press('.jp-PPO-askRotate');
  await type('[name="hours"]', '1.5');
  await press('.jp-PPO-rotate [type="submit"]');
  expect(service.changes).toEqual(['rotate id-nightly export 1.5']);
  expect(names()).toEqual(['nightly export 2', 'nightly export']);
  expect(node.querySelectorAll('.jp-PPO-askRotate')).toHaveLength(1);
});

it('asks once more before it revokes, and puts what has ended out of sight', async () => {
  await show();
  await press('.jp-PPO-askRevoke');
  expect(service.changes).toEqual([]);
  expect(document.activeElement).toBe(find('.jp-PPO-revokeNow'));
  await press('.jp-PPO-revokeNow');
  expect(service.changes).toEqual(['revoke id-nightly export']);
  expect(names()).toEqual([]);
  await press('input[type="checkbox"]');
  expect(names()).toEqual(['nightly export']);
  expect(node.textContent).toContain('revoked');
  expect(node.querySelector('.jp-PPO-askRevoke')).toBeNull();
});

it('lets an instructor see and revoke what others have for the course', async () => {
  await show();
  await type('.jp-PPO-tokenBar select', 'rl');
  expect(names()).toEqual(['nightly export', 'their script']);
  expect(node.querySelector('.jp-PPO-askRotate')).toBeNull();
  await press('[data-token="their script"] .jp-PPO-askRevoke');
  await press('.jp-PPO-revokeNow');
  expect(service.changes).toEqual(['revoke id-their script of rl']);
});

it('says so to whoever is in no course', async () => {
  service.courses = [];
  await show();
  expect(node.textContent).toContain('You are in no course');
});

it('can be used with a screen reader', async () => {
  await show();
  await press('.jp-PPO-askRotate');
  await press('.jp-PPO-askToken');
  jest.useRealTimers();
  expect(
    (await axe.run(node, { rules: { 'color-contrast': { enabled: false } } })).violations
  ).toEqual([]);
});

describe('words', () => {
  const now = new Date('2026-06-01T00:00:00Z');

  it('tell why a token is no longer good', () => {
    expect(endText(token('a'), now)).toBeNull();
    expect(endText(token('a', { expires_at: PAST }), now)).toBe('expired');
    expect(endText(token('a', { revoked_at: PAST }), now)).toBe('revoked');
    // What is rotated stays good for a while.
    expect(endText(token('a', { revoked_at: SOON }), now)).toBeNull();
  });

  it('tell what can be rotated', () => {
    const old = token('a');
    expect(canRotate(old, [old], now)).toBe(true);
    expect(canRotate(old, [old, token('b', { rotated_from: old.id })], now)).toBe(false);
    expect(canRotate(token('a', { expires_at: PAST }), [], now)).toBe(false);
  });

  it('tell bad numbers', () => {
    expect(['1', '365', '0', '366', '1.5', '', 'x'].map(daysProblem).map(Boolean)).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
      true
    ]);
    expect(['0', '0.5', '168', '169', '-1', ' '].map(hoursProblem).map(Boolean)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true
    ]);
  });

  it('offer the courses that one teaches, and roles up to one’s own', () => {
    expect(lists([course('rl', 'instructor'), course('ml', 'grader')])).toEqual([
      ['', 'Yours'],
      ['rl', 'Everybody’s for rl']
    ]);
    expect(rolesUpTo('grader').map(([role]) => role)).toEqual(['student', 'grader']);
  });
});
