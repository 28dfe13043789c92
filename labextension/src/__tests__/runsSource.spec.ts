import type { FollowedSeries, RunRow } from '../live/runsSource';
import { ACTIVE_MS, ALL_MS, RestRunsSource } from '../runs/restSource';
import { LONGEST_WAIT_MS } from '../runs/stream';
import type { IRunEvent } from '../runs/types';
import { MemoryRuns, point, progressOf } from './runsMemory';

let service: MemoryRuns;
let source: RestRunsSource;

beforeEach(async () => {
  jest.useFakeTimers();
  service = new MemoryRuns();
  source = await RestRunsSource.load(service);
});

afterEach(() => {
  source.dispose();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const pass = (milliseconds = 0): Promise<void> => jest.advanceTimersByTimeAsync(milliseconds);

function rowOf(id: string): RunRow {
  const row = source.row(id);
  if (row === null) {
    throw new Error(`There is no ${id}.`);
  }
  return row;
}

function curve(track: FollowedSeries, metric = 'return'): [number, number][] {
  const { steps, values } = track.points(metric);
  return [...steps].map((step, i) => [step, values[i] ?? NaN]);
}

function event(kind: IRunEvent['kind'], step: number, message: string): IRunEvent {
  return { at: '2026-01-02T03:04:05+00:00', kind, step, message, data: {} };
}

async function following(id: string): Promise<{ track: FollowedSeries; end: () => void }> {
  const track = source.track(id);
  const end = track.follow(() => undefined);
  await pass();
  return { track, end };
}

describe('the rows', () => {
  it('come soon after somebody listens, and those that did not change stay the same', async () => {
    service.add('a', { name: 'wide', tags: ['x'], mean_return: 5 });
    service.add('b', { state: 'finished', step: 1000 });
    const listener = jest.fn();
    const end = source.onRows(listener);
    await pass();
    expect(listener).toHaveBeenCalled();
    const [first, second] = source.rows() as [RunRow, RunRow];
    expect([first.name, first.tags, first.meanReturn, first.seed]).toEqual(['wide', ['x'], 5, 0]);
    Object.assign(service.list[0] ?? {}, { mean_return: 6 });
    await pass(ACTIVE_MS);
    expect(rowOf('a').meanReturn).toBe(6);
    expect(rowOf('a')).not.toBe(first);
    expect(rowOf('b')).toBe(second);
    end();
  });

  it('asks often for runs that go on only, and now and then for all', async () => {
    service.add('a');
    service.add('b', { state: 'finished' });
    const end = source.onRows(() => undefined);
    await pass();
    service.asked.length = 0;
    await pass(ACTIVE_MS);
    expect(service.asked).toEqual(['run a']);
    service.add('c');
    await pass(ALL_MS);
    expect(service.asked).toContain('runs');
    expect(rowOf('c').envId).toBe('CartPole-v1');
    service.asked.length = 0;
    source.setVisible(false);
    await pass(10 * ALL_MS);
    expect(service.asked).toEqual([]);
    source.setVisible(true);
    await pass();
    expect(service.asked).toEqual(['runs']);
    end();
    await pass(10 * ALL_MS);
    expect(service.asked).toHaveLength(1);
  });

  it('say why they cannot be had, until they can', async () => {
    service.refusal = new Error('The server does not answer.');
    const end = source.onRows(() => undefined);
    await pass();
    expect(source.problem).toBe('The server does not answer.');
    await pass(ALL_MS);
    expect(source.problem).toBeNull();
    end();
  });
});

describe('a track', () => {
  it('of an ended run comes whole, without a stream', async () => {
    service.add('a', { state: 'finished' });
    service.measure('a', point(1, 10), point(2, null), point(2, 7, 'length'), point(3, 0.5, 'own'));
    service.happened.set('a', [event('changed', 2, 'learning_rate 0.1'), event('state', 3, '')]);
    await source.refresh();
    const { track, end } = await following('a');
    expect(curve(track)).toEqual([
      [1, 10],
      [2, NaN]
    ]);
    expect(track.names()).toEqual(['return', 'own']); // no chart shows the length
    expect(rowOf('a').changes).toEqual([{ step: 2, text: 'learning_rate 0.1' }]);
    expect(service.sockets).toEqual([]);
    end();
  });

  it('goes on over the stream from where REST ended, and takes back what was rewound', async () => {
    service.add('a');
    service.measure('a', point(100, 1), point(200, 2));
    const onChange = jest.fn();
    const track = source.track('a');
    const end = track.follow(onChange);
    await pass();
    expect(service.socket.since).toBe(2);
    const { version } = track;
    onChange.mockClear();
    const items = [point(300, 3), { rewind: 200 }, point(250, 4)];
    service.socket.send({ type: 'points', cursor: 5, items });
    expect(onChange).toHaveBeenCalledTimes(1);
    expect(track.version).toBeGreaterThan(version);
    expect(curve(track)).toEqual([
      [100, 1],
      [200, 2],
      [250, 4]
    ]);
    end();
    expect(service.socket.isClosed).toBe(true);
  });

  it('is whole again after the laptop was closed, whether the run goes on or has ended', async () => {
    service.add('a');
    service.measure('a', point(100, 1));
    const { track, end } = await following('a');
    service.socket.send({ type: 'points', cursor: 2, items: [point(200, 2)] });
    end();
    service.measure('a', point(200, 2), point(300, 3));
    Object.assign(service.list[0] ?? {}, { state: 'finished' });
    service.asked.length = 0;
    const again = await following('a');
    expect(again.track).toBe(track);
    expect(curve(track).map(([step]) => step)).toEqual([100, 200, 300]);
    expect(service.asked).not.toContain('series a 5000');
    again.end();
  });

  it('lets go of its points a minute after the last look, and loads them for the next', async () => {
    service.add('a', { state: 'finished' });
    service.measure('a', point(100, 1));
    const { track, end } = await following('a');
    end();
    await pass(59_000);
    expect(curve(track)).toEqual([[100, 1]]);
    await pass(2_000);
    expect(curve(track)).toEqual([]);
    const again = await following('a');
    expect(curve(again.track)).toEqual([[100, 1]]);
    again.end();
  });

  it('has every point of a long run, though its picture came first', async () => {
    service.add('a', { state: 'finished' });
    const long = Array.from({ length: 15_000 }, (_, i) => point(i, i % 7));
    service.items.set('a', long);
    const cursorOfBytes = service.series.bind(service);
    service.series = async (id, points) => ({ ...(await cursorOfBytes(id, points)), cursor: 5e5 });
    const { track, end } = await following('a');
    expect(service.asked.filter(each => each.startsWith('metrics'))).toEqual([
      'metrics a 0',
      'metrics a 10000',
      'metrics a 15000',
      'metrics a 15000'
    ]);
    expect(track.points('return').steps).toHaveLength(15_000);
    end();
  });

  it('tells what the stream says of the run, and that the connection is lost', async () => {
    service.add('a');
    const rows = source.onRows(() => undefined);
    const { end } = await following('a');
    const status = { type: 'status', position: null, message: '' } as const;
    service.socket.send({ ...status, state: 'paused', progress: progressOf(640) });
    expect([rowOf('a').state, rowOf('a').step]).toEqual(['paused', 640]);
    await source.refresh(); // the list is behind
    expect([rowOf('a').state, rowOf('a').step]).toEqual(['paused', 640]);
    service.socket.break();
    await pass(1);
    expect(source.details('a').isLost).toBe(true);
    await pass(LONGEST_WAIT_MS);
    service.socket.send({ ...status, state: 'running', progress: progressOf(700) });
    expect(source.details('a').isLost).toBe(false);
    end();
    rows();
  });

  it('follows a run again that goes on after its end', async () => {
    service.add('a');
    service.measure('a', point(100, 1));
    const rows = source.onRows(() => undefined);
    const { track, end } = await following('a');
    service.socket.send({ type: 'end' });
    Object.assign(service.list[0] ?? {}, { state: 'finished' });
    await pass(ALL_MS);
    expect(service.sockets).toHaveLength(1);
    Object.assign(service.list[0] ?? {}, { state: 'queued' });
    await source.command('a', 'extend', { total_steps: 2000 });
    expect(service.commands).toEqual([['a', 'extend', { total_steps: 2000 }]]);
    expect(service.sockets).toHaveLength(2);
    expect(service.socket.since).toBe(1);
    service.socket.send({ type: 'points', cursor: 2, items: [point(200, 2)] });
    expect(curve(track)).toHaveLength(2);
    end();
    rows();
  });

  it('tries again when it cannot be loaded', async () => {
    service.add('a', { state: 'finished' });
    service.measure('a', point(100, 1));
    service.refusal = new Error('The server does not answer.');
    const { track, end } = await following('a');
    expect([source.details('a').isLost, curve(track)]).toEqual([true, []]);
    await pass(LONGEST_WAIT_MS);
    expect([source.details('a').isLost, curve(track).length]).toEqual([false, 1]);
    end();
  });

  it('leaves the list when its run was deleted elsewhere', async () => {
    service.add('a');
    const rows = source.onRows(() => undefined);
    await pass();
    const { end } = await following('a');
    service.list.length = 0;
    service.socket.break(4404, 'It was deleted.');
    await pass();
    expect(source.row('a')).toBeNull();
    end();
    rows();
  });
});

describe('actions', () => {
  it('ask for the bands of all charts at once', async () => {
    const band = { ids: ['a', 'b'], steps: [1, 2], centre: [1, null], low: [0, 0], high: [2, 2] };
    service.bands = [
      { ...band, metric: 'return' },
      { ...band, metric: 'entropy', steps: [] }
    ];
    const asked = ['return', 'entropy'].map(metric =>
      source.bands(['a', 'b'], metric, 'median_iqr')
    );
    await pass();
    const [returns, entropies] = await Promise.all(asked);
    expect(service.aggregated).toEqual(['a,b return,entropy median_iqr']);
    expect([...(returns?.[0]?.centre ?? [])]).toEqual([1, NaN]);
    expect(entropies).toEqual([]);
    service.refusal = new Error('Too many runs.');
    const refused = source.bands(['a'], 'return', 'iqm_bootstrap');
    const heard = expect(refused).rejects.toThrow('Too many runs.');
    await pass();
    await heard;
  });

  it('rename and delete, and show it at once', async () => {
    service.add('a');
    service.add('b', { state: 'finished' });
    const rows = source.onRows(() => undefined);
    await pass();
    await source.rename('a', 'wide', ['t']);
    expect([rowOf('a').name, rowOf('a').tags]).toEqual(['wide', ['t']]);
    await source.delete('b');
    expect(source.rows().map(row => row.id)).toEqual(['a']);
    service.refusal = new Error('A worker is at it.');
    await expect(source.delete('a')).rejects.toThrow('A worker is at it.');
    expect(source.rows()).toHaveLength(1);
    rows();
  });

  it('hand the model and every point to the browser as files', async () => {
    service.add('a', { name: 'a/b' });
    service.measure('a', point(1, 10), point(2, 20), { rewind: 1 }, point(2, 5, 'length'));
    await source.refresh();
    const files: [string, Blob][] = [];
    let data = new Blob();
    URL.createObjectURL = (blob: Blob): string => {
      data = blob;
      return 'blob:x';
    };
    URL.revokeObjectURL = () => undefined;
    const click = jest.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
      this: HTMLAnchorElement
    ) {
      files.push([this.download, data]);
    });
    await source.download('a', 'model');
    await source.download('a', 'metrics');
    click.mockRestore();
    expect(files.map(([name]) => name)).toEqual(['a.zip', 'a-b.csv']);
    const text = await new Promise<string>(resolve => {
      const reader = new FileReader();
      reader.onload = () => resolve(String(reader.result));
      reader.readAsText(files[1]?.[1] ?? new Blob());
      void pass(100);
    });
    expect(text).toBe('step,return,length\r\n1,10,\r\n2,,5\r\n');
    service.refusal = new Error('This run has no model yet.');
    await expect(source.download('a', 'model')).rejects.toThrow('no model yet');
  });
});
