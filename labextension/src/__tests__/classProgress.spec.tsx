import { ServerConnection } from '@jupyterlab/services';
import axe from 'axe-core';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { RequestError } from '../connection';
import { ClassProgress } from '../instructor/classProgress';
import { ProgressClient } from '../instructor/progressClient';
import type { Role } from '../types';
import { classOf, MemoryProgress, RULE } from './progressMemory';

let service: MemoryProgress;
let node: HTMLElement;
let root: Root;

async function show(role: Role = 'instructor'): Promise<void> {
  const course = { name: 'rl', title: 'Reinforcement learning', role };
  await React.act(async () => root.render(<ClassProgress client={service} course={course} />));
}

beforeEach(() => {
  jest.useFakeTimers({ now: new Date('2026-01-02T03:05:05Z') });
  service = new MemoryProgress();
  node = document.createElement('main');
  document.body.appendChild(node);
  root = createRoot(node);
});

afterEach(() => {
  React.act(() => root.unmount());
  node.remove();
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

function textOf(selector: string): string {
  return find(selector).textContent ?? '';
}

async function press(selector: string): Promise<void> {
  await React.act(async () => {
    find(selector).focus();
    find(selector).click();
  });
}

async function type(selector: string, text: string): Promise<void> {
  await React.act(async () => {
    const field = find<HTMLInputElement>(selector);
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value')?.set?.call(field, text);
    const kind = field.tagName === 'SELECT' ? 'change' : 'input';
    field.dispatchEvent(new Event(kind, { bubbles: true }));
  });
}

async function save(): Promise<void> {
  await React.act(async () => {
    const event = new Event('submit', { bubbles: true, cancelable: true });
    find('.jp-PPO-rulesEditor').dispatchEvent(event);
  });
}

/** What axe finds; jsdom draws nothing, so that it cannot judge colours. */
async function violations(): Promise<string[]> {
  jest.useRealTimers();
  const rules = { 'color-contrast': { enabled: false } };
  const found = await axe.run(node, { rules, resultTypes: ['violations'] });
  jest.useFakeTimers();
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

const FIRST = '[data-user="student-000"]';

describe('the table', () => {
  it('shows each student with a symbol and words for every chapter', async () => {
    await show();
    expect(node.querySelectorAll('tbody tr')).toHaveLength(3);
    const cells = [...node.querySelectorAll(`${FIRST} .jp-PPO-chapterCell`)];
    expect(cells.map(cell => cell.textContent)).toEqual([
      'chapter-1: done, 6 of 6 points',
      'chapter-2: partly solved, 4 of 6 points',
      'chapter-3: handed in',
      'chapter-4: started',
      'chapter-5: not started'
    ]);
    cells.forEach(cell => {
      expect(cell.querySelector('svg')?.getAttribute('aria-hidden')).toBe('true');
    });
    expect(textOf(`${FIRST} td:nth-child(3)`)).toBe('10 / 30');
    expect(textOf(`${FIRST} td:nth-child(4)`)).toBe('1 / 5');
    expect(textOf(`${FIRST} td:nth-child(5)`)).toBe('1 h');
    expect(textOf('[data-user="student-001"] td:nth-child(6)')).toBe('–');
  });

  it('asks for another order and starts over with its first page', async () => {
    service.class = classOf(60);
    await show();
    expect(node.querySelectorAll('tbody tr')).toHaveLength(50);
    await press('.jp-PPO-pager button:last-child');
    expect(service.queries.pop()).toMatchObject({ offset: 50, sort: 'name' });
    expect(textOf('.jp-PPO-pager')).toContain('51 to 60 of 60');
    const minutes = 'thead th:nth-child(5)';
    expect(find(minutes).getAttribute('aria-sort')).toBe('none');
    await press(`${minutes} button`);
    expect(find(minutes).getAttribute('aria-sort')).toBe('ascending');
    expect(service.queries.pop()).toEqual({ search: '', sort: 'minutes', offset: 0, limit: 50 });
  });

  it('searches once the typing rests, and says when nobody is like that', async () => {
    await show();
    const before = service.queries.length;
    await type('[name="search"]', 'student-00');
    await type('[name="search"]', ' student-001 ');
    expect(service.queries).toHaveLength(before);
    await React.act(async () => jest.advanceTimersByTimeAsync(1_000));
    expect(service.queries).toHaveLength(before + 1);
    expect(node.querySelectorAll('tbody tr')).toHaveLength(1);
    await type('[name="search"]', 'nobody');
    await React.act(async () => jest.advanceTimersByTimeAsync(1_000));
    expect(textOf('.jp-PPO-empty')).toContain('No student has such a name');
  });

  it('says that there is nobody yet, and what is to be done', async () => {
    service.class = [];
    await show();
    expect(textOf('.jp-PPO-empty')).toContain('Enrol them');
  });

  it('tells why it is not there, and tries again', async () => {
    service.refusal = new RequestError('The database is being mended.', 'unavailable', 503);
    await show();
    expect(textOf('[role="alert"]')).toContain('being mended');
    service.refusal = null;
    await press('[role="alert"] button');
    expect(node.querySelectorAll('tbody tr')).toHaveLength(3);
  });
});

describe('a student', () => {
  it('is shown with chapters, exercises, concepts and achievements', async () => {
    await show('grader');
    await press(`${FIRST} th button`);
    expect(document.activeElement).toBe(find('.jp-PPO-studentProgress h3'));
    expect(find(`${FIRST} th button`).getAttribute('aria-expanded')).toBe('true');
    const facts = textOf('.jp-PPO-facts');
    for (const words of ['10 / 30', '1 of 5', '1 h 35 min', '2 weeks in a row', '2 points are']) {
      expect(facts).toContain(words);
    }
    const first = textOf('[data-chapter="chapter-1"]:is(li)');
    expect(first).toContain('1. Chapter of done');
    expect(first).toContain('19 min on task · 2 attempts · due');
    expect(first).toContain('Exercise 1');
    expect(textOf('.jp-PPO-progressShown')).toContain('Details of PPO shown: 1 of 2');
    expect(textOf('.jp-PPO-progressAchievements summary')).toBe('Achievements: 1 of 3');
    expect(textOf('[data-achievement="gae-exact"]')).toContain('by version 2 of the rule');
    expect(textOf('[data-achievement="all"]')).toContain('2 of 5 met');
    expect(textOf('[data-achievement="gone"]')).toContain('taken back');
  });

  it('is closed with Escape, which gives the keyboard back', async () => {
    await show();
    await press(`${FIRST} th button`);
    await React.act(async () => {
      const escape = new KeyboardEvent('keydown', { key: 'Escape', bubbles: true });
      document.activeElement?.dispatchEvent(escape);
    });
    expect(node.querySelector('.jp-PPO-studentProgress')).toBeNull();
    expect(document.activeElement).toBe(find(`${FIRST} th button`));
  });
});

describe('recomputing', () => {
  it('says what it did and shows the class anew', async () => {
    await show();
    const before = service.queries.length;
    await press('.jp-PPO-recompute');
    expect(service.recomputed).toBe(1);
    expect(service.queries).toHaveLength(before + 1);
    expect(textOf('.jp-PPO-acted')).toContain('120 students was computed from 34,567 events');
    expect(textOf('.jp-PPO-acted')).toContain('2 students had another state');
    service.made = { students: 1, events: 1, changed: 0 };
    await press('.jp-PPO-recompute');
    expect(textOf('.jp-PPO-acted')).toContain(
      '1 student was computed from 1 event. Everything was'
    );
  });

  it('and the rules are for instructors', async () => {
    await show('grader');
    expect(node.querySelector('.jp-PPO-recompute')).toBeNull();
    expect(node.querySelector('[role="tab"]')).toBeNull();
    expect(node.querySelectorAll('tbody tr')).toHaveLength(3);
  });
});

describe('rules', () => {
  async function edit(): Promise<void> {
    await show();
    await press('[data-tab="rules"]');
    await press('.jp-PPO-editRules');
  }

  function area(): HTMLTextAreaElement {
    return find<HTMLTextAreaElement>('[name="rules"]');
  }

  it('are listed with what each asks for', async () => {
    await show();
    await press('[data-tab="rules"]');
    expect(textOf('h3')).toContain('come with the package');
    const rule = textOf('[data-rule="gae-exact"]');
    expect(rule).toContain('checks {"assignment":"chapter-1","grade_ids":["a","b"]}');
    expect(textOf('[data-rule="gae-exact"] td:last-child')).toBe('2');
  });

  it('are saved as a new edition, which says who got and lost what', async () => {
    await edit();
    expect(JSON.parse(area().value)).toEqual([{ ...RULE, version: undefined }]);
    await type('[name="rules"]', area().value.replace('At three', 'At five'));
    await save();
    expect(service.saved).toMatchObject([[{ id: 'gae-exact', description: 'At five lambdas.' }]]);
    expect(textOf('.jp-PPO-acted')).toBe(
      'Edition 1 holds from now on: 12 achievements awarded, 1 revoked.'
    );
    expect(textOf('h3')).toMatch(/^Edition 1 by ines/);
  });

  it('that the service refuses are shown at the place that it names', async () => {
    await edit();
    const place = 'rules[0].criteria[0].data.grade_ids[1]';
    service.refusal = new RequestError(`${place}: this cannot be used.`, 'invalid', 400, place);
    await save();
    expect(textOf('[role="alert"]')).toContain('this cannot be used');
    expect(area().getAttribute('aria-invalid')).toBe('true');
    const lines = area().value.split('\n').length;
    Object.defineProperty(area(), 'scrollHeight', { value: 20 * lines }); // jsdom draws nothing
    await press('.jp-PPO-showPlace');
    const { value, selectionStart, selectionEnd } = area();
    expect(value.slice(selectionStart, selectionEnd)).toBe('"b"');
    const line = value.slice(0, selectionStart).split('\n').length;
    expect(area().scrollTop).toBe(20 * (line - 1));
    expect(textOf('.jp-PPO-showPlace')).toBe(`Go to line ${line}`);
    await type('[name="rules"]', `\n${value}`);
    expect(node.querySelector('.jp-PPO-showPlace')).toBeNull();
  });

  it('that are no JSON do not leave the page, and the line is named', async () => {
    await edit();
    await type('[name="rules"]', '[\n  {"id": "a",}\n]');
    await save();
    expect(service.saved).toEqual([]);
    expect(textOf('[role="alert"]')).toContain('Line 2 is no JSON. Here there is }, where a name');
    await press('.jp-PPO-showPlace');
    expect(area().selectionStart).toBe(15);
  });

  it('are not saved over those that somebody else saved meanwhile', async () => {
    await edit();
    service.edition = { ...service.edition, number: 4, created_by: 'gil' };
    await save();
    expect(service.saved).toEqual([]);
    expect(textOf('[role="alert"]')).toContain('gil saved edition 4 meanwhile');
  });

  it('stay as they are when the editor is closed', async () => {
    await edit();
    await press('.jp-PPO-rulesEditor button[type="button"]');
    expect(service.saved).toEqual([]);
    expect(textOf('h3')).toContain('come with the package');
  });
});

it('has nothing that axe objects to', async () => {
  await show();
  await press(`${FIRST} th button`);
  node.querySelectorAll('details').forEach(each => (each.open = true));
  expect(await violations()).toEqual([]);
  await press('[data-tab="rules"]');
  expect(await violations()).toEqual([]);
  await press('.jp-PPO-editRules');
  await type('[name="rules"]', '[');
  await save();
  expect(await violations()).toEqual([]);
}, 30_000);

it('asks the service at its addresses', async () => {
  const calls: string[] = [];
  const bodies: string[] = [];
  const keep = async (input: RequestInfo | URL): Promise<Response> => {
    const request = input as Request;
    const { pathname, search } = new URL(request.url);
    const query = search.replace(/[?&]\d+$/, ''); // against caches
    calls.push(`${request.method} ${pathname.replace('/jupyter-ppo/api/v1', '')}${query}`);
    bodies.push(await request.text());
    return new Response('{}');
  };
  const client = new ProgressClient(
    ServerConnection.makeSettings({ baseUrl: 'http://lab.test/', fetch: keep, Request })
  );
  await client.students('rl', { search: ' a&b ', sort: 'points', offset: 50, limit: 50 });
  await client.students('rl', { search: ' ', sort: 'name', offset: 0, limit: 50 });
  await client.student('rl', 'a/b');
  await client.achievements('rl', 'ada');
  await client.recompute('rl');
  await client.rules('rl');
  await client.saveRules('rl', [RULE], 3);
  const students = '/courses/rl/progress/students';
  expect(calls).toEqual([
    `GET ${students}?search=a%26b&sort=points&offset=50&limit=50`,
    `GET ${students}?sort=name&offset=0&limit=50`,
    `GET ${students}/a%2Fb`,
    'GET /courses/rl/achievements/students/ada',
    'POST /courses/rl/progress/recompute',
    'GET /courses/rl/achievements/rules',
    'PUT /courses/rl/achievements/rules'
  ]);
  expect(JSON.parse(bodies[6] ?? '')).toEqual({ rules: [RULE], number: 3 });
});
