import { Widget } from '@lumino/widgets';

import type { IRunBundle } from './bundle';
import { pictureUrl } from './bundle';

/** What is said below a picture, and whether the live view is offered. */
export interface INotice {
  readonly text: string;
  readonly canShow: boolean;
}

/** The static picture of a run, with a line below it when there is something to say. */
export class SavedPicture extends Widget {
  constructor(onShow: () => void) {
    super();
    this.addClass('jp-PPO-picture');
    this._image.className = 'jp-PPO-picture-image';
    this._text.className = 'jp-PPO-picture-text';
    this._text.setAttribute('role', 'status');
    this._error.className = 'jp-PPO-picture-error';
    this._error.setAttribute('role', 'alert');
    this._button.className = 'jp-PPO-picture-show';
    this._button.type = 'button';
    this._button.textContent = 'Show live';
    this._button.addEventListener('click', onShow);
    const line = document.createElement('div');
    line.className = 'jp-PPO-picture-notice';
    line.append(this._text, this._button);
    this.node.append(this._image, this._words, line, this._error);
    this.say(null);
  }

  /** Show another picture; the same one is left alone. */
  draw({ svg, title, text }: IRunBundle): void {
    const description = text || title;
    this._words.hidden = svg !== '';
    this._words.textContent = description;
    this._image.hidden = svg === '';
    if (svg !== this._svg) {
      this._svg = svg;
      this._image.src = pictureUrl(svg);
    }
    this._image.alt = `Charts of ${title || 'a training run'}. ${description}`;
    this._button.setAttribute('aria-label', `Show live: ${title || 'training run'}`);
  }

  /** Say something below the picture; nothing with null. */
  say(notice: INotice | null): void {
    this._text.textContent = notice?.text ?? '';
    this._button.hidden = !notice?.canShow;
    this._button.disabled = false;
  }

  /** Say that the kernel was asked. */
  sayBusy(): void {
    this._text.textContent = 'Opening the live view. A busy kernel does it when it is free.';
    this._error.textContent = '';
    this._button.disabled = true;
  }

  /** Say why the live view did not open; empty takes it back. */
  complain(message: string): void {
    this._error.textContent = message;
  }

  private readonly _image = document.createElement('img');
  private readonly _words = document.createElement('pre');
  private readonly _text = document.createElement('span');
  private readonly _button = document.createElement('button');
  private readonly _error = document.createElement('div');
  private _svg = '';
}
