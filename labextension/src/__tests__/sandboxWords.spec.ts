import {
  agoText,
  dataText,
  healthText,
  hintText,
  limitText,
  secondsText,
  visible
} from '../sandbox/words';

const NOW = Date.parse('2026-01-02T12:00:00Z');

it.each([
  ['2026-01-02T12:00:09Z', 'now'],
  ['2026-01-02T11:59:59Z', '1 second ago'],
  ['2026-01-02T11:30:01Z', '29 minutes ago'],
  ['2026-01-02T09:00:00Z', '3 hours ago'],
  ['2026-01-01T11:00:00Z', 'yesterday'],
  ['soon', 'soon']
])('%s is %s', (time, text) => {
  expect(agoText(time, NOW, 'en')).toBe(text);
});

it('durations are as exact as they are long', () => {
  expect([0.0004, 0.0126, 3.14159, 120].map(secondsText)).toEqual([
    '0 s',
    '0.013 s',
    '3.1 s',
    '120 s'
  ]);
});

it('a limit in bytes reads in KiB or MiB, and one that is not known as it came', () => {
  const hit = { name: 'output_bytes', value: 2 ** 20, unit: 'bytes' };
  expect(limitText(hit, null)).toBe('The limit was reached. Output: 1 MiB. Print less.');
  expect(limitText({ ...hit, value: 1536 }, null)).toContain('1.5 KiB');
  const memory = { name: 'memory', value: 64, unit: 'MiB' };
  expect(limitText(memory, null)).toContain('raise Memory.');
  const other = { name: 'other', value: 3, unit: 'things' };
  expect(limitText(other, null)).toBe('The limit was reached. other: 3 things.');
});

it('plain data is JSON to the last digit', () => {
  expect(dataText({ a: [BigInt('-12345678901234567890'), '1', null] })).toBe(
    '{\n  "a": [\n    -12345678901234567890,\n    "1",\n    null\n  ]\n}'
  );
  expect(dataText('<b>')).toBe('"<b>"');
});

it('control characters show, lines and tabs stay', () => {
  expect(visible('a\tb\nc\u0000\u001b[1m\r\u007fé')).toBe('a\tb\nc␀␛[1m␍␡é');
});

it('the state names what is missing', () => {
  const pool = { ready: 0, size: 0 };
  expect(healthText({ engine: true, image: true, pool }, null)).toBe('Ready');
  expect(healthText({ engine: true, image: false, pool }, null)).toBe(
    'No sandbox image. Programs cannot run here now.'
  );
});

it.each([
  ['EOFError', 'EOF when reading a line', 'input() found nothing to read.'],
  ['socket.gaierror', '[Errno -3]', 'There is no network here.'],
  ['urllib.error.URLError', '<urlopen error>', 'There is no network here.'],
  ['OSError', '[Errno 101] Network is unreachable', 'There is no network here.']
])('says what %s comes from', (type, message, text) => {
  expect(hintText(type, message, false)).toContain(text);
});

it('says nothing of an error that is the program’s own', () => {
  expect(hintText('EOFError', 'Ran out of input', false)).toBeNull();
  expect(hintText('ValueError', null, false)).toBeNull();
  expect(hintText(null, null, true)).toBeNull();
});
