import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import type { PreferencesModel } from '../preferences/model';
import { WithPreferences } from '../preferences/shared';
import { HomeArea } from './area';
import type { HomeModel } from './model';
import type { IHomeClient, IHomeLab } from './types';

/** What the tab "My course" in the main area shows. */
export class HomeWidget extends ReactWidget {
  constructor(
    readonly model: HomeModel,
    private readonly _client: IHomeClient,
    private readonly _lab: IHomeLab,
    private readonly _preferences: PreferencesModel
  ) {
    super();
    this.addClass('jp-PPO-panel');
    this.addClass('jp-PPO-home');
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.model.dispose();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    return (
      <WithPreferences model={this._preferences}>
        {({ mode, privacy }) => (
          <HomeArea
            model={this.model}
            client={this._client}
            lab={this._lab}
            mode={mode}
            isTimed={privacy.activity}
          />
        )}
      </WithPreferences>
    );
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.setVisible(true);
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this.model.setVisible(true);
    }
  }

  protected override onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    this.model.setVisible(false);
  }

  protected override onBeforeDetach(message: Message): void {
    super.onBeforeDetach(message);
    this.model.setVisible(false);
  }
}
