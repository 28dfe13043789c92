import * as axe from 'axe-core';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { CoursePanel } from '../components';
import { HomeArea } from '../home/area';
import { HomeModel, RENEWAL_MS } from '../home/model';
import { exactText } from '../home/words';
import { CourseModel } from '../model';
import type { Mode } from '../preferences/types';
import { MemoryService, MemoryWorkspace } from './memory';
import {
  achievement,
  attempt,
  chapter,
  MemoryHome,
  MemoryLab,
  NOW,
  progress,
  run
} from './homeMemory';

let service: MemoryHome;
let lab: MemoryLab;
let model: HomeModel;
let node: HTMLElement;
let root: Root;

beforeEach(() => {
  jest.useFakeTimers({ now: NOW });
  service = new MemoryHome();
  lab = new MemoryLab();
  model = new HomeModel(service);
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

async function show(mode: Mode = 'guided'): Promise<void> {
  await React.act(async () =>
    root.render(<HomeArea model={model} client={service} lab={lab} mode={mode} />)
  );
  await React.act(async () => model.setVisible(true));
  await pass();
}

async function pass(milliseconds = 0): Promise<void> {
  await React.act(async () => jest.advanceTimersByTimeAsync(milliseconds));
}

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = node.querySelector<T>(selector);
  if (found === null) {
    throw new Error(`${selector} is not in ${node.innerHTML}`);
  }
  return found;
}

/** The part under this heading. */
function part(title: string): HTMLElement {
  const heading = [...node.querySelectorAll('h3')].find(each => each.textContent === title);
  const section = heading?.closest('section');
  if (!section) {
    throw new Error(`No part ${title} in ${node.textContent}`);
  }
  return section;
}

async function press(name: string): Promise<void> {
  const found = [...node.querySelectorAll('button')].find(
    each => (each.getAttribute('aria-label') ?? each.textContent) === name
  );
  if (found === undefined) {
    throw new Error(`No button ${name} in ${node.textContent}`);
  }
  await React.act(async () => found.click());
  await pass();
}

it('the panel leads to My course with the course that it shows', async () => {
  const panel = new CourseModel(new MemoryService(), new MemoryWorkspace());
  const opened: string[] = [];
  await React.act(async () =>
    root.render(<CoursePanel model={panel} onHome={course => void opened.push(course)} />)
  );
  await React.act(async () => panel.refresh());
  await press('My course');
  expect(opened).toEqual(['rl']);
  panel.dispose();
});

describe('My course', () => {
  it('shows each chapter with its state in words, its points and its own date', async () => {
    await show();
    const rows = [...node.querySelectorAll('.jp-PPO-homeChapterHead')].map(row => row.textContent);
    expect(rows[0]).toBe('0. The loopDone10 / 10');
    expect(rows[1]).toBe('5. AdvantagesNextPartly solved3 / 5');
    const due = exactText('2026-11-25T13:00:00+00:00');
    expect(rows[2]).toBe(`6. RolloutsNot started10 pointsDue in 3 days ${due}`);
    expect(find('[data-chapter="06-rollouts"] time').getAttribute('datetime')).toBe(
      '2026-11-25T13:00:00+00:00'
    );
  });

  it('shows the figures of the course and says what time on task is', async () => {
    await show();
    const summary = part('Where you stand');
    expect(summary.textContent).toContain('13 of 25');
    expect(summary.textContent).toContain('1 of 3');
    expect(summary.textContent).toContain('3 weeks in a row, 5 in all');
    expect(summary.textContent).toContain('6 h 20 min');
    expect(summary.textContent).toContain('It shows presence, not thought');
  });

  it('says that time is not recorded rather than that there was none', async () => {
    service.given.set('rl', progress({ minutes: 0, minutes_by_day: {} }));
    await show();
    expect(part('Where you stand').textContent).toContain('0 min in the last 7 days');
    await React.act(async () =>
      root.render(
        <HomeArea model={model} client={service} lab={lab} mode="standard" isTimed={false} />
      )
    );
    expect(part('Where you stand').textContent).toContain('Not recorded');
    expect(part('Where you stand').textContent).not.toContain('0 min');
  });

  it('says what is next and why, and opens it', async () => {
    await show();
    expect(part('Next').textContent).toContain('Points to gain');
    expect(part('Next').textContent).toContain('1 of its 3 checks does not pass yet.');
    await press('Open Generalized advantages');
    expect(lab.opened).toEqual(['rl 05-gae gae']);
    expect(part('Next').textContent).toContain('05-gae.ipynb is open.');
    lab.refusal = new Error('Advantages is not open to students now.');
    await press('Open Generalized advantages');
    expect(part('Next').querySelector('[role=alert]')?.textContent).toContain('not open');
  });

  it('opens a chapter to its exercises with the checks that pass', async () => {
    await show('standard');
    const toggle = find('[data-chapter="05-gae"] .jp-PPO-homeToggle');
    const inside = (): HTMLElement => find('[data-chapter="05-gae"] .jp-PPO-homeInside');
    expect([toggle.getAttribute('aria-expanded'), inside().hidden]).toEqual(['false', true]);
    await React.act(async () => toggle.click());
    expect([toggle.getAttribute('aria-expanded'), inside().hidden]).toEqual(['true', false]);
    expect(toggle.getAttribute('aria-controls')).toBe(inside().id);
    expect(inside().textContent).toContain('2 of 3 checks');
    expect(inside().textContent).toContain('1 h 35 min on task of about 2 h');
    await press('Open exercise Generalized advantages');
    await press('Open chapter Advantages');
    expect(lab.opened).toEqual(['rl 05-gae gae', 'rl 05-gae whole']);
    await press('Open all');
    expect(node.querySelectorAll('.jp-PPO-homeInside[hidden]')).toHaveLength(0);
    expect(find('[data-chapter="06-rollouts"]').textContent).not.toContain('0 of');
  });

  it('shows no figure before it is known, and says why when it cannot be', async () => {
    let open: () => void = () => undefined;
    service.gate = new Promise(resolve => (open = resolve));
    await show();
    expect(node.textContent).toContain('Loading your progress…');
    expect(node.textContent).not.toMatch(/\d/);
    service.refusals.set('progress rl', new Error('The Jupyter server does not answer.'));
    await React.act(async () => open());
    await pass();
    expect(find('[role=alert]').textContent).toContain('does not answer');
    expect(node.textContent).not.toMatch(/\d/);
    service.refusals.clear();
    await press('Try again');
    expect(node.querySelector('[role=alert]')).toBeNull();
    expect(part('Where you stand').textContent).toContain('13 of 25');
  });

  it('keeps what it shows when a later answer does not come', async () => {
    await show();
    service.refusals.set('me', new Error('The Jupyter server does not answer.'));
    await pass(RENEWAL_MS);
    expect(find('[role=alert]').textContent).toContain('does not answer');
    expect(part('Where you stand').textContent).toContain('13 of 25');
  });

  it('is fetched anew while it is in sight, and not while it is hidden', async () => {
    await show();
    service.given.set('rl', progress({ points: 25 }));
    await pass(RENEWAL_MS);
    expect(part('Where you stand').textContent).toContain('25 of 25');
    model.setVisible(false);
    const { length } = service.asked;
    await pass(3 * RENEWAL_MS);
    expect(service.asked).toHaveLength(length);
  });

  it('one part that fails leaves the others and can be tried again', async () => {
    service.refusals.set('achievements rl', new Error('Something broke.'));
    service.runs = [run('r1')];
    await show();
    expect(part('Achievements').textContent).toContain('Something broke.');
    expect(part('My training runs').textContent).toContain('CartPole-v1');
    service.refusals.clear();
    await press('Try again');
    expect(part('Achievements').textContent).toContain('Exact advantages');
  });

  it('downloads the badge of an achievement that is held, and shows what others need', async () => {
    const unmet = { awarded_at: null, award_id: null };
    service.items = [
      achievement({
        id: 'far',
        title: 'Far',
        progress: { met: 0, of: 2, unit: 'criteria' },
        ...unmet
      }),
      achievement(),
      achievement({
        id: 'near',
        title: 'Near',
        progress: { met: 2, of: 3, unit: 'weeks' },
        ...unmet
      }),
      achievement({
        id: 'lost',
        title: 'Lost',
        revoked_at: '2026-11-21T11:00:00+00:00',
        revoked_because: 'It was marked again.'
      })
    ];
    await show();
    const items = [...part('Achievements').querySelectorAll('li')];
    expect(items.map(item => item.dataset['achievement'])).toEqual([
      'gae-exact',
      'lost',
      'near',
      'far'
    ]);
    expect(items[1]?.textContent).toMatch(/Taken back on .*: It was marked again\./);
    expect(items[2]?.textContent).toContain('2 of 3 weeks');
    expect(part('Achievements').querySelectorAll('.jp-PPO-homeDownload')).toHaveLength(1);
    await press('Download badge Exact advantages');
    expect(lab.saved).toEqual(['badge.jwt']);
    service.refusals.set('credential a1', new Error('award: it was taken back.'));
    await press('Download badge Exact advantages');
    expect(part('Achievements').querySelector('[role=alert]')?.textContent).toBe(
      'award: it was taken back.'
    );
  });

  it('shows runs, released feedback and the own places, and leads to them', async () => {
    service.runs = [run('r1', { name: 'wide net', state: 'running' }), run('r2')];
    service.attempts = [
      attempt({ id: 's3', attempt: 3, state: 'queued', points: null, released_at: null }),
      attempt()
    ];
    const entry = { assignment: 'a', env_id: 'CartPole-v1', low: 1, high: 3, episodes: 20 };
    service.board = {
      pseudonym: 'owl',
      items: [
        { ...entry, rank: 1, pseudonym: 'fox', own: false, mean: 500 },
        { ...entry, rank: 2, pseudonym: 'owl', own: true, mean: 490.25 }
      ]
    };
    await show();
    expect(part('My training runs').textContent).toContain('return 487.5, 24 hours ago');
    await press('wide net');
    expect(part('My feedback').querySelectorAll('li')).toHaveLength(1);
    await press('Feedback on Advantages, attempt 2');
    expect(part('Leaderboard').textContent).toContain('Place 2 of 2, mean return 490.3, as owl');
    await press('All training runs');
    await press('Preferences');
    expect(lab.opened).toEqual(['runs r1', 'feedback s2', 'runs all', 'preferences']);
  });

  it('hands out the own data and says what is kept', async () => {
    await show();
    expect(service.asked).not.toContain('privacy');
    const kept = part('My data').querySelector('details');
    await React.act(async () => {
      if (kept) {
        kept.open = true;
        kept.dispatchEvent(new Event('toggle'));
      }
    });
    await pass();
    expect(part('My data').textContent).toContain(
      'How long: 180 daysWhy: time on taskWho sees it: you'
    );
    await press('Download my data');
    expect(lab.saved).toEqual(['ada.zip']);
  });

  it('explains to the guided, shows to the others, and is compact for experts', async () => {
    await show('guided');
    expect(node.textContent).toContain('What the signs mean');
    expect(find('[data-chapter="05-gae"] .jp-PPO-homeInside').hidden).toBe(false);
    await show('standard');
    expect(node.querySelector('.jp-PPO-homeHint')).toBeNull();
    await show('expert');
    expect(find('.jp-PPO-homePage').className).toContain('jp-mod-expert');
    expect(part('Where you stand').textContent).toContain('It shows presence, not thought');
  });

  it('shows another course, and nothing of the one before', async () => {
    await show();
    await React.act(async () => {
      const select = find<HTMLSelectElement>('select');
      select.value = 'dl';
      select.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await pass();
    expect(node.textContent).toContain('No chapters are released yet.');
    expect(node.textContent).not.toContain('Advantages');
    expect(service.asked).toContain('achievements dl');
  });

  it('an answer that comes after another course was chosen is dropped', async () => {
    await show();
    let open: () => void = () => undefined;
    service.gate = new Promise(resolve => (open = resolve));
    await React.act(async () => void model.refresh());
    service.gate = Promise.resolve();
    await React.act(async () => model.selectCourse('dl'));
    await React.act(async () => open());
    await pass();
    expect(model.snapshot().course).toBe('dl');
    expect(model.snapshot().progress?.chapters).toEqual([]);
  });

  it('says so when one is in no course, when all is done, and when a chapter is not open', async () => {
    service.given.set(
      'rl',
      progress({ next: null, chapters: [chapter({ state: 'done', points: 5 })] })
    );
    await show();
    expect(part('Next').textContent).toContain('Every chapter is done.');
    const later = chapter({ opens_at: '2026-11-24T13:00:00+00:00', state: 'not_started' });
    service.given.set('rl', progress({ next: null, chapters: [later] }));
    await press('Refresh');
    expect(find('[data-chapter]').textContent).toContain('Opens in 2 days');
    await press('5. Advantages');
    expect(find<HTMLButtonElement>('[aria-label="Open chapter Advantages"]').disabled).toBe(true);
    service.person = { ...service.person, courses: [] };
    await press('Refresh');
    expect(node.textContent).toContain('You are not in a course yet.');
  });

  it('tells screen readers once it is there, and has nothing that they cannot read', async () => {
    service.runs = [run('r1')];
    service.attempts = [attempt()];
    await show();
    expect(find('.jp-PPO-hidden[role=status]').textContent).toBe(
      'Your progress is here: 13 of 25 points, 1 of 3 chapters done.'
    );
    jest.useRealTimers();
    const found = await axe.run(node, {
      resultTypes: ['violations'],
      rules: {
        // jsdom has no layout, and draws no letters.
        'color-contrast': { enabled: false },
        'label-content-name-mismatch': { enabled: false },
        region: { enabled: false }
      }
    });
    expect(found.violations.map(({ id, nodes }) => [id, nodes.map(each => each.html)])).toEqual([]);
  }, 60_000);
});
