import { EventCutter } from '../tutor/stream';

const STREAM = ': awake\n\nevent: text\ndata: {"text": "Größe"}\n\nevent: done\r\ndata: {}\r\n\r\n';
const EVENTS = [
  { event: 'text', data: '{"text": "Größe"}' },
  { event: 'done', data: '{}' }
];

test('events are the same however the text is cut', () => {
  for (let size = 1; size <= STREAM.length; size += 1) {
    const cutter = new EventCutter();
    const found = [];
    for (let start = 0; start < STREAM.length; start += size) {
      found.push(...cutter.push(STREAM.slice(start, start + size)));
    }
    expect(found).toEqual(EVENTS);
  }
});

test('an event that is not complete is not told', () => {
  expect(new EventCutter().push('event: text\ndata: {"text": "a"}\n')).toEqual([]);
});

test('lines of data are joined, and fields that are not known are passed over', () => {
  expect(new EventCutter().push('id: 1\ndata: a\ndata:b\n\n')).toEqual([
    { event: 'message', data: 'a\nb' }
  ]);
});
