import * as React from 'react';

import { programRun } from './sandboxMemory';
import {
  aroundEach,
  find,
  finish,
  model,
  node,
  pass,
  press,
  service,
  show,
  textOf,
  type,
  typeCode
} from './sandboxPage';

aroundEach();

const STOPPED = programRun({
  success: false,
  outcome: 'stopped',
  error_message: 'The program was stopped.'
});

async function start(): Promise<void> {
  await show();
  await typeCode('while True: pass');
  find('.jp-PPO-run').focus();
  await press('.jp-PPO-run');
}

it('stops in the place of Run, where the focus stays', async () => {
  await start();
  expect(node.querySelector('.jp-PPO-run')).toBeNull();
  expect(document.activeElement).toBe(find('.jp-PPO-stop'));
  await press('.jp-PPO-stop');
  expect(service.stops).toBe(1);
  expect(find('.jp-PPO-stop').getAttribute('aria-disabled')).toBe('true');
  expect(textOf('.jp-PPO-busy [role="status"]')).toBe('Stopping');
  await press('.jp-PPO-stop');
  await pass(3000);
  expect(service.stops).toBe(1);
  await finish(STOPPED);
  expect(textOf('.jp-PPO-outcome')).toBe('✗ Stopped by you');
  expect(node.querySelector('.jp-PPO-error')).toBeNull();
  expect(document.activeElement).toBe(find('.jp-PPO-run'));
});

it('says it again when the wish came before the program', async () => {
  service.found = [0, 0];
  await start();
  await press('.jp-PPO-stop');
  await pass(1000);
  expect(service.stops).toBe(2);
  await pass(5000);
  expect(service.stops).toBe(3);
  await finish(STOPPED);
});

it('does not stop on the second half of a double click or a key held down', async () => {
  await start();
  const stop = find('.jp-PPO-stop');
  const click = new MouseEvent('click', { bubbles: true, detail: 2 });
  const key = new KeyboardEvent('keydown', {
    key: 'Enter',
    repeat: true,
    bubbles: true,
    cancelable: true
  });
  await React.act(async () => stop.dispatchEvent(click));
  await React.act(async () => stop.dispatchEvent(key));
  expect(key.defaultPrevented).toBe(true);
  expect(service.stops).toBe(0);
  await finish(STOPPED);
});

it('says why a program was not stopped, and can be asked again', async () => {
  service.stopProblem = new Error('No answer.');
  await start();
  await press('.jp-PPO-stop');
  expect(textOf('[role="alert"]')).toBe('No answer.');
  service.stopProblem = null;
  await press('.jp-PPO-stop');
  expect(service.stops).toBe(2);
  await finish(STOPPED);
  await React.act(async () => model.stop());
  expect(service.stops).toBe(2);
});

it('gives the program what is typed under Input, and says when it lacks some', async () => {
  await show();
  await typeCode('print(input())');
  await press('.jp-PPO-run');
  const run = { success: false, outcome: 'raised', error_type: 'EOFError' } as const;
  await finish(programRun({ ...run, error_message: 'EOF when reading a line' }));
  expect(textOf('.jp-PPO-advice')).toContain('Type it under "Input"');
  await type('.jp-PPO-stdin textarea', 'a\nb');
  await press('.jp-PPO-run');
  expect(service.requests[1]).toMatchObject({ stdin: 'a\nb' });
  await finish(programRun());
});
