import { base64Of, bytesOf } from '../course/base64';
import { latenessText, relativeText } from '../course/words';
import type { ISubmission } from '../types';

const NOW = new Date('2026-03-01T12:00:00+00:00').getTime();

it.each([
  ['2026-03-04T11:59:59+00:00', 'in 2 days'],
  ['2026-03-03T11:59:59+00:00', 'in 47 hours'],
  ['2026-03-01T13:59:59+00:00', 'in 119 minutes'],
  ['2026-03-01T12:00:30+00:00', 'now'],
  ['2026-03-01T11:59:59+00:00', 'just now'],
  ['2026-03-01T11:59:01+00:00', 'just now'],
  ['2026-03-01T11:58:00+00:00', '2 minutes ago'],
  ['2026-02-20T12:00:00+00:00', '9 days ago'],
  ['soon', '']
])('%s is %s', (iso, text) => {
  expect(relativeText(iso, NOW, 'en')).toBe(text);
});

it.each([
  [0, 0, null],
  [30, 0, '30 seconds late'],
  [90_061, 1, '1 day 1 hour 1 minute late, 1 point off']
])('%d seconds late and %d points are "%s"', (late_seconds, penalty, text) => {
  expect(latenessText({ late_seconds, penalty } as ISubmission)).toBe(text);
});

it('bytes survive base64, also many', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 256);
  expect(bytesOf(base64Of(bytes))).toEqual(bytes);
  expect(bytesOf('AAH/\nAA==\n')).toEqual(Uint8Array.of(0, 1, 255, 0));
});
