import * as React from 'react';

import { RequestError } from '../connection';
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

it('starts with the numbers and the state of the service', async () => {
  expect(textOf('.jp-PPO-health')).toBe('Asking the sandbox…');
  await show();
  expect(textOf('.jp-PPO-health')).toBe('Ready, 1 of 1 containers waiting');
  expect(find<HTMLInputElement>('.jp-PPO-timeout input').value).toBe('20');
  expect(find<HTMLInputElement>('.jp-PPO-memory input').value).toBe('256');
  expect(textOf('.jp-PPO-history summary')).toBe('History (0)');
});

it('keeps a number that was typed before the service answered', async () => {
  await type('.jp-PPO-timeout input', '7');
  await show();
  expect(find<HTMLInputElement>('.jp-PPO-timeout input').value).toBe('7');
});

it('runs the code and shows what it printed', async () => {
  await show();
  await typeCode('print("<b>hi</b>")');
  await press('.jp-PPO-check input');
  await press('.jp-PPO-run');
  expect(service.requests).toEqual([
    { code: 'print("<b>hi</b>")', timeout: 20, memory: 256, capture_locals: true }
  ]);
  expect(find('.jp-PPO-result').getAttribute('aria-busy')).toBe('true');
  await finish(
    programRun({
      stdout: '<b>hi</b>\n\u001b[31mred\r\n',
      locals: { answer: [1, null], b: 'x' },
      omitted: { np: 'module (not plain data)', xs: 'list (too large)' }
    })
  );
  expect(textOf('.jp-PPO-outcome')).toBe('✓ Finished without an error');
  expect(textOf('.jp-PPO-measures')).toBe('0.012 s, at most 20.3 MiB');
  expect(textOf('.jp-PPO-stream pre')).toBe('<b>hi</b>\n␛[31mred␍\n');
  expect(node.querySelector('b')).toBeNull();
  expect(textOf('.jp-PPO-variables')).toContain('answer[\n  1,\n  null\n]');
  expect(textOf('.jp-PPO-variables')).toContain(
    'Left out: np, module (not plain data); xs, list (too large).'
  );
  expect(find('.jp-PPO-result').getAttribute('aria-busy')).toBe('false');
});

it.each(['shiftKey', 'ctrlKey'] as const)('runs on Enter with %s', async key => {
  await show();
  await typeCode('x');
  const event = new KeyboardEvent('keydown', {
    key: 'Enter',
    [key]: true,
    bubbles: true,
    cancelable: true
  });
  await React.act(async () => find('.jp-PPO-editor textarea').dispatchEvent(event));
  expect(event.defaultPrevented).toBe(true);
  expect(service.requests).toHaveLength(1);
  await finish(programRun());
  expect(textOf('.jp-PPO-result')).toContain('The program printed nothing.');
});

it('counts the seconds of a program and starts no second one', async () => {
  await show();
  await typeCode('x');
  await press('.jp-PPO-run');
  expect(textOf('.jp-PPO-elapsed')).toBe('0 s');
  await pass(3000);
  expect(textOf('.jp-PPO-elapsed')).toBe('3 s');
  expect(find('.jp-PPO-elapsed').getAttribute('aria-live')).toBe('off');
  await React.act(async () => model.run());
  await React.act(async () => model.runOther('other'));
  expect(service.requests).toHaveLength(1);
  expect(textOf('[role="alert"]')).toContain('A program is running');
  await finish(programRun());
  expect(node.querySelector('.jp-PPO-elapsed')).toBeNull();
});

it('shows an error of the program', async () => {
  await show();
  await typeCode('1/0');
  await press('.jp-PPO-run');
  await finish(
    programRun({
      success: false,
      outcome: 'raised',
      error_type: 'ZeroDivisionError',
      error_message: 'division by zero',
      traceback: 'Traceback ...'
    })
  );
  expect(textOf('.jp-PPO-outcome')).toBe('✗ Ended with an error');
  expect(textOf('.jp-PPO-error')).toBe('ZeroDivisionError: division by zero');
  expect(textOf('.jp-PPO-stream pre')).toBe('Traceback ...');
  expect(node.querySelector('.jp-PPO-limit')).toBeNull();
});

it('names the limit that was hit, its figure and what to do', async () => {
  await show();
  await typeCode('x');
  await press('.jp-PPO-run');
  await finish(
    programRun({
      success: false,
      outcome: 'memory',
      error_message: 'The program used more than 256 MiB.',
      limit: { name: 'memory', value: 256, unit: 'MiB' }
    })
  );
  expect(textOf('.jp-PPO-outcome')).toBe('✗ Stopped: out of memory');
  expect(textOf('.jp-PPO-limit')).toBe(
    'The limit was reached. Memory: 256 MiB. Use less memory, or raise Memory (up to 2048 MiB).'
  );
  expect(node.querySelector('.jp-PPO-error')).toBeNull();
});

it.each([
  ['timeout', '301', 'Timeout: type a number from 1 to 300 s.'],
  ['timeout', '1e1', 'Timeout: type a number from 1 to 300 s.'],
  ['timeout', '', 'Timeout: type a number from 1 to 300 s.'],
  ['memory', '63', 'Memory: type a whole number from 64 to 2048 MiB.'],
  ['memory', '128.5', 'Memory: type a whole number from 64 to 2048 MiB.']
])('says at once that a %s of "%s" is out of range', async (name, text, problem) => {
  await show();
  await typeCode('x');
  await type(`.jp-PPO-${name} input`, text);
  const input = find(`.jp-PPO-${name} input`);
  expect(input.getAttribute('aria-invalid')).toBe('true');
  const described = document.getElementById(input.getAttribute('aria-describedby') ?? '');
  expect(described?.textContent).toBe(problem);
  await press('.jp-PPO-run');
  expect(service.requests).toEqual([]);
  expect(textOf('.jp-PPO-notice [role="alert"]')).toBe(problem);
  await type(`.jp-PPO-${name} input`, '100');
  expect(find(`.jp-PPO-${name} input`).getAttribute('aria-invalid')).toBe('false');
  await press('.jp-PPO-run');
  expect(service.requests).toEqual([expect.objectContaining({ [name]: 100 })]);
  await finish(programRun());
});

it('does not send what is blank or too long', async () => {
  await show();
  await typeCode(' \n');
  await press('.jp-PPO-run');
  expect(textOf('[role="alert"]')).toBe('There is no code. Type some first.');
  await typeCode('😀'.repeat(1001));
  await press('.jp-PPO-run');
  expect(textOf('[role="alert"]')).toBe('The code has 1001 characters; at most 1000 can be run.');
  expect(service.requests).toEqual([]);
  await typeCode('😀'.repeat(1000));
  await press('.jp-PPO-run');
  expect(service.requests).toHaveLength(1);
  await finish(programRun());
});

it('counts down the wait that the service asks for', async () => {
  await show();
  await typeCode('x');
  await press('.jp-PPO-run');
  const error = new RequestError('30 a minute.', 'too_many_requests', 429, null, 3);
  await React.act(async () => service.refuse(error));
  expect(textOf('[role="alert"]')).toBe('30 a minute.');
  expect(textOf('.jp-PPO-retry')).toBe(' Try again in 3 s.');
  await pass(2000);
  expect(textOf('.jp-PPO-retry')).toBe(' Try again in 1 s.');
  await pass(1000);
  expect(textOf('.jp-PPO-retry')).toBe(' You can try again now.');
  expect(jest.getTimerCount()).toBe(0);
  await press('.jp-PPO-run');
  expect(node.querySelector('.jp-PPO-retry')).toBeNull();
  await finish(programRun());
});

it('says what the server says when nothing can run', async () => {
  service.state = { engine: false, image: false, pool: { ready: 0, size: 1 } };
  service.reason = {
    available: false,
    engine: null,
    image: null,
    problem: 'No container engine answers.',
    remedy: 'Start Docker.'
  };
  await show();
  expect(textOf('.jp-PPO-health')).toBe('No engine: No container engine answers. Start Docker.');
  expect(find('.jp-PPO-health').dataset.state).toBe('problem');
  const run = find('.jp-PPO-run');
  expect(run.getAttribute('aria-disabled')).toBe('true');
  expect(run.getAttribute('aria-describedby')).toBe(find('.jp-PPO-health').id);
  await typeCode('x');
  await press('.jp-PPO-run');
  expect(textOf('[role="alert"]')).toContain('Start Docker.');
  expect(service.requests).toEqual([]);
  // The engine is there at once when it is there, although nobody has looked yet.
  service.state = { engine: true, image: true, pool: { ready: 1, size: 1 } };
  await press('.jp-PPO-run');
  expect(service.requests).toHaveLength(1);
  await React.act(async () =>
    service.refuse(new RequestError('Nobody answers.', 'engine_unavailable', 503))
  );
  expect(textOf('[role="alert"]')).toBe('Nobody answers.');
  expect(node.querySelector('.jp-PPO-retry')).toBeNull();
  expect(textOf('.jp-PPO-health')).toContain('Ready');
  expect(find('.jp-PPO-run').getAttribute('aria-disabled')).toBe('false');
  await pass(60_000);
});

it('says so when the service cannot be reached, and recovers', async () => {
  service.limitsProblem = service.healthProblem = new RequestError('No answer.', 'network', 0);
  await show();
  expect(textOf('.jp-PPO-health')).toBe('No answer.');
  service.limitsProblem = service.healthProblem = null;
  await pass(60_000);
  expect(textOf('.jp-PPO-health')).toContain('Ready');
});

it('asks nothing while hidden', async () => {
  service.healthProblem = new Error('down');
  await show();
  await React.act(async () => model.setVisible(false));
  expect(jest.getTimerCount()).toBe(0);
});

it('runs a cell in place of what is in the editor', async () => {
  await show();
  await typeCode('mine');
  await React.act(async () => void model.runOther('cell'));
  expect(find<HTMLTextAreaElement>('.jp-PPO-editor textarea').value).toBe('cell');
  expect(service.requests).toEqual([expect.objectContaining({ code: 'cell' })]);
  await finish(programRun());
});
