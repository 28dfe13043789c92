import { newNotices, noticesOf } from '../notices/notices';
import type { IEarned, INotice, ITold } from '../notices/notices';
import { EVERY_MS, NoticeWatcher } from '../notices/watcher';
import type { INoticesClient } from '../notices/watcher';
import { PreferencesModel } from '../preferences/model';
import { DEFAULTS } from '../preferences/types';
import type { IAssignment, IMe, ISubmission } from '../types';
import { MemoryService } from './memory';
import { MemoryPreferences } from './preferencesMemory';

const NOW = Date.parse('2026-01-02T12:00:00Z');
const WANTED = DEFAULTS.notifications;

let service: MemoryService;

beforeEach(() => {
  jest.useFakeTimers({ now: NOW });
  service = new MemoryService();
});

afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const award = (change: Partial<IEarned> = {}): IEarned => ({
  id: 'gae',
  title: 'GAE exact',
  awarded_at: '2026-01-01T00:00:00Z',
  revoked_at: null,
  ...change
});

async function assignment(due: string | null): Promise<IAssignment> {
  const [first] = await service.assignments('rl');
  return { ...(first as IAssignment), due_at: due };
}

async function attempt(change: Partial<ISubmission>): Promise<ISubmission> {
  return { ...(await service.submit('rl', 'rl-first', 'text')), ...change };
}

const facts = { course: 'rl', assignments: [], submissions: [], achievements: [] };

it.each([
  ['2026-01-02T17:00:00Z', 1],
  ['2026-01-03T12:00:00Z', 1],
  ['2026-01-03T12:00:01Z', 0],
  ['2026-01-02T12:00:00Z', 0],
  ['2026-01-01T12:00:00Z', 0],
  [null, 0]
])('tells what is due within a day: %s', async (due, count) => {
  const assignments = [await assignment(due)];
  expect(noticesOf({ ...facts, assignments }, NOW)).toHaveLength(count);
  const submissions = [await attempt({})];
  expect(noticesOf({ ...facts, assignments, submissions }, NOW)).toEqual([]);
});

it('says when it is due, what came of an attempt, and which achievement it is', async () => {
  const assignments = [{ ...(await assignment('2026-01-02T17:00:00Z')), name: 'second' }];
  const graded = await attempt({ state: 'graded', points: 7, max_points: 10 });
  const waits = await attempt({ state: 'graded', points: null });
  const achievements = [
    award(),
    award({ id: 'two', awarded_at: null }),
    award({ id: 'three', revoked_at: '2026-01-02T00:00:00Z' })
  ];
  const found = noticesOf(
    { course: 'rl', assignments, submissions: [graded, waits], achievements },
    NOW
  );
  expect(found.map(({ text }) => text)).toEqual([
    expect.stringMatching(/^second is due in 5 h/),
    'Feedback on rl-first is there: 7 / 10 points.',
    'You have a new achievement: GAE exact.'
  ]);
  expect(new Set(found.map(({ key }) => key)).size).toBe(3);
});

it('tells each thing once, as far as it is wanted, and nothing of long ago', () => {
  const notice = (key: string, kind: INotice['kind']): INotice => ({
    key,
    kind,
    text: key,
    course: 'rl'
  });
  const found = [notice('a', 'feedback'), notice('b', 'due'), notice('c', 'achievements')];
  const told = (user: string, ...keys: string[]): ITold => ({ user, keys });
  const news = (before: ITold | null, wanted = WANTED): string[] =>
    newNotices('ada', found, before, wanted).news.map(({ key }) => key);
  expect(news(null)).toEqual(['b']);
  expect(news(told('bob', 'a', 'b', 'c'))).toEqual(['b']);
  expect(news(told('ada', 'b'))).toEqual(['a', 'c']);
  expect(news(told('ada', 'b'), { ...WANTED, feedback: false })).toEqual(['c']);
  const after = newNotices('ada', found, told('ada', 'old'), { ...WANTED, due: false }).told;
  expect(after).toEqual(told('ada', 'a', 'b', 'c'));
});

describe('the watcher', () => {
  let kept: unknown;
  let said: string[];
  let asked: number;
  let preferences: MemoryPreferences;
  let watcher: NoticeWatcher;
  let achievements: IEarned[];

  const start = async (): Promise<void> => {
    const client: INoticesClient = {
      me: async (): Promise<IMe> => {
        asked += 1;
        return service.me();
      },
      assignments: course => service.assignments(course),
      submissions: (course, user) => service.submissions(course, user),
      achievements: async () => ({ items: achievements })
    };
    const store = { load: async () => kept, save: async (told: ITold) => (kept = told) };
    const model = new PreferencesModel(preferences);
    watcher = new NoticeWatcher(client, model, store, notice => said.push(notice.kind));
    watcher.start();
    await jest.advanceTimersByTimeAsync(0);
  };

  beforeEach(() => {
    kept = undefined;
    said = [];
    asked = 0;
    achievements = [];
    preferences = new MemoryPreferences();
  });

  afterEach(() => watcher.dispose());

  it('looks again from time to time, and tells nothing twice, also after a reload', async () => {
    achievements = [award()];
    await start();
    expect(said).toEqual([]);
    achievements = [award(), award({ id: 'two' })];
    await jest.advanceTimersByTimeAsync(EVERY_MS);
    expect(said).toEqual(['achievements']);
    await jest.advanceTimersByTimeAsync(3 * EVERY_MS);
    expect([said.length, asked]).toEqual([1, 5]);
    watcher.dispose();
    await start();
    expect(said).toEqual(['achievements']);
  });

  it('asks nothing when all is switched off, and tells staff nothing', async () => {
    preferences.elsewhere({ notifications: { feedback: false, due: false, achievements: false } });
    await start();
    expect(asked).toBe(0);
    watcher.dispose();
    preferences = new MemoryPreferences();
    service.person.courses = [{ name: 'rl', title: 'RL', role: 'grader' }];
    kept = { user: 'ada', keys: [] };
    achievements = [award()];
    await start();
    expect([asked, said]).toEqual([1, []]);
  });

  it('rests while nobody looks and when the server does not answer', async () => {
    const hidden = jest.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    await start();
    await jest.advanceTimersByTimeAsync(2 * EVERY_MS);
    expect(asked).toBe(0);
    hidden.mockReturnValue('visible');
    document.dispatchEvent(new Event('visibilitychange'));
    await jest.advanceTimersByTimeAsync(0);
    expect(asked).toBe(1);
    service.me = async () => Promise.reject(new Error('no answer'));
    achievements = [award()];
    await jest.advanceTimersByTimeAsync(EVERY_MS);
    expect([asked, said]).toEqual([2, []]);
    hidden.mockRestore();
  });
});
