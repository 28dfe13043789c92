import { coloured, confined } from '../confine';
import {
  isPending,
  pointsLabel,
  pointsText,
  receiptText,
  scoreText,
  stateText,
  timeText
} from '../format';
import type { ISubmission } from '../types';

function submission(change: Partial<ISubmission>): ISubmission {
  return {
    id: '1',
    course: 'rl',
    assignment: 'ppo',
    version: 1,
    user: 'ada',
    attempt: 1,
    digest: '',
    state: 'queued',
    submitted_at: '2026-01-02T03:04:05+00:00',
    warnings: [],
    error: null,
    points: null,
    max_points: null,
    unsealed_points: 0,
    needs_review: false,
    kind: 'notebook',
    attempt_state: change.state ?? 'queued',
    late_seconds: 0,
    penalty: 0,
    counts: true,
    released_at: null,
    queue_position: null,
    ...change
  };
}

describe('stateText', () => {
  it('says it for every state', () => {
    expect(stateText(null)).toBe('Not submitted');
    expect(stateText(submission({ state: 'submitted' }))).toBe('Submitted');
    expect(stateText(submission({}))).toBe('Queued');
    expect(stateText(submission({ queue_position: 3 }))).toBe('Queued, place 3');
    expect(stateText(submission({ state: 'grading' }))).toBe('Grading');
    expect(stateText(submission({ state: 'graded' }))).toBe('Graded, not released yet');
    const released = { state: 'graded', attempt_state: 'released' } as const;
    expect(stateText(submission(released))).toBe('Graded and released');
    expect(stateText(submission({ ...released, needs_review: true }))).toContain('awaits review');
    expect(stateText(submission({ state: 'failed', error: 'No image.' }))).toBe(
      'Failed: No image.'
    );
    expect(stateText(submission({ state: 'failed' }))).toContain('ask your instructor');
  });
});

describe('scoreText', () => {
  it('is empty until there are points', () => {
    expect(scoreText(null)).toBeNull();
    expect(scoreText(submission({}))).toBeNull();
  });

  it('shows zero points', () => {
    expect(scoreText(submission({ points: 0, max_points: 10 }))).toBe('0 / 10');
  });

  it('shows partial credit without noise', () => {
    expect(scoreText(submission({ points: 0.1 + 0.2, max_points: 10 }))).toBe('0.3 / 10');
  });
});

it('points have a singular', () => {
  expect(pointsLabel(1)).toBe('1 point');
  expect(pointsLabel(2.5)).toBe('2.5 points');
  expect(pointsText(10)).toBe('10');
});

it('times are shown to the second in the time zone of the reader, which is named', () => {
  const text = timeText('2026-01-02T23:04:05+00:00', 'en-GB', 'Asia/Tokyo');
  expect(text).toContain('3 Jan 2026');
  expect(text).toContain('08:04:05');
  expect(text).toContain('GMT+9');
});

it('a time that cannot be read is shown as it came', () => {
  expect(timeText('soon')).toBe('soon');
});

it('a receipt names the attempt, its time and the file where that is known', () => {
  const received = submission({ attempt: 3 });
  expect(receiptText(received)).toBe(`Attempt 3 received on ${timeText(received.submitted_at)}`);
  expect(receiptText(received, 'a.ipynb')).toMatch(/: a\.ipynb$/);
});

it('only queued and grading submissions are pending', () => {
  const pending = (['queued', 'grading', 'graded', 'failed'] as const).filter(state =>
    isPending(submission({ state }))
  );
  expect(pending).toEqual(['queued', 'grading']);
});

describe('confined', () => {
  it.each([
    '<!DOCTYPE html>\n<html lang="en"><head><title>t</title></head><body>b</body></html>',
    '<html><body>b</body></html>',
    '<p>only a fragment</p>',
    ''
  ])('puts the policy before anything that loads: %p', html => {
    const page = new DOMParser().parseFromString(confined(html), 'text/html');
    const first = page.head.firstElementChild;
    expect(first?.getAttribute('http-equiv')).toBe('Content-Security-Policy');
    expect(first?.getAttribute('content')).toContain("default-src 'none'");
    expect(page.head.querySelector('base')?.getAttribute('href')).toBe('about:srcdoc');
    expect(page.body.textContent).toBe(
      new DOMParser().parseFromString(html, 'text/html').body.textContent
    );
  });

  it('keeps the page out of quirks mode', () => {
    expect(confined('<!doctype html><html></html>')).toMatch(/^<!doctype html>/);
  });
});

describe('coloured', () => {
  const PAGE = `<!DOCTYPE html>
<html lang="en"><head><title>t</title><style>
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) { body { color: white; } }
@media screen and (prefers-color-scheme: light) { body { color: black; } }
</style></head><body><pre>@media (prefers-color-scheme: dark)</pre></body></html>`;

  function styleOf(html: string): string {
    const page = new DOMParser().parseFromString(html, 'text/html');
    return [...page.querySelectorAll('style')].map(style => style.textContent).join('');
  }

  it('answers what the page asks about the theme', () => {
    const dark = styleOf(coloured(PAGE, 'dark'));
    expect(dark).toContain('@media (min-width: 0) { body { color: white; } }');
    expect(dark).toContain('@media screen and (max-width: 0) { body { color: black; } }');
    expect(dark).toMatch(/:root { color-scheme: dark; }$/);
    const light = styleOf(coloured(PAGE, 'light'));
    expect(light).toContain('@media (max-width: 0) { body { color: white; } }');
    expect(light).toMatch(/:root { color-scheme: light; }$/);
  });

  it("leaves the student's words alone, and the page out of quirks mode", () => {
    const page = coloured(PAGE, 'dark');
    expect(page).toContain('<pre>@media (prefers-color-scheme: dark)</pre>');
    expect(confined(page)).toMatch(/^<!doctype html>\s*<html lang="en"><head><meta/i);
  });
});
