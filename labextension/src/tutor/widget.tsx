import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { tutorIcon } from '../icon';
import { TutorArea } from './area';
import type { TutorModel } from './model';

/** The sidebar "PPO Tutor": hints, explanations and self-checks. */
export class TutorSidebar extends ReactWidget {
  constructor(
    private readonly _model: TutorModel,
    private readonly _onLook: () => void,
    private readonly _onExplain: () => void
  ) {
    super();
    this.id = 'jupyter-ppo:tutor';
    this.addClass('jp-PPO-panel');
    this.title.icon = tutorIcon;
    this.title.caption = 'PPO Tutor';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'PPO Tutor');
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._model.dispose();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    return <TutorArea model={this._model} onLook={this._onLook} onExplain={this._onExplain} />;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    void this._model.begin();
  }
}
