import { ReactWidget } from '@jupyterlab/ui-components';
import type { ServerConnection } from '@jupyterlab/services';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { InstructorArea } from './area';
import type { InstructorModel } from './model';
import type { IInstructorClient } from './types';

/** What the tab "PPO Instructor" in the main area shows. */
export class InstructorWidget extends ReactWidget {
  constructor(
    readonly model: InstructorModel,
    private readonly _client: IInstructorClient,
    private readonly _settings: ServerConnection.ISettings,
    private readonly _onOpenFeedback: (submissionId: string) => void
  ) {
    super();
    this.addClass('jp-PPO-panel');
    this.addClass('jp-PPO-instructor');
  }

  protected override render(): JSX.Element {
    return (
      <InstructorArea
        model={this.model}
        client={this._client}
        settings={this._settings}
        onOpenFeedback={this._onOpenFeedback}
      />
    );
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
