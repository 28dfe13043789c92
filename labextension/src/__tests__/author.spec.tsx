import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { CellForm } from '../author/cellForm';
import { AuthorModel } from '../author/model';
import type { ICellView, INotebooks, INotebookView } from '../author/model';
import { AuthorPanel } from '../author/panel';
import { RequestError } from '../connection';
import { MemoryAuthoring } from './authorMemory';

class MemoryNotebooks implements INotebooks {
  readonly canReveal = true;
  view: INotebookView = {
    path: 'ppo one.ipynb',
    active: 0,
    cells: [
      { type: 'code', metadata: {} },
      { type: 'code', metadata: {} }
    ]
  };
  readonly revealed: number[] = [];
  previewed: string | null = null;
  private _listener: () => void = () => undefined;

  current(): INotebookView | null {
    return this.view;
  }

  onChanged(listener: () => void): void {
    this._listener = listener;
  }

  set(index: number, key: string, value: unknown): void {
    const cell = this._cell(index);
    const others = Object.entries(cell.metadata).filter(([name]) => name !== key);
    const added = value === null ? [] : [[key, value] as const];
    cell.metadata = Object.fromEntries([...others, ...added]);
  }

  reveal(index: number): void {
    this.revealed.push(index);
  }

  text(): string {
    return 'text';
  }

  async openPreview(text: string): Promise<string> {
    this.previewed = text;
    return 'ppo one.preview.ipynb';
  }

  move(active: number): void {
    this.view.active = active;
    this._listener();
  }

  private _cell(index: number): ICellView {
    const cell = this.view.cells[index];
    if (cell === undefined) {
      throw new Error(`there is no cell ${index}`);
    }
    return cell;
  }

  open(view: INotebookView): void {
    this.view = view;
    this._listener();
  }
}

let service: MemoryAuthoring;
let notebooks: MemoryNotebooks;
let model: AuthorModel;
let node: HTMLElement;
let root: Root;

beforeEach(async () => {
  jest.useFakeTimers();
  service = new MemoryAuthoring();
  notebooks = new MemoryNotebooks();
  model = new AuthorModel(service, notebooks);
  node = document.createElement('div');
  document.body.appendChild(node);
  root = createRoot(node);
  await React.act(async () =>
    root.render(
      <>
        <CellForm model={model} />
        <AuthorPanel model={model} />
      </>
    )
  );
  await React.act(async () => model.load());
});

afterEach(() => {
  React.act(() => root.unmount());
  node.remove();
  model.dispose();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = node.querySelector<T>(selector);
  if (found === null) {
    throw new Error(`${selector} is not in ${node.innerHTML}`);
  }
  return found;
}

async function enter(selector: string, text: string): Promise<void> {
  await React.act(async () => {
    const field = find<HTMLInputElement | HTMLSelectElement>(selector);
    const value = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value');
    value?.set?.call(field, text); // past React's own setter, as a browser does
    const isSelect = field instanceof HTMLSelectElement;
    field.dispatchEvent(new Event(isSelect ? 'change' : 'input', { bubbles: true }));
  });
}

async function press(selector: string): Promise<void> {
  await React.act(async () => find(selector).click());
}

function metadata(index: number): Record<string, unknown> {
  return notebooks.view.cells[index]?.metadata ?? {};
}

it('marks a cell with a grade_id of its own, and takes everything away again', async () => {
  await enter('.jp-PPO-cellKind', 'solution');
  expect(metadata(0)['nbgrader']).toMatchObject({ grade_id: 'answer-1', solution: true });
  await React.act(async () => notebooks.move(1));
  await enter('.jp-PPO-cellKind', 'tests');
  expect(metadata(1)['nbgrader']).toMatchObject({ grade_id: 'answer-1-tests', points: 1 });
  await press('.jp-PPO-cellUnsealed');
  expect(metadata(1)['tags']).toEqual(['unsealed']);
  await enter('.jp-PPO-cellKind', 'ordinary');
  expect(metadata(1)).toEqual({});
});

it('says at once that a grade_id is taken or no grade_id', async () => {
  await enter('.jp-PPO-cellKind', 'tests');
  await React.act(async () => notebooks.move(1));
  await enter('.jp-PPO-cellKind', 'tests');
  await enter('.jp-PPO-cellId', 'tests');
  expect(find('.jp-PPO-cellForm [role=alert]').textContent).toContain('Cell 1 has the grade_id');
  expect(find('.jp-PPO-cellId').getAttribute('aria-invalid')).toBe('true');
  await enter('.jp-PPO-cellId', 'a b');
  expect(find('.jp-PPO-cellForm [role=alert]').textContent).toContain('letters, digits');
});

it('writes points when they are a number, and says so when they are not', async () => {
  await enter('.jp-PPO-cellKind', 'tests');
  await enter('.jp-PPO-cellPoints', '2.5');
  expect(metadata(0)['nbgrader']).toMatchObject({ points: 2.5 });
  expect(find('.jp-PPO-total').textContent).toBe('2.5 points');
  await enter('.jp-PPO-cellPoints', '-1');
  expect(metadata(0)['nbgrader']).toMatchObject({ points: 2.5 });
  expect(find('.jp-PPO-cellForm [role=alert]').textContent).toContain('0 to a million');
});

it('checks with progress, and a click on a problem jumps to its cell', async () => {
  await press('.jp-PPO-check');
  expect(service.received).toEqual([['check', 'rl', 'text']]);
  expect(find('.jp-PPO-progress').textContent).toContain('waiting for a place');
  expect(find<HTMLButtonElement>('.jp-PPO-preview').disabled).toBe(true);
  service.trialNow = { ...service.trialNow, state: 'running' };
  await React.act(async () => jest.advanceTimersByTimeAsync(1_000));
  expect(find('.jp-PPO-progress').textContent).toContain('are run');
  const problem = { severity: 'error' as const, message: 'Broken.', grade_id: 't', cell: 1 };
  const scored = { points: 1, max_points: 1 };
  service.trialNow = {
    ...service.trialNow,
    state: 'done',
    result: {
      is_ready: false,
      problems: [problem],
      solution: scored,
      skeleton: { ...scored, points: 0 }
    }
  };
  await React.act(async () => jest.advanceTimersByTimeAsync(2_000));
  expect(find('.jp-PPO-checkResult [role=alert]').textContent).toContain('Not ready');
  expect(find('.jp-PPO-problem').textContent).toBe('Error t Broken.');
  await press('.jp-PPO-problem button');
  expect(notebooks.revealed).toEqual([1]);
  expect(find<HTMLButtonElement>('.jp-PPO-check').disabled).toBe(false);
});

it('tells what the service says when a check is refused or fails', async () => {
  service.refusal = new RequestError('Too many trials wait.', 'busy', 503);
  await press('.jp-PPO-check');
  expect(find('[role=alert]').textContent).toBe('Too many trials wait.');
  service.refusal = null;
  service.trialNow = { id: '1', state: 'failed', error: 'The server stopped.', result: null };
  await press('.jp-PPO-check');
  await React.act(async () => jest.advanceTimersByTimeAsync(1_000));
  expect(find('[role=alert]').textContent).toBe('The server stopped.');
});

it('opens the students’ copy', async () => {
  await press('.jp-PPO-preview');
  expect(notebooks.previewed).toBe('copy');
  expect(find('.jp-PPO-notice').textContent).toContain('ppo one.preview.ipynb');
});

it('releases under the name and note that were entered, and shows how tests are run', async () => {
  await press('.jp-PPO-askRelease');
  expect(find<HTMLInputElement>('.jp-PPO-releaseName').value).toBe('ppo-one');
  await enter('.jp-PPO-releaseName', 'first');
  await enter('.jp-PPO-releaseNote', 'Clearer words');
  await React.act(async () => find<HTMLFormElement>('.jp-PPO-releaseForm').requestSubmit());
  expect(service.received).toEqual([['release', 'rl', 'first', 'text', 'Clearer words']]);
  expect(find('.jp-PPO-notice').textContent).toBe('first version 2 is released to rl.');
  expect(find('.jp-PPO-releaseReport li').textContent).toBe('t runs apart from the answer');
  expect(node.querySelector('.jp-PPO-releaseForm')).toBeNull();
});

it('keeps the form when a release is refused', async () => {
  service.refusal = new RequestError('cells[1]: no points.', 'invalid_notebook', 400);
  await press('.jp-PPO-askRelease');
  await React.act(async () => find<HTMLFormElement>('.jp-PPO-releaseForm').requestSubmit());
  expect(find('.jp-PPO-notice[role=alert]').textContent).toContain('no points');
  expect(find('.jp-PPO-releaseForm')).not.toBeNull();
});

it('is of use to those who release somewhere, and for any source', async () => {
  expect(model.isOfUse).toBe(true);
  service.role = 'student';
  await React.act(async () => model.load());
  expect(model.isOfUse).toBe(false);
  const tests = { grade: true, grade_id: 't', points: 1 };
  const cells = [{ type: 'code' as const, metadata: { nbgrader: tests } }];
  await React.act(async () => notebooks.open({ path: 'source.ipynb', active: 0, cells }));
  expect(model.isOfUse).toBe(true);
  const released = { nbgrader: { ...tests, checksum: 'c'.repeat(32) } };
  const copy = [{ type: 'code' as const, metadata: released }];
  await React.act(async () => notebooks.open({ path: 'copy.ipynb', active: 0, cells: copy }));
  expect(model.isOfUse).toBe(false);
  expect(node.querySelector('.jp-PPO-cellKind')).toBeNull();
});

it('shows a result only with the notebook that it is of', async () => {
  const source = notebooks.view;
  const result = { is_ready: true, problems: [], solution: null, skeleton: null };
  service.trialNow = { id: '1', state: 'running', error: null, result: null };
  await press('.jp-PPO-check');
  await React.act(async () => notebooks.open({ ...source, path: 'other.ipynb' }));
  service.trialNow = { id: '1', state: 'done', error: null, result };
  await React.act(async () => jest.advanceTimersByTimeAsync(1_000));
  expect(node.querySelector('.jp-PPO-checkResult')).toBeNull();
  await React.act(async () => notebooks.open(source));
  expect(find('.jp-PPO-checkResult').textContent).toContain('Ready');
  await React.act(async () => notebooks.open({ ...source, path: 'other.ipynb' }));
  expect(node.querySelector('.jp-PPO-checkResult')).toBeNull();
});
