import './liveDom';

import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { RequestError } from '../connection';
import { RunsArea } from '../runs/area';
import { RunsModel } from '../runs/model';
import type { IRunsMemory, IRunsStore } from '../runs/model';
import { MemoryRuns, point, progressOf } from './runsMemory';

let service: MemoryRuns;
let model: RunsModel;
let node: HTMLElement;
let root: Root;
let kept: IRunsMemory | null;

const store: IRunsStore = {
  load: async () => kept,
  save: async memory => {
    kept = JSON.parse(JSON.stringify(memory)) as IRunsMemory;
  }
};

beforeEach(() => {
  jest.useFakeTimers();
  service = new MemoryRuns();
  kept = null;
  node = document.createElement('div');
  document.body.appendChild(node);
  root = createRoot(node);
});

afterEach(() => {
  React.act(() => root.unmount());
  node.remove();
  model.dispose();
  jest.useRealTimers();
});

async function show(open: string | null = null): Promise<void> {
  model = new RunsModel(service, store, open);
  await React.act(async () => root.render(<RunsArea model={model} />));
  await React.act(async () => model.setVisible(true));
  await pass(400);
}

async function pass(milliseconds = 0): Promise<void> {
  await React.act(async () => jest.advanceTimersByTimeAsync(milliseconds));
}

function button(name: string): HTMLButtonElement {
  const found = [...node.querySelectorAll('button')].find(each => each.textContent === name);
  if (found === undefined) {
    throw new Error(`No button ${name} in ${node.textContent}`);
  }
  return found;
}

async function press(name: string): Promise<void> {
  await React.act(async () => button(name).click());
  await pass(10);
}

function field(label: string): HTMLInputElement {
  const found = [...node.querySelectorAll('label')].find(each => each.textContent === label);
  return node.querySelector(`[id="${found?.htmlFor}"]`) as HTMLInputElement;
}

async function type(label: string, text: string): Promise<void> {
  await React.act(async () => {
    const input = field(label);
    const value = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(input), 'value');
    value?.set?.call(input, text); // past React's own setter, as a browser does
    input.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await pass(400);
}

async function choose(label: string, value: string): Promise<void> {
  await React.act(async () => {
    const select = node.querySelector<HTMLSelectElement>(`[id="${field(label).id}"]`);
    if (select !== null) {
      select.value = value;
      select.dispatchEvent(new Event('change', { bubbles: true }));
    }
  });
}

function said(label: string): string {
  return node.querySelector(`[id="${field(label).id}-said"]`)?.textContent ?? '';
}

describe('the panel of runs', () => {
  it('lists the runs of the server', async () => {
    service.add('a', { name: 'wide net', mean_return: 123.5 });
    await show();
    expect(node.textContent).toContain('wide net');
    expect(node.textContent).toContain('123.5');
  });

  it('says why it cannot show anything, and tries again', async () => {
    service.refusal = new Error('The Jupyter server does not answer.');
    await show();
    expect(node.querySelector('[role=alert]')?.textContent).toContain('does not answer');
    await press('Try again');
    expect(node.textContent).toContain('0 runs');
  });

  it('says where the runs of notebooks are when the server has none', async () => {
    await show();
    expect(node.textContent).toContain('No runs on the server yet');
    expect(node.textContent).toContain('RunBoard("runs")');
  });

  it('starts a run and shows it, with what is probably not meant', async () => {
    await show();
    await press('New run');
    expect(field('Steps').placeholder).toBe('60000');
    await type('Environment', 'Acrobot-v1');
    await type('Steps', '50,000');
    await type('Name', ' first ');
    await type('Tags', 'week 3, wide');
    await press('Start training');
    const [[asked]] = service.created as [[unknown, string]];
    expect(asked).toEqual({
      name: 'first',
      tags: ['week 3', 'wide'],
      spec: { env_id: 'Acrobot-v1', total_steps: 50_000 },
      seeds: [0]
    });
    expect(service.asked).toContain('hyperparameters Acrobot-v1');
    expect(node.querySelector('.jp-PPO-runHead')?.textContent).toContain('first');
    expect(node.textContent).toContain('The batch size does not divide the rollout.');
  });

  it('takes every other setting, and sends those only that were typed', async () => {
    await show();
    await press('New run');
    expect(field('learning_rate').placeholder).toBe('0.0003');
    expect(field('policy_layers').placeholder).toBe('64, 64');
    expect(field('target_kl').placeholder).toBe('none');
    expect(said('learning_rate')).toBe('step size of Adam (per gradient step)');
    await type('learning_rate', 'linear:2e-3:0');
    await type('policy_layers', '32, 16');
    await type('target_kl', 'none');
    await choose('normalize_advantage', 'false');
    expect(node.querySelector('summary')?.textContent).toBe('More settings (4 of your own)');
    await press('Start training');
    expect(service.created[0]?.[0].spec).toEqual({
      env_id: 'CartPole-v1',
      learning_rate: { kind: 'linear', start: 0.002, end: 0 },
      policy_layers: [32, 16],
      target_kl: null,
      normalize_advantage: false
    });
  });

  it('shows beside a setting what is wrong with it, here or by the service', async () => {
    await show();
    await press('New run');
    await type('learning_rate', '5');
    expect(said('learning_rate')).toContain('from 1e-8 to 1');
    expect(node.querySelector('details')?.open).toBe(true);
    expect(button('Start training').disabled).toBe(true);
    await type('learning_rate', '1');
    const text = 'spec.learning_rate.end: 2 is above the start.';
    service.refusal = new RequestError(text, 'invalid_input', 400, 'spec.learning_rate.end');
    await press('Start training');
    expect(said('learning_rate')).toBe(text);
    await type('learning_rate', '');
    expect(said('learning_rate')).toContain('step size');
    await press('Start training');
    expect(service.created).toHaveLength(1);
  });

  it('compares the runs of several seeds at once', async () => {
    await show();
    await press('New run');
    await type('Seeds', '0-2');
    await press('Start training');
    expect(node.querySelector('.jp-PPO-runPage')).toBeNull();
    expect(kept?.view.checked).toEqual(['new0', 'new1', 'new2']);
    expect(service.list.map(run => run.seed)).toEqual([0, 1, 2]);
  });

  it('says beside the field what is wrong, as it is typed or as the service has it', async () => {
    await show();
    await press('New run');
    await type('Seeds', '1, 1');
    expect(said('Seeds')).toContain('two equal runs');
    expect(field('Seeds').getAttribute('aria-invalid')).toBe('true');
    expect(button('Start training').disabled).toBe(true);
    await type('Seeds', '1');
    const text = 'spec.env_id: there is no environment CartPol-v1. Did you mean CartPole-v1?';
    service.refusal = new RequestError(text, 'invalid_input', 400, 'spec.env_id');
    await press('Start training');
    expect(said('Environment')).toBe(text);
    expect(service.created).toEqual([]);
    service.refusal = new RequestError('You have 50 runs that wait.', 'too_many_requests', 429);
    await press('Start training');
    expect(node.querySelector('[role=alert]')?.textContent).toBe('You have 50 runs that wait.');
  });

  it('sends the same key when the answer was lost, and another for another run', async () => {
    await show();
    await press('New run');
    const create = service.create.bind(service);
    const keys: string[] = [];
    let isLost = true;
    service.create = async (asked, key) => {
      keys.push(key);
      if (isLost) {
        throw new Error('The Jupyter server does not answer.');
      }
      return create(asked, key);
    };
    await press('Start training');
    isLost = false;
    await press('Start training');
    await press('‹ All runs');
    await press('New run');
    await press('Start training');
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).not.toBe(keys[1]);
  });
});

describe('one run', () => {
  const status = { type: 'status', position: null, message: '' } as const;

  it('shows how far it is, and its buttons follow its state', async () => {
    service.add('a', { name: 'one' });
    service.measure('a', point(100, 9));
    await show('a');
    await React.act(async () =>
      service.socket.send({ ...status, state: 'running', progress: progressOf(250) })
    );
    expect(node.textContent).toContain('250 of 1,000 steps · 25 % · 500 steps/s');
    expect([button('Pause').disabled, button('Resume').disabled]).toEqual([false, true]);
    await press('Pause');
    expect(service.commands).toEqual([['a', 'pause', {}]]);
    await React.act(async () =>
      service.socket.send({ ...status, state: 'paused', progress: progressOf(256) })
    );
    expect([button('Pause').disabled, button('Resume').disabled]).toEqual([true, false]);
    expect(node.querySelector('.jp-PPO-runState')?.textContent).toBe('Paused');
    await React.act(async () => service.socket.break());
    await pass();
    expect(node.textContent).toContain('The connection to the server was lost.');
  });

  it('says beside the buttons why a command was refused', async () => {
    service.add('a');
    await show('a');
    service.refusal = new Error('state: this run is finished, so it cannot pause.');
    await press('Pause');
    expect(node.querySelector('.jp-PPO-runHead [role=alert]')?.textContent).toContain(
      'cannot pause'
    );
  });

  it('changes what may change meanwhile, and only what was typed', async () => {
    service.add('a');
    await show('a');
    expect(button('Apply').disabled).toBe(true);
    await type('learning_rate', '7');
    expect(said('learning_rate')).toContain('It must be from 1e-8 to 1.');
    expect(button('Apply').disabled).toBe(true);
    await type('learning_rate', 'linear:2e-3:0');
    await press('Apply');
    const rate = { kind: 'linear', start: 0.002, end: 0 };
    expect(service.commands).toEqual([['a', 'set', { learning_rate: rate }]]);
  });

  it('is extended to a later end only', async () => {
    service.add('a', { state: 'finished', step: 1000 });
    await show('a');
    await type('New total of steps', '900');
    expect(said('New total of steps')).toBe('Write a whole number above 1,000.');
    await type('New total of steps', '2,000');
    await press('Extend');
    expect(service.commands).toEqual([['a', 'extend', { total_steps: 2000 }]]);
    expect(node.textContent).toContain('It goes on to 2,000 steps.');
  });

  it('shows text of a program as text', async () => {
    service.add('a', { name: '<img src=x>' });
    await show('a');
    const log = [...node.querySelectorAll('details')].find(each =>
      each.textContent?.startsWith('What the training process printed')
    ) as HTMLDetailsElement;
    await React.act(async () => {
      log.open = true;
      log.dispatchEvent(new Event('toggle'));
    });
    await pass();
    expect(node.querySelector('.jp-PPO-runLog')?.textContent).toBe('It said <b>this</b>.');
    expect(node.querySelector('img')).toBeNull();
  });

  it('says so when it is gone, and leads back to the list', async () => {
    await show('gone');
    expect(node.textContent).toContain('This run is not there any more.');
    await press('‹ All runs');
    expect(node.querySelector('.jp-PPO-runPage')).toBeNull();
  });
});
