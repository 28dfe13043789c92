import { answerKey } from '../live/keyboard';
import type { IKeyTarget } from '../live/keyboard';
import { inside, panned, revealing, zoomed } from '../live/zoom';

const full = { from: 0, to: 1000 };

describe('The range of steps', () => {
  it('stays inside of what there is', () => {
    expect(inside({ from: -50, to: 150 }, full)).toEqual({ from: 0, to: 200 });
    expect(inside({ from: 900, to: 1200 }, full)).toEqual({ from: 700, to: 1000 });
  });

  it('is "all" when nothing is left out', () => {
    expect(inside({ from: -1, to: 1001 }, full)).toBeNull();
    expect(zoomed({ from: 100, to: 900 }, 2, 500, full)).toBeNull();
  });

  it('keeps the step under the pointer where it is', () => {
    const range = zoomed(full, 0.5, 250, full);
    expect(range).toEqual({ from: 125, to: 625 });
    expect((250 - 125) / 500).toBe(250 / 1000);
  });

  it('never shows less than a few steps', () => {
    let range = { from: 0, to: 1000 };
    for (let time = 0; time < 40; time += 1) {
      range = zoomed(range, 0.5, 500, full) ?? range;
    }
    expect(range.to - range.from).toBeCloseTo(4);
  });

  it('pans without changing its width, and stops at the ends', () => {
    expect(panned({ from: 100, to: 200 }, 0.8, full)).toEqual({ from: 180, to: 280 });
    expect(panned({ from: 100, to: 200 }, -5, full)).toEqual({ from: 0, to: 100 });
  });

  it('follows a cursor that leaves it', () => {
    expect(revealing({ from: 100, to: 200 }, 150, full)).toEqual({ from: 100, to: 200 });
    expect(revealing({ from: 100, to: 200 }, 400, full)).toEqual({ from: 350, to: 450 });
  });
});

describe('A key on a chart', () => {
  function press(key: string, options: KeyboardEventInit = {}): [string[], KeyboardEvent, boolean] {
    const done: string[] = [];
    const target: IKeyTarget = {
      step: points => done.push(`step ${points}`),
      zoom: factor => done.push(`zoom ${factor}`),
      pan: share => done.push(`pan ${share}`),
      all: () => done.push('all'),
      table: () => done.push('table'),
      leave: () => done.push('leave') > 0
    };
    const event = new KeyboardEvent('keydown', { key, cancelable: true, ...options });
    return [done, event, answerKey(event, target)];
  }

  it.each([
    ['ArrowLeft', 'step -1'],
    ['ArrowRight', 'step 1'],
    ['Home', 'step -Infinity'],
    ['End', 'step Infinity'],
    ['+', 'zoom 0.5'],
    ['-', 'zoom 2'],
    ['PageUp', 'pan -0.8'],
    ['PageDown', 'pan 0.8'],
    ['0', 'all'],
    ['t', 'table'],
    ['Escape', 'leave']
  ])('%s means %s, and nobody else sees it', (key, action) => {
    const [done, event, answered] = press(key);
    expect(done).toEqual([action]);
    expect(answered).toBe(true);
    expect(event.defaultPrevented).toBe(true);
  });

  it('moves by ten with Shift', () => {
    expect(press('ArrowRight', { shiftKey: true })[0]).toEqual(['step 10']);
  });

  it('is left to the page when it means nothing here', () => {
    for (const [key, options] of [
      ['a', {}],
      ['Tab', {}],
      ['0', { ctrlKey: true }],
      ['ArrowLeft', { altKey: true }]
    ] as const) {
      const [done, event, answered] = press(key, options);
      expect([done, answered, event.defaultPrevented]).toEqual([[], false, false]);
    }
  });
});
