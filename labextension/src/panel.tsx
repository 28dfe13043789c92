import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { CoursePanel } from './components';
import { courseIcon } from './icon';
import type { CourseModel } from './model';
import type { PreferencesModel } from './preferences/model';
import { WithPreferences } from './preferences/shared';

/** The sidebar "PPO Course". */
export class CourseSidebar extends ReactWidget {
  constructor(
    private readonly _model: CourseModel,
    private readonly _onInstructor: (course: string) => void,
    private readonly _onHome: (course: string) => void,
    private readonly _preferences: PreferencesModel,
    private readonly _onTour: () => void
  ) {
    super();
    this.id = 'jupyter-ppo:course';
    this.addClass('jp-PPO-panel');
    this.title.icon = courseIcon;
    this.title.caption = 'PPO Course';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'PPO Course');
    const look = (): void => {
      this.toggleClass('jp-mod-expert', _preferences.mode === 'expert');
    };
    look();
    this._forget = _preferences.subscribe(look);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._forget();
      this._model.dispose();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    return (
      <WithPreferences model={this._preferences}>
        {({ mode, pseudonym, tour }) => (
          <CoursePanel
            model={this._model}
            onInstructor={this._onInstructor}
            onHome={this._onHome}
            mode={mode}
            onTour={tour === 'done' ? undefined : this._onTour}
            pseudonym={pseudonym}
          />
        )}
      </WithPreferences>
    );
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.setVisible(true);
  }

  protected override onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    this._model.setVisible(false);
  }

  private readonly _forget: () => void;
}
