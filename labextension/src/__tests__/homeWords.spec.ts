import {
  dueNext,
  exactText,
  inOrder,
  minutesText,
  momentOf,
  needsText,
  pointsOf,
  recentMinutes,
  weeksText
} from '../home/words';
import { achievement, chapter, NOW } from './homeMemory';

describe('the words of My course', () => {
  it('minutes read as hours and minutes', () => {
    expect([0, 45, 60, 380].map(minutesText)).toEqual(['0 min', '45 min', '1 h', '6 h 20 min']);
  });

  it('the last seven days are counted, and none before', () => {
    const byDay = { '2026-11-22': 5, '2026-11-16': 20, '2026-11-15': 400 };
    expect(recentMinutes(byDay, NOW)).toBe(25);
    expect(recentMinutes({}, NOW)).toBe(0);
  });

  it('weeks say what there is and never what is missing', () => {
    expect(weeksText({ current: 3, longest: 3, total: 5 })).toBe('3 weeks in a row, 5 in all');
    expect(weeksText({ current: 1, longest: 1, total: 1 })).toBe('1 week in a row, 1 in all');
    expect(weeksText({ current: 0, longest: 4, total: 6 })).toBe('6 weeks');
    expect(weeksText({ current: 0, longest: 0, total: 0 })).toBe('None yet');
  });

  it('points that are not known are no zero', () => {
    expect(pointsOf({ points: null, max_points: 10 })).toBe('10 points');
    expect(pointsOf({ points: 0, max_points: 10 })).toBe('0 / 10');
    expect(pointsOf({ points: 7.5, max_points: 10 })).toBe('7.5 / 10');
  });

  it('an exact time names its day, minute and time zone', () => {
    expect(exactText('2026-11-25T13:05:00Z', 'en-GB', 'Europe/Berlin')).toBe(
      'Wed, 25 Nov 2026, 14:05 CET'
    );
    expect(exactText('soon')).toBe('soon');
  });

  it('of a chapter the one date that matters now is said', () => {
    const at = (days: number): string => new Date(NOW + days * 86_400_000).toISOString();
    const say = (changed: Parameters<typeof chapter>[0]): string | null =>
      momentOf(chapter(changed), NOW)?.text ?? null;
    expect(say({})).toBeNull();
    expect(say({ opens_at: at(3), due_at: at(9) })).toBe('Opens in 3 days');
    expect(say({ opens_at: at(-3), due_at: at(5), closes_at: at(9) })).toBe('Due in 5 days');
    expect(say({ due_at: at(-5), closes_at: at(4) })).toBe('Closes in 4 days');
    expect(say({ due_at: at(-5), closes_at: at(-4) })).toBe('Closed 4 days ago');
    expect(say({ due_at: at(-5) })).toBe('Was due 5 days ago');
    expect(say({ due_at: at(5), state: 'done' })).toBeNull();
  });

  it('what is due next is neither past nor handed in', () => {
    const due = (assignment: string, due_at: string | null, state = 'not_started' as const) =>
      chapter({ assignment, due_at, state });
    const found = dueNext(
      [
        due('late', '2026-11-29T12:00:00+00:00'),
        due('soon', '2026-11-23T12:00:00+00:00'),
        due('past', '2026-11-21T12:00:00+00:00'),
        due('never', null),
        chapter({ assignment: 'sent', state: 'handed_in', due_at: '2026-11-23T12:00:00+00:00' })
      ],
      NOW
    );
    expect(found.map(({ assignment }) => assignment)).toEqual(['soon', 'late']);
  });

  it('what an achievement needs is counted in its own unit', () => {
    const say = (met: number, of: number, unit: string): string => needsText({ met, of, unit });
    expect(say(2, 4, 'checks')).toBe('2 of 4 checks');
    expect(say(0, 1, 'chapters')).toBe('0 of 1 chapter');
    expect(say(0, 2, 'criteria')).toBe('0 of 2 conditions');
  });

  it('achievements that are held come first, then the nearest', () => {
    const open = { awarded_at: null, award_id: null };
    const sorted = inOrder([
      achievement({ id: 'none', progress: { met: 0, of: 0, unit: 'checks' }, ...open }),
      achievement({ id: 'half', progress: { met: 1, of: 2, unit: 'checks' }, ...open }),
      achievement({ id: 'old', awarded_at: '2026-01-01T00:00:00+00:00' }),
      achievement({ id: 'new', awarded_at: '2026-02-01T00:00:00+00:00' })
    ]);
    expect(sorted.map(({ id }) => id)).toEqual(['new', 'old', 'half', 'none']);
  });
});
