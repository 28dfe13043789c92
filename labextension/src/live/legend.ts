/** Buttons that switch series and runs on and off. */
import { sample } from './colours';
import type { MarkKind } from './types';

/** One button of a legend. */
export interface ILegendEntry {
  /** As the settings name it when it is switched off. */
  readonly key: string;
  readonly label: string;
  readonly mark: MarkKind | 'band';
  readonly colour: number;
  readonly dash: readonly number[];
}

/** A row of toggles; pressed is shown. */
export class Legend {
  readonly element = document.createElement('div');
  #shown = '';

  /** `name` says of what it is the legend. */
  constructor(
    name: string,
    private readonly toggle: (key: string) => void
  ) {
    this.element.className = 'ppo-legend';
    this.element.setAttribute('role', 'group');
    this.element.setAttribute('aria-label', name);
    this.element.hidden = true;
  }

  /** Show these entries; buttons that stay the same stay, with the focus that they may have. */
  update(entries: readonly ILegendEntry[], hidden: readonly string[]): void {
    const now = JSON.stringify(entries);
    if (now !== this.#shown) {
      this.#shown = now;
      const root = this.element.getRootNode();
      const active =
        root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
      const focused = active instanceof HTMLElement ? active.dataset.legend : undefined;
      this.element.replaceChildren(...entries.map(entry => this.#button(entry)));
      if (focused !== undefined && active?.parentElement !== this.element) {
        this.#buttons()
          .find(button => button.dataset.legend === focused)
          ?.focus();
      }
      this.element.hidden = entries.length === 0;
    }
    for (const button of this.#buttons()) {
      button.setAttribute('aria-pressed', String(!hidden.includes(button.dataset.legend ?? '')));
    }
  }

  #buttons(): HTMLButtonElement[] {
    return [...this.element.querySelectorAll('button')];
  }

  #button(entry: ILegendEntry): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'ppo-legend-entry';
    button.dataset.legend = entry.key;
    button.title = `Show or hide ${entry.label}`;
    const label = document.createElement('span');
    label.textContent = entry.label;
    button.append(sample(entry.mark, entry.colour, entry.dash), label);
    button.addEventListener('click', () => this.toggle(entry.key));
    return button;
  }
}
