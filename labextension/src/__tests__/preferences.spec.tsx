import axe from 'axe-core';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { RequestError } from '../connection';
import { PreferencesArea } from '../preferences/area';
import { PreferencesModel } from '../preferences/model';
import { followPreference, themeFor } from '../preferences/theme';
import { MemoryPreferences } from './preferencesMemory';
import { MemoryTokens } from './tokensMemory';

let service: MemoryPreferences;
let model: PreferencesModel;
let node: HTMLElement;
let root: Root;
let tours: number;

beforeEach(() => {
  service = new MemoryPreferences();
  model = new PreferencesModel(service);
  node = document.createElement('div');
  document.body.appendChild(node);
  root = createRoot(node);
  tours = 0;
  React.act(() => root.render(<PreferencesArea model={model} onTour={() => (tours += 1)} />));
});

afterEach(() => {
  React.act(() => root.unmount());
  node.remove();
});

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = node.querySelector<T>(selector);
  if (found === null) {
    throw new Error(`${selector} is not in ${node.innerHTML}`);
  }
  return found;
}

/** The control with this label. */
function field<T extends HTMLElement>(label: string): T {
  const labels = [...node.querySelectorAll('label')];
  const found = labels.find(each => each.textContent?.startsWith(label));
  const control = found?.control;
  if (!control) {
    throw new Error(`no ${label} in ${node.innerHTML}`);
  }
  return control as HTMLElement as T;
}

async function load(): Promise<void> {
  await React.act(async () => model.load());
}

async function press(control: HTMLElement): Promise<void> {
  await React.act(async () => control.click());
}

async function set(control: HTMLInputElement | HTMLSelectElement, text: string): Promise<void> {
  await React.act(async () => {
    const own = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(control), 'value');
    own?.set?.call(control, text);
    const kind = control.tagName === 'SELECT' ? 'change' : 'input';
    control.dispatchEvent(new Event(kind, { bubbles: true }));
  });
}

const status = (): string => find('.jp-PPO-preferencesSaved').textContent ?? '';

it('says why it is not there, and gets it when asked again', async () => {
  expect(node.textContent).toContain('Loading');
  service.refusal = new RequestError('No answer.', 'network', 0);
  await load();
  expect(find('[role="alert"]').textContent).toContain('No answer.');
  expect(node.querySelector('select')).toBeNull();
  await press(find('[role="alert"] button'));
  expect(node.querySelector('[role="alert"]')).toBeNull();
  expect(field<HTMLInputElement>('Guided').checked).toBe(true);
});

it('saves each change by itself, and says so', async () => {
  await load();
  expect(status()).toBe('');
  await press(field('Expert'));
  expect(status()).toBe('Saved.');
  expect(model.mode).toBe('expert');
  await set(field('Theme'), 'dark');
  await set(field('Hints'), '0');
  await set(field('Smoothing'), '20');
  await set(field('Scale'), 'log');
  await set(field('Seeds'), 'ci');
  await press(field('something is due'));
  await press(field('Report time on task'));
  expect(service.stored).toEqual({
    mode: 'expert',
    theme: 'dark',
    chart: { smoothing: 20, axis: 'log', band: 'ci' },
    hint_level: 0,
    notifications: { feedback: true, due: false, achievements: true },
    pseudonym: '',
    privacy: { activity: false },
    tour: 'new'
  });
  expect(service.received.map(([, revision]) => revision)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  await press(find('.jp-PPO-startTour'));
  expect(tours).toBe(1);
});

it('takes a refused change back and says why; a refused pseudonym stays to be mended', async () => {
  await load();
  service.refusal = new RequestError('The disk is full.', 'storage_full', 507);
  await press(field('Expert'));
  expect(field<HTMLInputElement>('Guided').checked).toBe(true);
  expect(find('[role="alert"]').textContent).toBe('This was not saved. The disk is full.');
  expect(status()).toBe('');
  const name = field<HTMLInputElement>('Pseudonym');
  service.refusal = new RequestError('pseudonym: too short.', 'invalid_input', 400, 'pseudonym');
  await set(name, 'x');
  await React.act(async () => name.dispatchEvent(new Event('focusout', { bubbles: true })));
  expect([name.value, name.getAttribute('aria-invalid')]).toEqual(['x', 'true']);
  expect(find('.jp-PPO-formProblem').textContent).toBe('pseudonym: too short.');
  await set(name, ' quick fox ');
  const enter = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true });
  await React.act(async () => name.dispatchEvent(enter));
  expect([name.value, service.stored.pseudonym]).toEqual(['quick fox', 'quick fox']);
  expect(name.getAttribute('aria-invalid')).toBeNull();
});

it('shows what is in the way when another device changed the same, and lets one choose', async () => {
  await load();
  service.elsewhere({ mode: 'standard' });
  await press(field('Expert'));
  const rows = [...node.querySelectorAll('.jp-PPO-conflict tbody tr')];
  expect(rows.map(row => [...row.children].map(cell => cell.textContent))).toEqual([
    ['Mode', 'Expert', 'Standard']
  ]);
  expect([service.stored.mode, field<HTMLInputElement>('Standard').checked]).toEqual([
    'standard',
    true
  ]);
  await press(find('.jp-PPO-takeTheirs'));
  expect(node.querySelector('.jp-PPO-conflict')).toBeNull();
  expect(service.stored.mode).toBe('standard');
  service.elsewhere({ mode: 'guided' });
  await press(field('Expert'));
  await press(find('.jp-PPO-takeYours'));
  expect([service.stored.mode, node.querySelector('.jp-PPO-conflict')]).toEqual(['expert', null]);
});

it('asks nobody when another device changed something else', async () => {
  await load();
  service.elsewhere({ chart: { axis: 'log' } });
  await press(field('Expert'));
  expect(node.querySelector('.jp-PPO-conflict')).toBeNull();
  expect([service.stored.mode, service.stored.chart.axis]).toEqual(['expert', 'log']);
  expect(field<HTMLSelectElement>('Scale').value).toBe('log');
});

it('is no conflict with itself when changes are quick', async () => {
  await load();
  await React.act(async () => {
    await Promise.all([
      model.change({ mode: 'expert' }),
      model.change({ mode: 'standard' }),
      model.change({ theme: 'dark' })
    ]);
  });
  expect(service.revision).toBe(3);
  expect([model.mode, model.snapshot().conflict, model.snapshot().isSaving]).toEqual([
    'standard',
    null,
    false
  ]);
});

it('shows a smoothing that was set elsewhere', async () => {
  service.stored = { ...service.stored, chart: { smoothing: 7, axis: 'linear', band: 'none' } };
  await load();
  expect(field<HTMLSelectElement>('Smoothing').selectedOptions[0]?.textContent).toBe('7 points');
});

it('has names for all of its controls', async () => {
  await load();
  service.elsewhere({ mode: 'standard' });
  await press(field('Expert'));
  const { violations } = await axe.run(node, { rules: { 'color-contrast': { enabled: false } } });
  expect(violations.map(({ id }) => id)).toEqual([]);
});

class Themes {
  theme: string | null = 'JupyterLab Light';
  themes: readonly string[] = ['Bright', 'JupyterLab Dark', 'JupyterLab Light', 'Night'];
  readonly isLight = (name: string): boolean => name === 'Bright' || name === 'JupyterLab Light';
  readonly setTheme = async (name: string): Promise<void> => {
    this.theme = name;
  };
}

it('changes the theme only to what was chosen, and leaves one that fits', () => {
  const themes = new Themes();
  expect(themeFor('follow', themes)).toBeNull();
  expect(themeFor('light', themes)).toBeNull();
  expect(themeFor('dark', themes)).toBe('JupyterLab Dark');
  themes.theme = 'Night';
  expect(themeFor('dark', themes)).toBeNull();
  themes.themes = ['Bright', 'Night'];
  expect([themeFor('light', themes), themeFor('dark', themes)]).toEqual(['Bright', null]);
  themes.theme = null;
  themes.themes = ['Night'];
  expect(themeFor('light', themes)).toBeNull();
});

it('applies a theme when it is known and when it changes, not in between', async () => {
  const themes = new Themes();
  service.stored = { ...service.stored, theme: 'dark' };
  const stop = followPreference(model, themes);
  expect(themes.theme).toBe('JupyterLab Light');
  await load();
  expect(themes.theme).toBe('JupyterLab Dark');
  themes.theme = 'JupyterLab Light'; // by JupyterLab's own menu
  await React.act(async () => model.change({ mode: 'expert' }));
  expect(themes.theme).toBe('JupyterLab Light');
  await React.act(async () => model.change({ theme: 'follow' }));
  await React.act(async () => model.change({ theme: 'dark' }));
  expect(themes.theme).toBe('JupyterLab Dark');
  stop();
});

it('has the API tokens where there is a service for them', async () => {
  await load();
  expect(node.textContent).not.toContain('API tokens');
  const tokens = new MemoryTokens();
  await React.act(async () => root.render(<PreferencesArea model={model} tokens={tokens} />));
  expect(find('[data-token]').textContent).toContain('nightly export');
});
