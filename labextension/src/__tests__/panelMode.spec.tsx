import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { CoursePanel } from '../components';
import { CourseModel } from '../model';
import type { Mode } from '../preferences/types';
import { PreferencesModel } from '../preferences/model';
import { WithPreferences } from '../preferences/shared';
import { MemoryService, MemoryWorkspace } from './memory';
import { MemoryPreferences } from './preferencesMemory';

let service: MemoryPreferences;
let preferences: PreferencesModel;
let model: CourseModel;
let node: HTMLElement;
let root: Root;
let tours: number;

beforeEach(async () => {
  service = new MemoryPreferences();
  preferences = new PreferencesModel(service);
  model = new CourseModel(new MemoryService(), new MemoryWorkspace());
  node = document.createElement('div');
  document.body.appendChild(node);
  root = createRoot(node);
  tours = 0;
});

afterEach(() => {
  React.act(() => root.unmount());
  node.remove();
  model.dispose();
});

/** The panel as the sidebar draws it. */
async function show(): Promise<void> {
  await React.act(async () =>
    root.render(
      <WithPreferences model={preferences}>
        {({ mode, tour, pseudonym }) => (
          <CoursePanel
            model={model}
            mode={mode}
            onTour={tour === 'done' ? undefined : () => (tours += 1)}
            pseudonym={pseudonym}
          />
        )}
      </WithPreferences>
    )
  );
  await React.act(async () => model.setVisible(true));
}

const has = (selector: string): boolean => node.querySelector(selector) !== null;

it.each<[Mode, boolean, boolean]>([
  ['guided', true, true],
  ['standard', false, true],
  ['expert', false, false]
])('is drawn for the mode %s', async (mode, isGuided, isNamed) => {
  service.elsewhere({ mode });
  await show();
  expect([has('.jp-PPO-guide'), has('.jp-PPO-user')]).toEqual([isGuided, isNamed]);
  expect(has('.jp-PPO-assignment')).toBe(true);
});

it('changes with the preferences, and has the tour until it is done', async () => {
  await show();
  await React.act(async () => node.querySelector<HTMLElement>('.jp-PPO-startTour')?.click());
  expect(tours).toBe(1);
  await React.act(async () => preferences.change({ tour: 'done' }));
  expect([has('.jp-PPO-guide'), has('.jp-PPO-startTour')]).toEqual([true, false]);
  await React.act(async () => preferences.change({ mode: 'expert' }));
  expect(has('.jp-PPO-guide')).toBe(false);
});

it('offers the pseudonym for the leaderboard', async () => {
  service.elsewhere({ pseudonym: 'quick fox' });
  await show();
  await React.act(async () => {
    const board = node.querySelector<HTMLDetailsElement>('.jp-PPO-leaderboard');
    board?.setAttribute('open', '');
    board?.dispatchEvent(new Event('toggle'));
  });
  const field = node.querySelector<HTMLInputElement>('.jp-PPO-membership input');
  expect([field?.value, node.textContent?.includes('You are not on it')]).toEqual([
    'quick fox',
    true
  ]);
});
