/** A page for graders over a course in memory, set up and taken away around each test. */

import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import type { IGradingProps } from '../instructor/grading';
import { MemoryGrading } from './gradingMemory';

export let service: MemoryGrading;
export let node: HTMLElement;
/** The submissions whose feedback was asked for. */
export const opened: string[] = [];
let root: Root;

/** Set up `Page` for every test of the file that calls this. */
export function aroundEach(Page: (props: IGradingProps) => JSX.Element): void {
  beforeEach(() => {
    jest.useFakeTimers({ now: new Date('2026-01-02T03:05:05Z') });
    URL.createObjectURL = () => 'blob:one';
    URL.revokeObjectURL = () => undefined;
    // jsdom has no downloads and says so on the console.
    HTMLAnchorElement.prototype.click = () => undefined;
    service = new MemoryGrading();
    opened.length = 0;
    node = document.createElement('div');
    document.body.appendChild(node);
    root = createRoot(node);
    show = () =>
      React.act(async () =>
        root.render(
          <Page client={service} course="rl" onOpenFeedback={id => void opened.push(id)} />
        )
      );
  });

  afterEach(() => {
    React.act(() => root.unmount());
    node.remove();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });
}

export let show: () => Promise<void>;

export async function press(selector: string): Promise<void> {
  await React.act(async () => {
    const field = find<HTMLElement>(selector);
    field.focus();
    field.click();
  });
}

/** Press a key where the keyboard is. */
export async function key(name: string, more: KeyboardEventInit = {}): Promise<void> {
  await React.act(async () => {
    const options = { key: name, bubbles: true, cancelable: true, ...more };
    (document.activeElement ?? node).dispatchEvent(new KeyboardEvent('keydown', options));
  });
}

/** Type into a field or choose from a list, past React's own setter, as a browser does. */
export async function type(selector: string, text: string): Promise<void> {
  await React.act(async () => {
    const field = find<HTMLInputElement>(selector);
    field.focus();
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value')?.set?.call(field, text);
    field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input', BUBBLES));
  });
}

const BUBBLES = { bubbles: true, cancelable: true };

export async function submit(selector: string): Promise<void> {
  await React.act(async () => {
    find(selector).dispatchEvent(new Event('submit', BUBBLES));
  });
}

export async function pass(milliseconds: number): Promise<void> {
  await React.act(async () => jest.advanceTimersByTimeAsync(milliseconds));
}

export function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = node.querySelector<T>(selector);
  if (found === null) {
    throw new Error(`${selector} is not in ${node.innerHTML}`);
  }
  return found;
}

export function textOf(selector: string): string {
  return find(selector).textContent ?? '';
}

export function has(selector: string): boolean {
  return node.querySelector(selector) !== null;
}

/** The button with this text. */
export function button(text: string): HTMLButtonElement {
  const found = [...node.querySelectorAll('button')].find(each => each.textContent === text);
  if (found === undefined) {
    throw new Error(`There is no button ${text} in ${node.innerHTML}`);
  }
  return found;
}

export async function click(text: string): Promise<void> {
  await React.act(async () => button(text).click());
}
