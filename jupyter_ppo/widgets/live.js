// The live view of a training run: an anywidget module, plain SVG, no library.
//
// The kernel sends rows of three float64 values: number of the series, step, value. A message says
// at which row it starts; a view that missed some (new, or messages were dropped) asks for all.

const SVG = 'http://www.w3.org/2000/svg';
const DRAW_INTERVAL_MS = 100;
const TABLE_ROWS = 200;
const MARGIN = { left: 48, right: 10, top: 8, bottom: 34 };
const NAMES = { return: 'episode', mean_return: 'mean of last 100 episodes' };
const STATES = {
  starting: 'Starting', running: 'Running', paused: 'Paused', finished: 'Finished',
  stopped: 'Stopped', failed: 'Failed',
};
const ENABLED = { // the states in which a button makes sense
  pause: ['starting', 'running'], resume: ['paused'], stop: ['starting', 'running', 'paused'],
};

// ---------------------------------------------------------------- numbers and words

/** Format for a reader: enough digits to tell values apart, no noise. */
export function formatValue(value) {
  if (!Number.isFinite(value)) return 'undefined';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2);
  return Number(value.toPrecision(4)).toLocaleString('en-US', { maximumFractionDigits: 8 });
}

/** Format a step as an axis label: 0, 500, 20k, 1.5M. */
export function formatStep(step) {
  if (step >= 1e6) return `${Number((step / 1e6).toPrecision(3))}M`;
  if (step >= 1e4) return `${Number((step / 1e3).toPrecision(3))}k`;
  return step.toLocaleString('en-US');
}

/** Format a duration in seconds: "8 s", "3 min 20 s", "1 h 5 min". */
export function formatDuration(seconds) {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** The line under the progress bar. */
export function progressText(snapshot) {
  const { step, planned_steps: planned, steps_per_second: rate, seconds_left: left } = snapshot;
  if (snapshot.state === 'starting') return 'Loading PyTorch and making the environments …';
  const parts = [
    `${Math.floor((100 * step) / planned)} %`,
    `${step.toLocaleString('en-US')} of ${planned.toLocaleString('en-US')} steps`,
  ];
  if (snapshot.state === 'paused') return [...parts, 'paused'].join(' · '); // no speed, no end
  if (rate > 0) parts.push(`${Math.round(rate).toLocaleString('en-US')} steps/s`);
  if (left !== null) parts.push(`about ${formatDuration(left)} left`);
  else parts.push(`trained for ${formatDuration(snapshot.seconds)}`);
  return parts.join(' · ');
}

/** Round numbers that cover [low, high], about `count` of them. */
export function niceTicks(low, high, count) {
  if (!(high > low)) {
    const pad = Math.abs(low) * 0.1 || 1;
    return niceTicks(low - pad, low + pad, count);
  }
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
  const ticks = [];
  for (let k = Math.floor(low / unit); ; k += 1) {
    ticks.push(Number((k * unit).toPrecision(12)));
    if (k * unit >= high - unit * 1e-9) return ticks;
  }
}

/** Index of the point whose step is nearest; points are sorted by step. */
export function nearest(points, step) {
  let low = 0;
  let high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < step) low = middle;
    else high = middle;
  }
  if (high < 0) return -1;
  return step - points[low][0] <= points[high][0] - step ? low : high;
}

// ---------------------------------------------------------------- data

/** Holds the rows of one view, split by series. */
export class Store {
  constructor(names) {
    this.names = names;
    this.clear();
  }

  clear() {
    this.rows = 0;
    this.series = Object.fromEntries(this.names.map((name) => [name, []]));
  }

  /** Take a message's rows; return false if rows before them are missing. */
  add(start, values) {
    if (start > this.rows) return false;
    for (let row = this.rows - start; row * 3 < values.length; row += 1) {
      const name = this.names[values[row * 3]];
      this.series[name]?.push([values[row * 3 + 1], values[row * 3 + 2]]);
      this.rows += 1;
    }
    return true;
  }
}

/** A message's buffer as float64; it may be a view at an unaligned offset. */
function asFloat64(buffer) {
  const bytes = buffer.buffer
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);
  return new Float64Array(bytes.slice().buffer);
}

// ---------------------------------------------------------------- drawing

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const element = (tag, attributes = {}, ...children) =>
  build(document.createElement(tag), attributes, children);
const shape = (tag, attributes, ...children) =>
  build(document.createElementNS(SVG, tag), attributes, children);

/** SVG path of a line; per pixel column only its first, lowest, highest and last point. */
export function linePath(points, x, y) {
  const parts = [];
  let column = [];
  const flush = () => {
    const heights = column.map((point) => point[1]);
    const [low, high] = [Math.min(...heights), Math.max(...heights)];
    const kept = new Set([0, heights.indexOf(low), heights.indexOf(high), column.length - 1]);
    for (const index of [...kept].sort((a, b) => a - b)) parts.push(column[index].join(' '));
  };
  for (const [step, value] of points) {
    if (!Number.isFinite(value)) continue;
    const at = [x(step).toFixed(1), Number(y(value).toFixed(1))];
    if (column.length && Math.floor(column[0][0]) !== Math.floor(at[0])) {
      flush();
      column = [];
    }
    column.push(at);
  }
  if (column.length) flush();
  if (parts.length === 1) return `M${parts[0]}h0.01`;
  return parts.length ? `M${parts.join('L')}` : '';
}

/** SVG path of dots, one per occupied pixel. */
export function dotPath(points, x, y) {
  const pixels = new Set();
  for (const [step, value] of points) {
    if (Number.isFinite(value)) pixels.add(`${Math.round(x(step))} ${Math.round(y(value))}`);
  }
  return [...pixels].map((pixel) => `M${pixel}h0.01`).join('');
}

function range(rows) {
  let [low, high, last] = [Infinity, -Infinity, 0];
  for (const [step, value] of rows.flat()) {
    last = Math.max(last, step);
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, high, last };
}

/** One chart: a figure with a caption, a readout and an SVG. */
class Chart {
  constructor(description, store) {
    const { title, unit, metrics } = description;
    this.description = description;
    this.store = store;
    this.height = metrics.length > 1 ? 220 : 160;
    this.cursor = null; // index into the main series, or null for "latest"
    this.readout = element('span', { class: 'ppo-live-readout' });
    this.svg = shape('svg', {
      class: 'ppo-live-chart', 'data-metric': metrics[0], 'data-points': 0, tabindex: 0, role: 'img',
      'aria-label': `${title} (${unit}) over environment steps: no data yet`,
    });
    const caption = element('figcaption', {}, element('b', {}, title),
      element('span', { class: 'ppo-live-unit' }, unit));
    if (metrics.length > 1) {
      caption.append(element('span', { class: 'ppo-live-key' }, NAMES[metrics[0]]),
        element('span', { class: 'ppo-live-key', 'data-mark': 'line' }, NAMES[metrics[1]]));
    }
    caption.append(this.readout);
    this.node = element('figure', { class: 'ppo-live-figure' }, caption, this.svg);
    this.svg.addEventListener('pointermove', (event) => this.point(event));
    this.svg.addEventListener('pointerleave', () => this.moveTo(null));
    this.svg.addEventListener('blur', () => this.moveTo(null));
    this.svg.addEventListener('keydown', (event) => this.key(event));
  }

  get rows() { return this.description.metrics.map((name) => this.store.series[name]); }

  get main() { return this.rows[0]; }

  count() { this.svg.setAttribute('data-points', this.main.length); }

  point(event) {
    if (!this.main.length || !this.scale) return;
    const left = event.clientX - this.svg.getBoundingClientRect().left;
    this.moveTo(nearest(this.main, this.scale.stepAt(left)));
  }

  key(event) {
    const last = this.main.length - 1;
    const now = this.cursor ?? last;
    const moves = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last,
      PageUp: now - 20, PageDown: now + 20 };
    const target = moves[event.key];
    if (event.key === 'Escape') this.moveTo(null);
    if (target === undefined || last < 0) return;
    event.preventDefault();
    event.stopPropagation(); // else JupyterLab moves to another cell
    this.moveTo(Math.min(Math.max(target, 0), last));
  }

  moveTo(index) { this.cursor = index; this.draw(); }

  text() {
    const index = this.cursor ?? this.main.length - 1;
    if (index < 0) return '';
    const [step, value] = this.main[index];
    let text = `step ${step.toLocaleString('en-US')}: ${formatValue(value)}`;
    const mean = this.rows[1];
    if (mean?.length) {
      const at = this.cursor === null ? mean.length - 1 : nearest(mean, step);
      text += ` (mean ${formatValue(mean[at][1])})`;
    }
    return text;
  }

  draw() {
    const width = Math.max(this.svg.clientWidth || 320, 120);
    const { left, right, top, bottom } = MARGIN;
    const { low, high, last } = range(this.rows);
    const height = this.height;
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.svg.setAttribute('height', height);
    const base = height - bottom;
    const nodes = [];
    if (low === Infinity) {
      this.scale = null;
      nodes.push(shape('path', { class: 'ppo-live-grid', d: `M${left} ${top}V${base}H${width - right}` }),
        shape('text', { x: left + 10, y: top + 18 }, 'no data yet'));
    } else {
      const yTicks = niceTicks(low, high, height > 200 ? 5 : 3);
      const x1 = Math.max(last, 1);
      const xTicks = niceTicks(0, x1, Math.max(2, Math.floor(width / 80))).filter((tick) => tick <= x1);
      const [y0, y1] = [yTicks[0], yTicks[yTicks.length - 1]];
      const x = (step) => left + ((width - left - right) * step) / x1;
      const y = (value) => base - ((base - top) * (value - y0)) / (y1 - y0);
      this.scale = { stepAt: (pixel) => ((pixel - left) * x1) / (width - left - right) };
      const grid = yTicks.map((tick) => `M${left} ${y(tick)}H${width - right}`).join('');
      nodes.push(shape('path', { class: 'ppo-live-grid', d: grid }));
      for (const tick of yTicks) {
        nodes.push(shape('text', { x: left - 6, y: y(tick) + 4, 'text-anchor': 'end' }, formatValue(tick)));
      }
      for (const tick of xTicks) {
        nodes.push(shape('text', { x: x(tick), y: base + 15, 'text-anchor': 'middle' }, formatStep(tick)));
      }
      this.rows.forEach((points, number) => {
        const dots = this.rows.length > 1 && number === 0;
        nodes.push(shape('path', {
          class: dots ? 'ppo-live-dots' : 'ppo-live-line',
          d: dots ? dotPath(points, x, y) : linePath(points, x, y),
        }));
      });
      const marked = this.cursor === null ? undefined : this.main[this.cursor];
      if (marked) {
        nodes.push(shape('path', { class: 'ppo-live-cursor', d: `M${x(marked[0])} ${top}V${base}` }));
        if (Number.isFinite(marked[1])) {
          nodes.push(shape('circle', { class: 'ppo-live-mark', cx: x(marked[0]), cy: y(marked[1]), r: 3.5 }));
        }
      }
    }
    const middle = (left + width - right) / 2;
    nodes.push(shape('text', { x: middle, y: height - 4, 'text-anchor': 'middle' }, 'environment steps'));
    this.svg.replaceChildren(...nodes);
    this.readout.textContent = this.text();
    const { title, unit } = this.description;
    this.svg.setAttribute('aria-label', `${title} (${unit}) over environment steps: ${
      this.text() || 'no data yet'}. Arrow keys read single values.`);
  }
}

// ---------------------------------------------------------------- the view

/** The newest updates as a table, for screen readers and for copying. */
function buildTable(store, charts) {
  const names = charts.flatMap((chart) => chart.metrics).filter((name) => name !== 'return');
  const steps = store.series.approx_kl.map((point) => point[0]).slice(-TABLE_ROWS).reverse();
  const columns = names.map((name) => new Map(store.series[name]));
  const cell = (value) => element('td', {}, value === undefined ? '' : formatValue(value));
  const head = element('tr', {}, ...['step', ...names].map(
    (name) => element('th', { scope: 'col' }, name.replaceAll('_', ' '))));
  const body = steps.map((step) => element('tr', {},
    element('td', {}, step.toLocaleString('en-US')),
    ...columns.map((column) => cell(column.get(step)))));
  return element('table', {}, element('caption', {}, `The newest ${steps.length} updates`),
    element('thead', {}, head), element('tbody', {}, ...body));
}

function makeHeader(model) {
  const state = element('span', { class: 'ppo-live-state', role: 'status', 'aria-live': 'polite' });
  const buttons = Object.fromEntries(['Pause', 'Resume', 'Stop'].map((label) => {
    const command = label.toLowerCase();
    const button = element('button', { type: 'button', class: `ppo-live-${command}`,
      'aria-label': `${label} the training` }, label);
    button.addEventListener('click', () => {
      model.send({ type: 'command', command });
      // Shown as taken at once; the next state enables what makes sense then.
      button.disabled = true;
    });
    return [command, button];
  }));
  const node = element('div', { class: 'ppo-live-header' },
    element('span', { class: 'ppo-live-title' }, model.get('title')), state,
    element('div', { class: 'ppo-live-buttons', role: 'group', 'aria-label': 'Training' },
      ...Object.values(buttons)));
  return { node, state, buttons };
}

function render({ model, el }) {
  const descriptions = model.get('charts');
  const store = new Store(model.get('series_names'));
  const charts = descriptions.map((description) => new Chart(description, store));
  const header = makeHeader(model);
  const progress = element('progress', { class: 'ppo-live-progress', max: 100,
    'aria-label': 'Training progress' });
  const numbers = element('div', { class: 'ppo-live-numbers' });
  const message = element('div', { class: 'ppo-live-message', role: 'alert' });
  const table = element('div', { class: 'ppo-live-table' });
  const details = element('details', {}, element('summary', {}, 'Numbers as a table'), table);
  const root = element('section', { class: 'ppo-live', 'aria-label': model.get('title') },
    header.node, progress, numbers, message,
    element('div', { class: 'ppo-live-charts' }, ...charts.map((chart) => chart.node)), details);
  let timer = null;
  let shown = null;

  const draw = () => {
    timer = null;
    charts.forEach((chart) => chart.draw());
    if (details.open) table.replaceChildren(buildTable(store, descriptions));
  };
  const drawSoon = () => { timer ??= setTimeout(draw, DRAW_INTERVAL_MS); };
  const showSnapshot = () => {
    const snapshot = model.get('snapshot');
    root.setAttribute('data-state', snapshot.state);
    if (snapshot.state !== shown) { // only then: a live region is read aloud
      shown = snapshot.state;
      header.state.textContent = STATES[snapshot.state];
      header.state.setAttribute('data-state', snapshot.state);
      for (const [command, button] of Object.entries(header.buttons)) {
        button.disabled = !ENABLED[command].includes(snapshot.state);
      }
    }
    progress.value = (100 * snapshot.step) / snapshot.planned_steps;
    numbers.textContent = progressText(snapshot);
    if (message.textContent !== snapshot.message) message.textContent = snapshot.message;
  };
  const onMessage = (content, buffers) => {
    if (content.type !== 'rows') return;
    if (!store.add(content.start, asFloat64(buffers[0]))) model.send({ type: 'history' });
    charts.forEach((chart) => chart.count());
    drawSoon();
  };

  model.on('change:snapshot', showSnapshot);
  model.on('msg:custom', onMessage);
  details.addEventListener('toggle', drawSoon);
  const resized = new ResizeObserver(drawSoon);
  resized.observe(el);
  el.append(root);
  showSnapshot();
  draw();
  model.send({ type: 'history' });
  return () => {
    clearTimeout(timer);
    resized.disconnect();
    model.off('change:snapshot', showSnapshot);
    model.off('msg:custom', onMessage);
  };
}

export default { render };
