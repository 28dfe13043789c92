Object.assign(globalThis, { DragEvent: class extends MouseEvent {} }); // jsdom has none

import { readBundle, RUN_MIME } from '../picture/bundle';
import { bundle, display, FakeNotebook, OutputModel, settled } from './pictureHost';

let notebook: FakeNotebook;

beforeEach(() => {
  jest.useFakeTimers();
  notebook = new FakeNotebook();
  notebook.connect();
});

afterEach(() => {
  notebook.output.dispose();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const notice = (): string => notebook.find('.jp-PPO-picture-text').textContent ?? '';
const button = (): HTMLButtonElement => notebook.find('button') as HTMLButtonElement;
const image = (): HTMLImageElement => notebook.find('img') as HTMLImageElement;

/** A run whose live view is there. */
async function liveRun(modelId = 'one'): Promise<OutputModel> {
  const model = new OutputModel(bundle(modelId));
  await notebook.render(model);
  notebook.view?.show_();
  await settled();
  return model;
}

/** A run whose kernel was restarted. */
async function savedRun(): Promise<OutputModel> {
  const model = await liveRun();
  notebook.statusChanged.emit('restarting');
  await settled();
  return model;
}

test('The picture is there at once and the live view takes its place when it is there', async () => {
  await notebook.render(new OutputModel(bundle('one', '<svg id="charts"/>')));
  expect(notebook.pictureIsShown).toBe(true);
  expect(decodeURIComponent(image().src)).toContain('<svg id="charts"/>');
  expect(image().alt).toContain('CartPole-v1, seed 3');
  expect(notice()).toBe('');
  expect(notebook.view?.modelId).toBe('one');
  expect(notebook.view?.hasClass('jp-PPO-view-waiting')).toBe(true);

  notebook.view?.show_();
  await settled();
  expect(notebook.pictureIsShown).toBe(false);
  expect(notebook.view?.hasClass('jp-PPO-view-waiting')).toBe(false);
});

test('A widget that the kernel does not know leaves the picture with a button', async () => {
  await notebook.render(new OutputModel(bundle('one')));
  notebook.view?.fail();
  await settled();
  expect(notebook.pictureIsShown).toBe(true);
  expect(notice()).toBe('Saved picture.');
  expect(button().hidden).toBe(false);
});

test('A view that takes long is announced and still comes', async () => {
  await notebook.render(new OutputModel(bundle('one')));
  jest.advanceTimersByTime(6000);
  expect(notice()).toContain('when the kernel answers');
  notebook.view?.show_();
  await settled();
  expect(notebook.state).toBe('live');
});

test('A view that is restored from the notebook without its kernel is no live view', async () => {
  await notebook.render(new OutputModel(bundle('one')));
  notebook.view?.show_();
  notebook.view?.disconnect();
  await settled();
  expect(notebook.state).toBe('gone');
  expect(notebook.pictureIsShown).toBe(true);
});

test.each(['restarting', 'autorestarting', 'dead'])(
  'The picture is back when the kernel is %s, and the dead widget is not tried again',
  async status => {
    const model = await liveRun();
    notebook.statusChanged.emit(status);
    expect(notebook.pictureIsShown).toBe(true);
    expect(button().hidden).toBe(false);

    await notebook.render(model);
    expect(notebook.views).toHaveLength(1);
  }
);

test('The picture is back when the notebook gets another kernel, not when it finds its own', async () => {
  await liveRun();
  notebook.kernelChanged.emit({ oldValue: null, newValue: { id: 'a' } });
  notebook.kernelChanged.emit({ oldValue: { id: 'a' }, newValue: { id: 'a' } });
  expect(notebook.state).toBe('live');
  notebook.kernelChanged.emit({ oldValue: { id: 'a' }, newValue: { id: 'b' } });
  expect(notebook.state).toBe('gone');
});

test('The picture is back when the widget is closed', async () => {
  await liveRun();
  notebook.view?.end();
  await settled();
  expect(notebook.state).toBe('gone');
});

test('A newer picture of the same widget leaves the live view alone', async () => {
  const model = await liveRun();
  model.data = bundle('one', '<svg id="newer"/>');
  await notebook.render(model);
  expect(notebook.views).toHaveLength(1);
  expect(notebook.state).toBe('live');
  expect(image().src).toContain('newer');
});

test('A newer picture reaches the notebook also after the page was loaded again', async () => {
  const model = await liveRun();
  const newer = bundle('one', '<svg id="newer"/>');
  notebook.iopubMessage.emit(display('update_display_data', bundle('another', '<svg id="x"/>')));
  notebook.iopubMessage.emit(display('update_display_data', newer));
  expect(model.written).toEqual([newer]);
});

test('Show live lets the kernel show the folder and puts the new view into the notebook', async () => {
  const model = await savedRun();
  notebook.displays = bundle('two', '<svg id="two"/>');
  button().click();
  expect(button().disabled).toBe(true);
  await settled();
  expect(notebook.executed).toEqual([
    '__import__("jupyter_ppo").LiveRun("/home/me/runs/a").show()'
  ]);
  expect(model.written).toEqual([notebook.displays]);
  expect(notebook.view?.modelId).toBe('two');
  notebook.view?.show_();
  await settled();
  expect(notebook.state).toBe('live');
});

test('Show live starts a kernel when the notebook has none', async () => {
  await savedRun();
  notebook.hasKernel = false;
  notebook.displays = bundle('two');
  button().click();
  await settled();
  expect(notebook.executed).toHaveLength(1);
});

test('What the kernel says against it stands below the picture, and it can be tried again', async () => {
  await savedRun();
  notebook.reply = { status: 'error', ename: 'NotFoundError', evalue: 'The folder was removed.' };
  button().click();
  await settled();
  expect(notebook.find('[role=alert]').textContent).toBe('The folder was removed.');
  expect(button().disabled).toBe(false);

  notebook.reply = { status: 'ok' };
  notebook.displays = bundle('two');
  button().click();
  await settled();
  notebook.view?.show_();
  await settled();
  expect(notebook.find('[role=alert]').textContent).toBe('');
});

test('A notebook that is not trusted shows the picture, and a view only of what was asked for', async () => {
  const model = new OutputModel(bundle('one'));
  model.trusted = false;
  await notebook.render(model);
  expect(notebook.views).toHaveLength(0);
  expect(notebook.state).toBe('gone');

  notebook.displays = bundle('two');
  button().click();
  await settled();
  expect(notebook.view?.modelId).toBe('two');
});

test('The picture waits for the widget manager, and says so when there is none', async () => {
  notebook.hasWidgets = false;
  await notebook.render(new OutputModel(bundle('one')));
  jest.advanceTimersByTime(200);
  expect(notebook.views).toHaveLength(0);
  notebook.hasWidgets = true;
  jest.advanceTimersByTime(200);
  expect(notebook.views).toHaveLength(1);

  const other = new OutputModel(bundle('two'));
  notebook.hasWidgets = false;
  await notebook.render(other);
  jest.advanceTimersByTime(15_000);
  expect(notice()).toContain('cannot show widgets');
});

/** The code that shows what was saved so. */
const codeOf = (saved: Record<string, unknown>): string | undefined =>
  readBundle({ [RUN_MIME]: { format: 1, ...saved } })?.code;

test('A folder with any name stays one Python string', () => {
  expect(codeOf({ directory: '/a "b"\\c\n' })).toBe(
    '__import__("jupyter_ppo").LiveRun("/a \\"b\\"\\\\c\\n").show()'
  );
});

test('A board is shown again from its folder or from its runs', () => {
  expect(codeOf({ directory: '/runs', runs: [] })).toBe(
    '__import__("jupyter_ppo").RunBoard("/runs", statistic=None).show()'
  );
  expect(codeOf({ directory: '', runs: ['/a', '/b'], statistic: 'median_iqr' })).toBe(
    '__import__("jupyter_ppo").RunBoard(["/a","/b"], statistic="median_iqr").show()'
  );
  expect(codeOf({ runs: [1] })).toBeUndefined();
});

test('A bundle of a newer layout is not read', () => {
  const data = bundle('one');
  expect(readBundle(data)?.code).toContain('/home/me/runs/a');
  expect(readBundle({ ...data, [RUN_MIME]: { format: 2, directory: '/a' } })).toBeNull();
  expect(readBundle({ 'text/plain': 'text' })).toBeNull();
});

test('A picture that a file keeps as lines is joined', () => {
  const data = { ...bundle('one'), 'image/svg+xml': ['<svg>', '</svg>'] };
  expect(readBundle(data)?.svg).toBe('<svg></svg>');
});
