import { draftOf } from '../sandbox/draft';
import type { IDraft, IDraftStore } from '../sandbox/draft';
import { SandboxModel } from '../sandbox/model';
import { MemorySandbox } from './sandboxMemory';

class MemoryStore implements IDraftStore {
  constructor(public kept: unknown = undefined) {}

  async load(): Promise<unknown> {
    return this.kept;
  }

  async save(draft: IDraft): Promise<void> {
    this.kept = JSON.parse(JSON.stringify(draft));
  }
}

async function modelOf(store: IDraftStore): Promise<SandboxModel> {
  const model = new SandboxModel(new MemorySandbox(), store);
  await model.restore();
  return model;
}

it('what was typed is there again after a reload', async () => {
  const store = new MemoryStore();
  const before = await modelOf(store);
  before.setCode('x = 1');
  before.setStdin('3');
  before.setNumber('timeout', '7');
  before.setShowVariables(true);
  before.addCase('call');
  before.changeCase(1, { callee: 'f', args: '[1]', expected: '2' });
  before.dispose();
  const after = await modelOf(store);
  const state = after.snapshot();
  expect(state).toMatchObject({ code: 'x = 1', stdin: '3', showVariables: true, codeVersion: 1 });
  expect(state.numbers.timeout).toBe('7');
  expect(state.rows).toEqual([
    expect.objectContaining({ kind: 'call', callee: 'f', args: '[1]', expected: '2' })
  ]);
  after.addCase('stdin');
  const ids = after.snapshot().rows.map(row => row.id);
  expect(new Set(ids).size).toBe(2);
  after.dispose();
});

it('what is typed before the old draft comes is not replaced', async () => {
  const store = new MemoryStore({ code: 'old', rows: [] });
  const model = new SandboxModel(new MemorySandbox(), store);
  const restored = model.restore();
  model.setCode('new');
  await restored;
  expect(model.snapshot().code).toBe('new');
  expect(store.kept).toMatchObject({ code: 'new' });
  model.dispose();
});

it('a store that fails stops nobody', async () => {
  const failing: IDraftStore = {
    load: () => Promise.reject(new Error('lost')),
    save: () => Promise.reject(new Error('full'))
  };
  const model = await modelOf(failing);
  model.setCode('x');
  await Promise.resolve();
  expect(model.snapshot().code).toBe('x');
  model.dispose();
});

it('what is far too long is not kept', async () => {
  const store = new MemoryStore();
  const model = await modelOf(store);
  model.setCode('x');
  model.setCode('x'.repeat(400_000));
  expect(store.kept).toMatchObject({ code: 'x' });
  model.dispose();
});

it.each([
  [undefined, null],
  ['text', null],
  [
    { code: 3, rows: 'none', timeout: 5 },
    { code: '', rows: [], timeout: null }
  ],
  [
    { rows: [null, { kind: 'other' }, { kind: 'stdin', stdin: 'a', id: 9 }] },
    { rows: [expect.objectContaining({ id: 1, kind: 'stdin', stdin: 'a', callee: '' })] }
  ]
])('a draft of another shape, %j, does no harm', (saved, draft) => {
  expect(draftOf(saved)).toEqual(draft === null ? null : expect.objectContaining(draft));
});
