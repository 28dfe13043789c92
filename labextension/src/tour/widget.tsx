import { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { Tour } from './card';
import type { TourModel } from './model';

/** The tour over the page; it is gone when the tour has ended. */
export class TourWidget extends ReactWidget {
  /** `before` gets the focus back when the tour ends. */
  constructor(
    private readonly _model: TourModel,
    private readonly _before: Element | null
  ) {
    super();
    this.addClass('jp-PPO-tour');
    const unsubscribe = _model.subscribe(() => {
      if (_model.snapshot() === null) {
        unsubscribe();
        this.dispose();
      }
    });
  }

  /** Put it over the page. */
  open(): void {
    Widget.attach(this, document.body);
  }

  /** Come back to it with the keys from wherever the focus is. */
  focus(): void {
    this.node.querySelector('h2')?.focus();
  }

  protected override render(): JSX.Element {
    return <Tour model={this._model} before={this._before} />;
  }
}
