/** What chooses the update that is shown: buttons, a slider, and switches. */
import { button, element, setText } from '../live/elements';
import { formatCount } from '../live/format';
import type { IMinibatch } from '../live/surrogate';

/** Milliseconds for which an update is shown while they are played. */
const PLAY = 250;

/** What the switches say; a widget keeps it across views. */
export type InsideSettings = { readonly compares: boolean; readonly keepsAxes: boolean };

/** The controls. `onChange` is called when another update, or something else of it, is to be shown. */
export class Controls {
  readonly element: HTMLElement;
  readonly #first = button('First', () => this.#go(0));
  readonly #previous = button('Previous', () => this.#go(this.#index - 1));
  readonly #play = button('Play', () => this.#toggle());
  readonly #next = button('Next', () => this.#go(this.#index + 1));
  readonly #newest = button('Newest', () => this.#go(this.#count - 1));
  readonly #slider = element('input', {
    type: 'range',
    min: 0,
    step: 1,
    'aria-label': 'Update',
    // Else JupyterLab takes the arrow keys for its own.
    'data-lm-suppress-shortcuts': 'true'
  });
  readonly #where = element('span', { class: 'ppo-inside-where' });
  readonly #follow = element('input', { type: 'checkbox', checked: true });
  readonly #compare = element('input', { type: 'checkbox' });
  readonly #keep = element('input', { type: 'checkbox' });
  #index = 0;
  #count = 0;
  #timer: number | undefined;

  constructor(
    settings: InsideSettings,
    private readonly onChange: () => void,
    private readonly onSettings: (settings: InsideSettings) => void
  ) {
    this.settings = settings;
    const buttons = element(
      'div',
      { class: 'ppo-inside-row', role: 'group', 'aria-label': 'Choose an update' },
      ...[this.#first, this.#previous, this.#play, this.#next, this.#newest],
      this.#slider,
      this.#where
    );
    const switches = element(
      'div',
      { class: 'ppo-inside-row' },
      ...[
        [this.#follow, 'Follow the newest'] as const,
        [this.#compare, 'Compare with the first update'] as const,
        [this.#keep, 'Same axes for all updates'] as const
      ].map(([box, text]) => element('label', {}, box, ` ${text}`))
    );
    this.element = element('div', { class: 'ppo-inside-controls' }, buttons, switches);
    this.#slider.addEventListener('input', () => this.#go(Number(this.#slider.value)));
    this.#follow.addEventListener('change', () => {
      this.#go(this.#follow.checked ? this.#count - 1 : this.#index, this.#follow.checked);
    });
    for (const box of [this.#compare, this.#keep]) {
      box.addEventListener('change', () => {
        this.onSettings(this.settings);
        this.onChange();
      });
    }
  }

  /** The number of the update that is shown, among all that there are. */
  get index(): number {
    return this.#index;
  }

  get settings(): InsideSettings {
    return { compares: this.#compare.checked, keepsAxes: this.#keep.checked };
  }

  set settings({ compares, keepsAxes }: InsideSettings) {
    this.#compare.checked = compares;
    this.#keep.checked = keepsAxes;
  }

  /** Take what updates there are: the newest is shown, unless the reader looks at another one. */
  update(all: readonly IMinibatch[]): void {
    this.#count = all.length;
    const newest = Math.max(all.length - 1, 0);
    this.#index = this.#follow.checked ? newest : Math.min(this.#index, newest);
    this.show(all);
  }

  /** Say which update is shown. */
  show(all: readonly IMinibatch[]): void {
    const newest = Math.max(this.#count - 1, 0);
    const batch = all[this.#index];
    const text = batch
      ? `update ${formatCount(batch.update)} of ${formatCount(all[newest]?.update ?? 0)}, ` +
        `step ${formatCount(batch.step)}`
      : '';
    this.#slider.max = String(newest);
    this.#slider.value = String(this.#index);
    this.#slider.setAttribute('aria-valuetext', text);
    setText(this.#where, text);
    this.#slider.disabled = this.#play.disabled = newest === 0;
    for (const [one, isEnd] of [
      [this.#first, this.#index === 0],
      [this.#previous, this.#index === 0],
      [this.#next, this.#index === newest],
      [this.#newest, this.#index === newest]
    ] as const) {
      // Not disabled: a button that is would lose the focus.
      one.setAttribute('aria-disabled', String(isEnd));
    }
  }

  dispose(): void {
    window.clearInterval(this.#timer);
  }

  #go(to: number, follows = to >= this.#count - 1, isPlaying = false): void {
    if (!isPlaying) {
      this.#stop();
    }
    this.#index = Math.min(Math.max(to, 0), Math.max(this.#count - 1, 0));
    this.#follow.checked = follows;
    this.onChange();
  }

  #toggle(): void {
    if (this.#timer !== undefined) {
      this.#stop();
      return;
    }
    this.#go(this.#index >= this.#count - 1 ? 0 : this.#index, false);
    setText(this.#play, 'Stop');
    this.#timer = window.setInterval(() => {
      this.#go(this.#index + 1, undefined, true);
      if (this.#index >= this.#count - 1) {
        this.#stop();
      }
    }, PLAY);
  }

  #stop(): void {
    window.clearInterval(this.#timer);
    this.#timer = undefined;
    setText(this.#play, 'Play');
  }
}
