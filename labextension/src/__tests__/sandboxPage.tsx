/** The sandbox panel over a service in memory, set up and taken away around each test. */

import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { SandboxPanel } from '../sandbox/components';
import { SandboxModel } from '../sandbox/model';
import { MemorySandbox, textArea } from './sandboxMemory';

export let service: MemorySandbox;
export let model: SandboxModel;
export let node: HTMLElement;
/** What was brought into sight, in turn. */
export const seen: Element[] = [];
let root: Root;

/** Set up a panel for every test of the file that calls this. */
export function aroundEach(): void {
  beforeEach(() => {
    jest.useFakeTimers({ now: new Date('2026-01-02T03:05:05Z') });
    service = new MemorySandbox();
    seen.length = 0;
    // jsdom has no layout, and so nothing to scroll.
    Element.prototype.scrollIntoView = function (this: Element): void {
      seen.push(this);
    };
    model = new SandboxModel(service);
    node = document.createElement('div');
    document.body.appendChild(node);
    root = createRoot(node);
    React.act(() => root.render(<SandboxPanel model={model} newEditor={textArea} />));
  });

  afterEach(() => {
    React.act(() => root.unmount());
    node.remove();
    model.dispose();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });
}

export async function show(): Promise<void> {
  await React.act(async () => model.setVisible(true));
}

export async function press(selector: string): Promise<void> {
  await React.act(async () => find<HTMLElement>(selector).click());
}

export async function type(selector: string, text: string): Promise<void> {
  await React.act(async () => {
    const field = find<HTMLInputElement | HTMLTextAreaElement>(selector);
    const value = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value');
    value?.set?.call(field, text); // past React's own setter, as a browser does
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

export async function typeCode(text: string): Promise<void> {
  await type('.jp-PPO-editor textarea', text);
}

export async function pass(milliseconds: number): Promise<void> {
  await React.act(async () => jest.advanceTimersByTimeAsync(milliseconds));
}

export async function finish(...args: Parameters<MemorySandbox['finish']>): Promise<void> {
  await React.act(async () => service.finish(...args));
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
