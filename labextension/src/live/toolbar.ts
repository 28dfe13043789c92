/** Smoothing, logarithmic scale and zoom of all charts of a board, and what the keys do. */
import { KEYS_HELP, POINTER_HELP } from './keyboard';
import { exactStep } from './readout';
import type { BoardSettings } from './types';
import type { IRange } from './zoom';

/** The windows that the slider offers, in points. */
const WINDOWS: readonly number[] = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000];

/** What the smoothing does, in a sentence; empty when it is off. */
export function smoothingSentence(window: number): string {
  if (window <= 1) {
    return '';
  }
  const before = window === 2 ? 'the one before it' : `the ${exactStep(window - 1)} before it`;
  return `Each point is the mean of itself and ${before}; the raw line stays faint behind.`;
}

/** What the toolbar can ask for. */
export interface IToolbarActions {
  /** `done` is false while the slider is still held. */
  smoothing(window: number, done: boolean): void;
  logScale(on: boolean): void;
  zoom(factor: number): void;
  all(): void;
}

let made = 0;

function button(text: string, label: string, act: () => void): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.className = 'ppo-button';
  element.textContent = text;
  if (label !== text) {
    element.setAttribute('aria-label', label);
    element.title = label;
  }
  element.addEventListener('click', act);
  return element;
}

function helpList(rows: readonly (readonly [string, string])[]): HTMLElement {
  const list = document.createElement('dl');
  for (const [keys, does] of rows) {
    const term = document.createElement('dt');
    const words = document.createElement('dd');
    term.textContent = keys;
    words.textContent = does;
    list.append(term, words);
  }
  return list;
}

/** The row above the charts. */
export class Toolbar {
  readonly element = document.createElement('div');
  readonly #slider = document.createElement('input');
  readonly #window = document.createElement('output');
  readonly #sentence = document.createElement('p');
  readonly #log: HTMLButtonElement;
  readonly #all: HTMLButtonElement;
  readonly #range = document.createElement('span');

  constructor(actions: IToolbarActions) {
    made += 1;
    const row = document.createElement('div');
    row.className = 'ppo-toolbar';
    row.setAttribute('role', 'group');
    row.setAttribute('aria-label', 'How the charts are drawn');
    const slider = this.#slider;
    slider.id = `ppo-smoothing-${made}`;
    slider.type = 'range';
    slider.min = '0';
    slider.max = String(WINDOWS.length - 1);
    slider.step = '1';
    slider.dataset.lmSuppressShortcuts = 'true';
    slider.addEventListener('input', () => actions.smoothing(this.#chosen(), false));
    slider.addEventListener('change', () => actions.smoothing(this.#chosen(), true));
    this.#window.htmlFor.add(slider.id);
    this.#window.className = 'ppo-toolbar-window';
    this.#window.setAttribute('aria-live', 'off'); // the slider says it already
    const label = document.createElement('label');
    label.htmlFor = slider.id;
    label.textContent = 'Smoothing';
    const smoothing = document.createElement('span');
    smoothing.className = 'ppo-toolbar-part';
    smoothing.append(label, slider, this.#window);
    this.#log = button('Log scale', 'Log scale', () =>
      actions.logScale(this.#log.getAttribute('aria-pressed') !== 'true')
    );
    const zoom = document.createElement('span');
    zoom.className = 'ppo-toolbar-part';
    this.#all = button('Show all', 'Show all', actions.all);
    this.#range.className = 'ppo-toolbar-range';
    zoom.append(
      button('+', 'Zoom in', () => actions.zoom(0.5)),
      button('−', 'Zoom out', () => actions.zoom(2)),
      this.#all,
      this.#range
    );
    const help = document.createElement('div');
    help.id = `ppo-keys-${made}`;
    help.className = 'ppo-help';
    help.hidden = true;
    help.append(helpList(POINTER_HELP), helpList(KEYS_HELP));
    const keys = button('Mouse and keys', 'Mouse and keys', () => {
      help.hidden = !help.hidden;
      keys.setAttribute('aria-expanded', String(!help.hidden));
    });
    keys.setAttribute('aria-expanded', 'false');
    keys.setAttribute('aria-controls', help.id);
    row.append(smoothing, this.#log, zoom, keys);
    this.#sentence.className = 'ppo-note ppo-smoothing-note';
    this.element.append(row, help, this.#sentence);
  }

  #chosen(): number {
    return WINDOWS[Number(this.#slider.value)] ?? 1;
  }

  /** Show these settings, and the range when it is not everything. */
  update(settings: BoardSettings, range: IRange, isAll: boolean): void {
    const { smoothing, logScale } = settings;
    const larger = WINDOWS.findIndex(window => window >= smoothing);
    this.#slider.value = String(larger < 0 ? WINDOWS.length - 1 : larger);
    const words = smoothing <= 1 ? 'off' : `${exactStep(smoothing)} points`;
    this.#slider.setAttribute('aria-valuetext', words);
    this.#window.textContent = words;
    this.#sentence.textContent = smoothingSentence(smoothing);
    this.#sentence.hidden = smoothing <= 1;
    this.#log.setAttribute('aria-pressed', String(logScale));
    this.#all.setAttribute('aria-disabled', String(isAll)); // `disabled` would lose the focus
    this.#range.textContent = isAll
      ? ''
      : `steps ${exactStep(Math.ceil(range.from))} to ${exactStep(Math.floor(range.to))}`;
  }
}
