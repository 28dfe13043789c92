/** The side of anywidget that our views use. */

/** A model of the kernel: synchronised values, and messages with binary parts. */
export type WidgetModel = {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, callback: (...values: never[]) => void): void;
  off(event: string, callback: (...values: never[]) => void): void;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
};

/** Shows a model in an element; returns what lets go of it. */
export type WidgetView = (model: WidgetModel, element: HTMLElement) => () => void;
