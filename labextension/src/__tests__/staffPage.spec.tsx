import { ServerConnection } from '@jupyterlab/services';
import axe from 'axe-core';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { InstructorModel } from '../instructor/model';
import { NotebookFile } from '../staff/notebookFile';
import { StaffPage } from '../staff/page';
import { placeHash, readPlace } from '../staff/place';
import type { Part } from '../staff/place';
import { Session } from '../staff/session';
import { followSystemTheme } from '../staff/theme';
import type { IDownload } from '../types';
import { MemoryAuthoring } from './authorMemory';
import { MemoryCourse } from './instructorMemory';
import { MemoryTokens } from './tokensMemory';

const CONFIG = { user: 'ines', page: '/p', hubHome: '/hub/home', signOut: '/logout' };

function answer(status: number): Promise<Response> {
  return Promise.resolve({ status } as Response);
}

describe('the place that the address names', () => {
  it.each([
    { course: 'rl', tab: 'people' as const },
    { course: 'a/b #ü%', tab: 'queue' as const }
  ])('leads back to %j', place => {
    expect(readPlace(placeHash(place, 'courses'))).toEqual({ ...place, part: 'courses' });
  });

  it.each(['tokens', 'release'] as const)('leads back to the part %s', part => {
    expect(readPlace(placeHash({ course: 'rl', tab: 'people' }, part))).toEqual({ part });
  });

  it('is none for anything else', () => {
    expect(readPlace('#elsewhere')).toEqual({ part: 'courses' });
    expect(readPlace('#course/%E0%A4%A/nowhere')).toEqual({
      part: 'courses',
      course: null,
      tab: undefined
    });
    expect(placeHash({ course: null, tab: 'people' }, 'courses')).toBe('');
  });
});

describe('a notebook from a file', () => {
  const NOTEBOOK = JSON.stringify({
    cells: [
      { cell_type: 'code', metadata: { tags: ['x'] } },
      { cell_type: 'odd', metadata: null },
      7
    ]
  });

  it('is read once, and its copy is handed to the browser', async () => {
    const saved: IDownload[] = [];
    const file = new NotebookFile(download => saved.push(download));
    let told = 0;
    file.onChanged(() => (told += 1));
    expect(file.current()).toBeNull();
    file.choose('ps1.ipynb', NOTEBOOK);
    expect(told).toBe(1);
    expect(file.text()).toBe(NOTEBOOK);
    expect(file.current()?.cells).toEqual([
      { type: 'code', metadata: { tags: ['x'] } },
      { type: 'raw', metadata: {} }
    ]);
    expect(await file.openPreview('copy')).toContain('ps1.preview.ipynb');
    expect(saved).toEqual([{ name: 'ps1.preview.ipynb', text: 'copy' }]);
  });

  it.each(['', '{', '[]', 'null', '{"cells": 3}'])('is refused when it is %j', text => {
    const file = new NotebookFile();
    file.choose('good.ipynb', NOTEBOOK);
    expect(() => file.choose('bad.txt', text)).toThrow('bad.txt is no notebook');
    expect(file.current()?.path).toBe('good.ipynb');
  });
});

describe('the session', () => {
  it('asks who one is only when something is refused', async () => {
    const asked: number[] = [];
    let status = 200;
    const ask = (): Promise<Response> => {
      asked.push(status);
      return answer(status);
    };
    const session = new Session(ask, () => answer(403));
    const fine = new Session(ask, () => answer(404));
    await fine.fetch('/x');
    expect(asked).toEqual([]);
    await session.fetch('/x');
    expect(asked).toEqual([200]);
    expect(session.snapshot()).toBe(false);
    status = 401;
    expect(await session.check()).toBe(false);
    expect(session.snapshot()).toBe(true);
  });

  it('tells when it has ended and when it is back, and nothing of a service that is away', async () => {
    let next: () => Promise<Response> = () => answer(403);
    const session = new Session(() => next());
    const told: boolean[] = [];
    const forget = session.subscribe(() => told.push(session.snapshot()));
    await session.check();
    await session.check();
    next = () => Promise.reject(new Error('away'));
    expect(await session.check()).toBe(false);
    next = () => answer(200);
    expect(await session.check()).toBe(true);
    forget();
    next = () => answer(403);
    await session.check();
    expect(told).toEqual([true, false]);
  });
});

it('has the attributes of the theme that the system asks for, and follows it', () => {
  let follow: (() => void) | null = null;
  const query = {
    matches: true,
    addEventListener: (_: string, act: () => void) => {
      follow = act;
    }
  };
  Object.defineProperty(window, 'matchMedia', { configurable: true, value: () => query });
  followSystemTheme(document.body);
  expect(document.body.dataset['jpThemeLight']).toBe('false');
  query.matches = false;
  (follow as (() => void) | null)?.();
  expect(document.body.dataset['jpThemeLight']).toBe('true');
});

describe('the page', () => {
  let service: MemoryCourse;
  let author: MemoryAuthoring;
  let session: Session;
  let status: number;
  let node: HTMLElement;
  let root: Root;
  let places: string[];

  beforeEach(async () => {
    service = new MemoryCourse();
    author = new MemoryAuthoring();
    status = 200;
    session = new Session(() => answer(status));
    places = [];
    node = document.createElement('div');
    document.body.appendChild(node);
    root = createRoot(node);
  });

  afterEach(() => {
    React.act(() => root.unmount());
    node.remove();
  });

  async function show(part: Part = 'courses'): Promise<void> {
    const model = new InstructorModel(service);
    await React.act(async () => {
      root.render(
        <StaffPage
          config={CONFIG}
          client={service}
          author={author}
          tokens={new MemoryTokens()}
          model={model}
          session={session}
          settings={ServerConnection.makeSettings()}
          part={part}
          onOpenFeedback={() => undefined}
          onPlace={place => places.push(place)}
        />
      );
      model.setVisible(true);
    });
  }

  function button(text: string): HTMLButtonElement {
    const found = [...node.querySelectorAll('button')].find(each => each.textContent === text);
    if (found === undefined) {
      throw new Error(`no ${text} in ${node.innerHTML}`);
    }
    return found;
  }

  it('shows who runs a course its area, and their tokens, and keeps what was typed', async () => {
    await show();
    expect(node.textContent).toContain('Signed in as ines');
    const area = node.querySelector('[role="tablist"]');
    expect(area).not.toBeNull();
    await React.act(async () => button('API tokens').click());
    expect(node.textContent).toContain('nightly export');
    expect(places.at(-1)).toBe('#tokens');
    await React.act(async () => button('Run a course').click());
    expect(node.querySelector('[role="tablist"]')).toBe(area);
    expect(places.at(-1)).toBe('#course/rl/assignments');
  });

  async function choose(name: string, text: string): Promise<void> {
    const input = node.querySelector<HTMLInputElement>('input[type="file"]');
    Object.defineProperty(input, 'files', {
      configurable: true,
      value: [{ name, text: () => Promise.resolve(text) }]
    });
    await React.act(async () => input?.dispatchEvent(new Event('change', { bubbles: true })));
  }

  it('releases a notebook from a file, and asks for the assignments anew', async () => {
    await show('release');
    await choose('notes.txt', 'no notebook');
    expect(node.querySelector('.jp-PPO-releasePart [role="alert"]')?.textContent).toContain(
      'notes.txt is no notebook'
    );
    await choose('ps 1.ipynb', '{"cells": []}');
    expect(node.querySelector('.jp-PPO-releasePart [role="alert"]')?.textContent).toBe('');
    await React.act(async () => button('Release…').click());
    service.works = [];
    await React.act(async () => button('Release to rl').click());
    expect(author.received).toEqual([['release', 'rl', 'ps-1', '{"cells": []}', '']]);
    expect(node.textContent).toContain('ps-1 version 2 is released to rl.');
    await React.act(async () => button('Run a course').click());
    expect(node.textContent).toContain('There is no assignment yet');
  });

  it('offers a grader no release', async () => {
    service.role = 'grader';
    await show('release');
    expect(node.querySelector('input[type="file"]')).toBeNull();
    expect(node.textContent).not.toContain('Release a notebook');
  });

  it('shows a student their courses and the way to their own JupyterLab', async () => {
    service.role = 'student';
    await show();
    expect(node.querySelector('[role="tablist"]')).toBeNull();
    expect(node.querySelector('table')?.textContent).toContain('Reinforcement learning');
    expect(node.querySelector('.jp-PPO-myCourses a')?.getAttribute('href')).toBe('/hub/home');
  });

  it('says that the sign-in has ended until it is back', async () => {
    await show('tokens');
    status = 403;
    await React.act(async () => void (await session.check()));
    const alert = node.querySelector('[role="alert"]');
    expect(alert?.textContent).toContain('does not know you any more');
    expect(alert?.querySelector('a')?.getAttribute('target')).toBe('_blank');
    status = 200;
    await React.act(async () => button('I have signed in').click());
    expect(node.querySelector('[role="alert"]')?.textContent).toBe('');
  });

  it('can be used with a screen reader', async () => {
    await show();
    expect(
      (await axe.run(node, { rules: { 'color-contrast': { enabled: false } } })).violations
    ).toEqual([]);
  });
});
