import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import type { ITokensClient } from '../tokens/types';
import { PreferencesArea } from './area';
import type { PreferencesModel } from './model';

/** What the tab "Preferences" in the main area shows. */
export class PreferencesWidget extends ReactWidget {
  constructor(
    private readonly _model: PreferencesModel,
    private readonly _tokens: ITokensClient,
    private readonly _onTour: () => void
  ) {
    super();
    this.addClass('jp-PPO-panel');
    this.addClass('jp-PPO-preferences');
  }

  protected override render(): JSX.Element {
    return <PreferencesArea model={this._model} tokens={this._tokens} onTour={this._onTour} />;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    void this._model.load();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      void this._model.load();
    }
  }
}
