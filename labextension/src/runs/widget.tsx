import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { RunsArea } from './area';
import type { RunsModel } from './model';

/** What the tab "Training runs" in the main area shows. */
export class RunsWidget extends ReactWidget {
  constructor(
    readonly model: RunsModel,
    private readonly _onExplain: (run: string) => void
  ) {
    super();
    this.addClass('jp-PPO-panel');
    this.addClass('jp-PPO-runs');
  }

  override dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      this.model.dispose();
    }
  }

  protected override render(): JSX.Element {
    return <RunsArea model={this.model} onExplain={this._onExplain} />;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.setVisible(true);
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.model.setVisible(this.isVisible);
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
