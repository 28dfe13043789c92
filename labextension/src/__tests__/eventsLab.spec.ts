import type { INotebookTracker } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';

import type { IValidationTrial } from '../course/types';
import { ValidationModel } from '../course/validationModel';
import { MINUTE_MS } from '../events/buffer';
import { LabEvents } from '../events/lab';
import { placesOf } from '../events/places';
import { FLUSH_MS } from '../events/recorder';
import { MemoryService } from './memory';
import { MemoryBrowser, MemoryLog, NOON } from './eventsMemory';

const MINUTE = NOON / MINUTE_MS;

/** A notebook that is open: its place in the page, its path and its cells. */
class MemoryPanel {
  readonly node = document.createElement('div');
  readonly content = document.createElement('textarea');
  readonly pathChanged = new Signal<this, string>(this);
  isDisposed = false;
  readonly context = {
    path: '',
    ready: Promise.resolve(),
    isReady: true,
    pathChanged: this.pathChanged
  };

  constructor(
    path: string,
    private readonly _gradeIds: string[]
  ) {
    this.context.path = path;
    this.node.append(this.content);
    document.body.append(this.node);
  }

  get model(): object {
    const cells = this._gradeIds.map(grade_id => ({
      getMetadata: () => ({ nbgrader: { grade_id } })
    }));
    return { sharedModel: { cells } };
  }
}

class MemoryTracker {
  readonly panels: MemoryPanel[] = [];
  readonly widgetAdded = new Signal<this, MemoryPanel>(this);

  forEach(act: (panel: MemoryPanel) => void): void {
    this.panels.forEach(act);
  }

  find(is: (panel: MemoryPanel) => boolean): MemoryPanel | undefined {
    return this.panels.find(is);
  }

  open(path: string, ...gradeIds: string[]): MemoryPanel {
    const panel = new MemoryPanel(path, gradeIds);
    this.panels.push(panel);
    this.widgetAdded.emit(panel);
    return panel;
  }
}

let service: MemoryLog;
let browser: MemoryBrowser;
let tracker: MemoryTracker;
let course: MemoryService;
let validation: ValidationModel;
let allowed: boolean | null;
let changed: () => void;
let events: LabEvents;
let visibility: DocumentVisibilityState;

async function pass(milliseconds: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(milliseconds);
}

async function start(): Promise<void> {
  events = new LabEvents({
    notebooks: tracker as unknown as INotebookTracker,
    client: service,
    validation,
    choice: {
      allowed: () => allowed,
      subscribe: listener => {
        changed = listener;
        return () => (changed = () => undefined);
      }
    },
    server: 'http://lab/',
    around: browser,
    isByHand: () => true // what a test dispatches is a program's
  });
  await pass(0);
}

beforeEach(() => {
  jest.useFakeTimers({ now: NOON });
  window.localStorage.clear();
  visibility = 'visible';
  Object.defineProperty(document, 'visibilityState', {
    configurable: true,
    get: () => visibility
  });
  service = new MemoryLog();
  browser = new MemoryBrowser();
  tracker = new MemoryTracker();
  course = new MemoryService();
  validation = new ValidationModel(course);
  allowed = true;
});

afterEach(() => {
  events.dispose();
  validation.dispose();
  tracker.panels.forEach(panel => panel.node.remove());
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

function act(panel: MemoryPanel, type = 'keydown'): void {
  panel.content.dispatchEvent(new Event(type, { bubbles: true }));
}

function kinds(): string[] {
  return [...service.log.values()].map(({ kind, assignment }) => `${kind} ${assignment}`);
}

describe('opened', () => {
  it('is told of a notebook that was open before, and of one that comes later, once', async () => {
    tracker.open('gae.ipynb', 'gae-1');
    await start();
    tracker.open('copy.ipynb', 'gae-1');
    tracker.open('notes.ipynb');
    await pass(2_000);
    expect(kinds()).toEqual(['opened gae']);
  });

  it('is told of an assignment that was released after the page was opened', async () => {
    await start();
    service.assignmentsOf['rl']?.push({
      name: 'ppo',
      exercises: [{ grade_id: 'ppo-1', kind: 'tests', points: 1 }]
    });
    tracker.open('ppo.ipynb', 'ppo-1');
    await pass(2_000);
    expect(kinds()).toEqual(['opened ppo']);
    const before = service.asked;
    tracker.panels[0]?.pathChanged.emit('other.ipynb');
    await pass(2_000);
    expect(service.asked).toBe(before);
  });

  it('comes although the service does not say at first who is here', async () => {
    const me = jest.spyOn(service, 'me').mockRejectedValueOnce(new Error('starting'));
    tracker.open('gae.ipynb', 'gae-1');
    await start();
    expect(me).toHaveBeenCalledTimes(1);
    await pass(10_000);
    expect(kinds()).toEqual(['opened gae']);
  });
});

describe('active', () => {
  it('holds each minute in which a key was pressed, a click or a scroll came', async () => {
    const panel = tracker.open('gae.ipynb', 'gae-1');
    await start();
    act(panel, 'keydown');
    act(panel, 'keydown');
    await pass(2 * MINUTE_MS);
    act(panel, 'pointerdown');
    act(panel, 'wheel');
    await pass(FLUSH_MS);
    act(panel, 'touchmove');
    await pass(FLUSH_MS + 2_000);
    expect(service.minutes()).toEqual([MINUTE, MINUTE + 2, MINUTE + 5]);
  });

  it('does not come from other places, hidden pages or programs', async () => {
    const panel = tracker.open('gae.ipynb', 'gae-1');
    const other = tracker.open('notes.ipynb');
    await start();
    act(other);
    document.body.dispatchEvent(new Event('keydown', { bubbles: true }));
    act(panel, 'scroll');
    act(panel, 'mousemove');
    visibility = 'hidden';
    act(panel);
    await pass(FLUSH_MS + 2_000);
    expect(service.minutes()).toEqual([]);
  });

  it('is not read from what programs dispatch', async () => {
    const panel = tracker.open('gae.ipynb', 'gae-1');
    await start();
    events.dispose();
    events = new LabEvents({
      notebooks: tracker as unknown as INotebookTracker,
      client: service,
      validation,
      choice: { allowed: () => true, subscribe: () => () => undefined },
      server: 'http://lab/',
      around: browser
    });
    await pass(0);
    act(panel);
    await pass(FLUSH_MS + 2_000);
    expect(service.minutes()).toEqual([]);
  });

  it('is handed on when the page is hidden, and sent when it is left', async () => {
    const panel = tracker.open('gae.ipynb', 'gae-1');
    await start();
    await pass(2_000);
    act(panel);
    visibility = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
    expect(window.localStorage.length).toBe(1);
    window.dispatchEvent(new Event('pagehide'));
    expect(service.keepalives).toEqual([false, true]);
    expect(service.minutes()).toEqual([MINUTE]);
    await pass(2_000);
    expect(window.localStorage.length).toBe(0);
  });

  it('counts in every course that has the notebook', async () => {
    service.assignmentsOf['again'] = service.assignmentsOf['rl'] ?? [];
    const panel = tracker.open('gae.ipynb', 'gae-1');
    await start();
    act(panel);
    await pass(FLUSH_MS + 2_000);
    const active = [...service.log.values()].filter(({ kind }) => kind === 'active');
    expect(active.map(event => event.course).sort()).toEqual(['again', 'rl']);
  });
});

describe('checked', () => {
  const done = (id: string, passed: number): IValidationTrial => ({
    id,
    state: 'done',
    error: null,
    result: { passed, total: 3, exercises: [], warnings: [], note: '' }
  });

  it('is told once when Validate has a result, with how many passed', async () => {
    await start();
    validation.setVisible(true);
    await validation.start('rl', 'gae', 'gae.ipynb', '{}');
    await pass(2_000);
    expect(service.log.size).toBe(0);
    course.tried = [done('trial-1', 2)];
    await pass(5_000);
    expect([...service.log.values()]).toMatchObject([
      { kind: 'checked', assignment: 'gae', data: { passed: 2, failed: 1 } }
    ]);
    await validation.start('rl', 'gae', 'gae.ipynb', '{}');
    course.tried[1] = done('trial-2', 3);
    await pass(5_000);
    expect(kinds()).toEqual(['checked gae', 'checked gae']);
  });

  it('is not told of a validation that could not be run', async () => {
    await start();
    validation.setVisible(true);
    await validation.start('rl', 'gae', 'gae.ipynb', '{}');
    course.tried = [{ id: 'trial-1', state: 'failed', error: 'The server stopped.', result: null }];
    await pass(5_000);
    expect(validation.snapshot().get('rl/gae')?.trial.state).toBe('failed');
    expect(service.log.size).toBe(0);
  });
});

describe('privacy', () => {
  it('keeps anything from being noted until it is known to be allowed', async () => {
    allowed = null;
    const panel = tracker.open('gae.ipynb', 'gae-1');
    await start();
    act(panel);
    await pass(FLUSH_MS + 2_000);
    expect(window.localStorage.length).toBe(0);
    allowed = true;
    changed();
    await pass(2_000);
    expect(kinds()).toEqual(['opened gae']);
    expect(service.minutes()).toEqual([]);
  });

  it('off notes and sends nothing', async () => {
    allowed = false;
    const panel = tracker.open('gae.ipynb', 'gae-1');
    await start();
    act(panel);
    course.tried = [];
    window.dispatchEvent(new Event('pagehide'));
    await pass(FLUSH_MS + 2_000);
    expect(service.batches).toEqual([]);
    expect(window.localStorage.length).toBe(0);
  });

  it('that is turned off forgets what waits, and turned on begins anew', async () => {
    service.failures = ['offline', 'offline'];
    const panel = tracker.open('gae.ipynb', 'gae-1');
    await start();
    act(panel);
    await pass(2_000);
    expect(window.localStorage.length).toBe(1);
    allowed = false;
    changed();
    expect(window.localStorage.length).toBe(0);
    await pass(60 * MINUTE_MS);
    expect(service.batches).toEqual([]);
    allowed = true;
    changed();
    act(panel);
    service.failures = [];
    await pass(FLUSH_MS + 2_000);
    expect(service.minutes()).toEqual([MINUTE + 60]);
  });
});

describe('the assignments of a notebook', () => {
  const known = (assignment: string, ...gradeIds: string[]) => ({
    course: 'rl',
    assignment,
    gradeIds: new Set(gradeIds)
  });
  const names = (path: string, ids: string[], ...all: ReturnType<typeof known>[]): string[] =>
    placesOf(path, new Set(ids), all).map(({ assignment }) => assignment);

  it('are those with most exercises in common', () => {
    const all = [known('one', 'a', 'b'), known('two', 'a', 'b', 'c')];
    expect(names('x.ipynb', ['a', 'b', 'c'], ...all)).toEqual(['two']);
    expect(names('x.ipynb', ['a', 'b'], ...all)).toEqual(['one']);
    expect(names('x.ipynb', ['z'], ...all)).toEqual([]);
  });

  it('follow from the file’s name when the exercises are the same', () => {
    const all = [known('ppo', 'a'), known('ppo-2', 'a')];
    expect(names('work/ppo.ipynb', ['a'], ...all)).toEqual(['ppo']);
    expect(names('ppo-2.ipynb', ['a'], ...all)).toEqual(['ppo-2']);
    expect(names('ppo-1.ipynb', ['a'], ...all)).toEqual(['ppo']);
    expect(names('mine.ipynb', ['a'], ...all)).toEqual([]);
  });
});

it('makes nothing of a panel that is closed before its notebook is there', async () => {
  await start();
  tracker.open('gae.ipynb', 'gae-1').isDisposed = true;
  await pass(5_000);
  expect(service.log.size).toBe(0);
});
