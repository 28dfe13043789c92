import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { sandboxIcon } from '../icon';
import { SandboxPanel } from './components';
import type { EditorFactory } from './editor';
import type { SandboxModel } from './model';

/** The sidebar "PPO Sandbox". */
export class SandboxSidebar extends ReactWidget {
  constructor(
    private readonly _model: SandboxModel,
    private readonly _newEditor: EditorFactory
  ) {
    super();
    this.id = 'jupyter-ppo:sandbox';
    this.addClass('jp-PPO-panel');
    this.addClass('jp-PPO-sandbox');
    this.title.icon = sandboxIcon;
    this.title.caption = 'PPO Sandbox';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'PPO Sandbox');
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._model.dispose();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    return <SandboxPanel model={this._model} newEditor={this._newEditor} />;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.setVisible(true);
  }

  protected override onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    this._model.setVisible(false);
  }
}
