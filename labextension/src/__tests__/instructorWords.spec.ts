import {
  changeText,
  countsText,
  durationText,
  extensionText,
  lateText,
  localInput,
  namesOf,
  utcTime
} from '../instructor/words';
import { differences, formOf, isTerms, termsOf } from '../instructor/termsModel';
import { batch, TERMS } from './instructorMemory';

it('says lengths of time in their units', () => {
  expect(durationText(0)).toBe('no time');
  expect(durationText(90_061)).toBe('1 day 1 hour 1 minute 1 second');
  expect(durationText(172_800)).toBe('2 days');
  expect(extensionText(0, 0)).toBe('nothing');
  expect(extensionText(3_600, 1)).toBe('1 hour, 1 attempt');
});

it('says what being late costs', () => {
  const late = { percent_per_day: 12.5, at_least_percent: 20, steps: [] };
  expect(lateText({ ...late, rule: 'none' })).toBe('nothing is taken off');
  expect(lateText({ ...late, rule: 'zero' })).toBe('late work scores zero');
  expect(lateText({ ...late, rule: 'per_day' })).toBe(
    '12.5 % off for each day begun, down to 20 %'
  );
  const steps = [{ after_seconds: 3_600, keep_percent: 50 }];
  expect(lateText({ ...late, rule: 'custom', steps })).toBe('after 1 hour 50 % is kept');
});

it('turns a time into a field of the browser and back', () => {
  for (const iso of ['2026-06-01T08:00:00.000Z', '2026-12-31T23:59:59.000Z']) {
    expect(utcTime(localInput(iso), null)).toBe(iso);
  }
  const exact = '2026-02-01T23:59:59.500000+00:00';
  expect(utcTime(localInput(exact), exact)).toBe(exact);
  expect(localInput(null)).toBe('');
  expect(utcTime('', exact)).toBeNull();
  expect(localInput('never')).toBe('');
});

it('reads names with commas, semicolons and line ends between them, each once', () => {
  expect(namesOf(' ada, bob;ada\n lab 2 \n,')).toEqual(['ada', 'bob', 'lab 2']);
});

it('says by how much points changed', () => {
  expect(changeText(1, 2.5)).toBe('+1.5');
  expect(changeText(2, 1.9)).toBe('−0.1');
  expect(changeText(2, 2)).toBe('');
  expect(changeText(null, 2)).toBe('');
});

it('says what became of a batch', () => {
  const wanted = { scope: 'all', newest_version: false, reason: '' } as const;
  expect(countsText(batch('gae', wanted, { done: 2, waiting: 0 }))).toBe('2 done');
  expect(countsText(batch('gae', wanted, {}))).toBe('nothing to do');
});

it('fills the form of the terms and reads it back unchanged', () => {
  expect(termsOf(formOf(TERMS), TERMS)).toEqual(TERMS);
  const steps = [{ after_seconds: 90_000, keep_percent: 33.3 }];
  const custom = { ...TERMS, late: { ...TERMS.late, rule: 'custom' as const, steps } };
  expect(termsOf(formOf(custom), custom)).toEqual(custom);
});

it.each([
  ['grace', '', 'grace_seconds'],
  ['grace', '-1', 'grace_seconds'],
  ['percent_per_day', '101', 'late.percent_per_day'],
  ['at_least_percent', 'x', 'late.at_least_percent'],
  ['max_attempts', '1.5', 'max_attempts'],
  ['max_attempts', '-1', 'max_attempts'],
  ['opens_at', '2027-01-01T00:00', 'due_at']
])('says that %s cannot be %j', (field, text, named) => {
  const made = termsOf({ ...formOf(TERMS), [field]: text }, TERMS);
  expect(isTerms(made)).toBe(false);
  expect(Object.keys(made)).toEqual([named]);
});

it('wants a line in a custom rule, and numbers in it', () => {
  const form = { ...formOf(TERMS), rule: 'custom' as const };
  expect(termsOf(form, TERMS)).toEqual({ 'late.steps': 'Add one line or more.' });
  const steps = [{ hours: '1', keep: '' }];
  expect(Object.keys(termsOf({ ...form, steps }, TERMS))).toEqual(['late.steps']);
});

it('names the terms in which two people differ', () => {
  const theirs = { ...TERMS, autograde: false, counting: 'best' as const };
  expect(differences(TERMS, theirs)).toEqual([
    { label: 'Attempt that counts', yours: 'the latest', theirs: 'the one with most points' },
    { label: 'Grading', yours: 'at once', theirs: 'when the staff asks for it' }
  ]);
});
