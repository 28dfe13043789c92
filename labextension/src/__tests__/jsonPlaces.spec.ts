import { JsonProblem, lineOf, nearestPlace, placesIn } from '../instructor/jsonPlaces';

const TEXT = `[
  {"id": "a", "criteria": [{"kind": "weeks", "data": {"count": -1.5e3}}]},
  {"id": "\\u00e9\\n", "on": [true, null, {}, []]}
]`;

function part(path: string): string | null {
  const span = nearestPlace(placesIn(TEXT, 'rules'), path);
  return span === null ? null : TEXT.slice(span.start, span.end);
}

it('knows where each value stands', () => {
  expect(part('rules')).toBe(TEXT);
  expect(part('rules[0].criteria[0].data.count')).toBe('-1.5e3');
  expect(part('rules[1].id')).toBe('"\\u00e9\\n"');
  expect(part('rules[1].on[3]')).toBe('[]');
});

it('gives what is around a place that is not there', () => {
  expect(part('rules[0].criteria[0].data.keys[2]')).toBe('{"count": -1.5e3}');
  expect(part('rules[7].title')).toBe(TEXT);
  expect(part('other')).toBeNull();
});

it('counts lines from one', () => {
  expect(lineOf(TEXT, 0)).toBe(1);
  expect(lineOf(TEXT, TEXT.indexOf('on'))).toBe(3);
});

it('takes what JSON takes, and nothing else', () => {
  const texts = [
    '0',
    '-0.5E+2',
    '""',
    ' [ ] ',
    '{"a":{"b":[1,2]}}',
    '"\\"\\\\\\/"',
    'true',
    '"\x7f\x80\u2028😀"'
  ];
  texts.forEach(text => {
    JSON.parse(text);
    placesIn(text, 'x');
  });
  const broken = ['', '[1,]', '[1 2]', '{a:1}', '{"a"}', '{"a":1,}', '01', '.5', "'a'", '[', '1 1'];
  [...broken, '"\n"', '"\\x"', 'nul', '+1', '[1}', '\u00a01'].forEach(text => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(() => placesIn(text, 'x')).toThrow(JsonProblem);
  });
});

it('says what is wrong and where', () => {
  const problem = (text: string): [string, number] => {
    try {
      placesIn(text, 'x');
    } catch (error) {
      return [(error as JsonProblem).message, (error as JsonProblem).at];
    }
    return ['', -1];
  };
  expect(problem('[1 2]')).toEqual(['Here there is 2, where a comma or ] should be.', 3]);
  expect(problem('{"a": ')).toEqual(['Here the text ends, where a value should be.', 6]);
  expect(problem('{"a": 1, "a": 2}')).toEqual(['"a" is there twice.', 9]);
  expect(problem('['.repeat(10_000))[0]).toContain('more than 100 brackets');
});
