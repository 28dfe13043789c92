import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { CoursePanel } from './components';
import { courseIcon } from './icon';
import type { CourseModel } from './model';

/** The sidebar "PPO Course". */
export class CourseSidebar extends ReactWidget {
  constructor(
    private readonly _model: CourseModel,
    private readonly _onInstructor: (course: string) => void
  ) {
    super();
    this.id = 'jupyter-ppo:course';
    this.addClass('jp-PPO-panel');
    this.title.icon = courseIcon;
    this.title.caption = 'PPO Course';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'PPO Course');
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._model.dispose();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    return <CoursePanel model={this._model} onInstructor={this._onInstructor} />;
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
