/** A notebook that was chosen from the person's computer, for the author's tools. */

import { previewPath } from '../author/cells';
import type { CellType } from '../author/cells';
import type { ICellView, INotebooks, INotebookView } from '../author/model';
import { save } from '../instructor/download';

const TYPES: readonly unknown[] = ['code', 'markdown', 'raw'] satisfies CellType[];

export class NotebookFile implements INotebooks {
  readonly canReveal = false;

  constructor(private readonly _save: typeof save = save) {}

  /** Take another file; throws with words for people, and keeps the old one, if it is no notebook. */
  choose(name: string, text: string): void {
    const cells = cellsOf(text);
    if (cells === null) {
      throw new Error(`${name} is no notebook. Choose the source notebook, a file *.ipynb.`);
    }
    this._view = { path: name, cells, active: -1 };
    this._text = text;
    this._listeners.forEach(listener => listener());
  }

  current(): INotebookView | null {
    return this._view;
  }

  onChanged(listener: () => void): void {
    this._listeners.push(listener);
  }

  text(): string {
    return this._text;
  }

  async openPreview(text: string): Promise<string> {
    const name = previewPath(this._view?.path ?? 'notebook.ipynb');
    this._save({ name, text });
    return `${name}, where your browser keeps downloads`;
  }

  /** Nothing of a file is changed or shown here. */
  set(): void {}
  reveal(): void {}

  private _view: INotebookView | null = null;
  private _text = '';
  private readonly _listeners: (() => void)[] = [];
}

/** The cells as far as they are well-formed, or null if this is no notebook at all. */
function cellsOf(text: string): ICellView[] | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  const cells = isObject(parsed) ? parsed['cells'] : null;
  return Array.isArray(cells) ? cells.filter(isObject).map(viewOf) : null;
}

function viewOf(cell: Readonly<Record<string, unknown>>): ICellView {
  const { cell_type: type, metadata } = cell;
  return {
    type: TYPES.includes(type) ? (type as CellType) : 'raw',
    metadata: isObject(metadata) ? metadata : {}
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
