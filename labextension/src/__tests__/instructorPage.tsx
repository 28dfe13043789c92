/** The instructor area over a course in memory, set up and taken away around each test. */

import { ServerConnection } from '@jupyterlab/services';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { InstructorArea } from '../instructor/area';
import { InstructorModel } from '../instructor/model';
import type { Tab } from '../instructor/model';
import { MemoryCourse } from './instructorMemory';

export let service: MemoryCourse;
export let model: InstructorModel;
export let node: HTMLElement;
/** The submissions whose feedback was asked for. */
export const opened: string[] = [];
let root: Root;

/** Set up an area that shows `tab` for every test of the file that calls this. */
export function aroundEach(tab: Tab): void {
  beforeEach(() => {
    jest.useFakeTimers({ now: new Date('2026-01-02T03:05:05Z') });
    service = new MemoryCourse();
    opened.length = 0;
    model = new InstructorModel(service, { tab });
    node = document.createElement('div');
    document.body.appendChild(node);
    root = createRoot(node);
    const settings = ServerConnection.makeSettings();
    React.act(() =>
      root.render(
        <InstructorArea
          model={model}
          client={service}
          settings={settings}
          onOpenFeedback={id => opened.push(id)}
        />
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

export async function show(): Promise<void> {
  await React.act(async () => model.setVisible(true));
}

export async function hide(): Promise<void> {
  await React.act(async () => model.setVisible(false));
}

export async function press(selector: string): Promise<void> {
  await React.act(async () => find<HTMLElement>(selector).click());
}

export async function key(selector: string, name: string): Promise<void> {
  await React.act(async () => {
    const event = new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true });
    find(selector).dispatchEvent(event);
  });
}

/** Type into a field or choose from a list, past React's own setter, as a browser does. */
export async function type(selector: string, text: string): Promise<void> {
  await React.act(async () => {
    const field = find<HTMLInputElement>(selector);
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value')?.set?.call(field, text);
    field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input', BUBBLES));
  });
}

const BUBBLES = { bubbles: true };

export async function submit(selector: string): Promise<void> {
  await React.act(async () => {
    find(selector).dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
  });
}

export async function choose(selector: string, file: File): Promise<void> {
  await React.act(async () => {
    const field = find<HTMLInputElement>(selector);
    Object.defineProperty(field, 'files', { value: [file], configurable: true });
    field.dispatchEvent(new Event('change', BUBBLES));
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
