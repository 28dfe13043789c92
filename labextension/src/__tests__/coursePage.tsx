/** The panel on a page, with a service and a JupyterLab in memory. */

import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { CoursePanel } from '../components';
import { CourseModel } from '../model';
import { MemoryService, MemoryWorkspace } from './memory';

/** Made before and ended after each test. */
export class CoursePage {
  readonly service = new MemoryService();
  readonly workspace = new MemoryWorkspace();
  readonly model = new CourseModel(this.service, this.workspace);
  readonly node = document.createElement('div');

  constructor() {
    document.body.appendChild(this.node);
    this._root = createRoot(this.node);
    React.act(() => this._root.render(<CoursePanel model={this.model} />));
  }

  end(): void {
    React.act(() => this._root.unmount());
    this.node.remove();
    this.model.dispose();
  }

  async show(): Promise<void> {
    await React.act(async () => this.model.setVisible(true));
  }

  async press(selector: string): Promise<void> {
    await React.act(async () => this.find<HTMLButtonElement>(selector).click());
  }

  async open(selector: string): Promise<void> {
    await React.act(async () => {
      this.find<HTMLDetailsElement>(selector).open = true;
      this.find(selector).dispatchEvent(new Event('toggle'));
    });
  }

  async type(selector: string, text: string): Promise<void> {
    const field = this.find<HTMLTextAreaElement>(selector);
    const prototype = Object.getPrototypeOf(field) as object;
    await React.act(async () => {
      Object.getOwnPropertyDescriptor(prototype, 'value')?.set?.call(field, text);
      field.dispatchEvent(new Event('input', { bubbles: true }));
    });
  }

  async pass(milliseconds: number): Promise<void> {
    await React.act(async () => jest.advanceTimersByTimeAsync(milliseconds));
  }

  find<T extends HTMLElement = HTMLElement>(selector: string): T {
    const found = this.node.querySelector<T>(selector);
    if (found === null) {
      throw new Error(`${selector} is not in ${this.node.innerHTML}`);
    }
    return found;
  }

  texts(selector: string): (string | null)[] {
    return [...this.node.querySelectorAll(selector)].map(item => item.textContent);
  }

  private readonly _root: Root;
}
