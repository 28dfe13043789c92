import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  ICommandPalette,
  IThemeManager,
  MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { settingsIcon } from '@jupyterlab/ui-components';

import { TokensClient } from '../tokens/client';
import { TourCommands } from '../tour/commands';
import { preferencesOf } from './shared';
import { followPreference } from './theme';
import { PreferencesWidget } from './widget';

/** The commands of the preferences. */
export const PreferencesCommands = { open: 'ppo-course:preferences' } as const;

const NO_ARGUMENTS = { type: 'object', properties: {} } as const;

/** The tab in the main area with one's own preferences, and what they change in JupyterLab. */
export const preferencesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ppo:preferences',
  description:
    'Preferences of the course: mode, theme, charts, hints, notices, privacy, API tokens.',
  autoStart: true,
  optional: [ICommandPalette, ILayoutRestorer, IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null
  ) => {
    const model = preferencesOf(app.serviceManager.serverSettings);
    const tokens = new TokensClient(app.serviceManager.serverSettings);
    const tracker = new WidgetTracker<MainAreaWidget<PreferencesWidget>>({
      namespace: 'ppo-preferences'
    });

    const create = (): MainAreaWidget<PreferencesWidget> => {
      const onTour = (): void => void app.commands.execute(TourCommands.start);
      const widget = new MainAreaWidget({ content: new PreferencesWidget(model, tokens, onTour) });
      // In place of the general one that it has just been given.
      widget.content.node.setAttribute('aria-label', 'PPO Preferences');
      widget.id = 'jupyter-ppo:preferences';
      widget.toolbar.hide();
      widget.title.label = 'PPO Preferences';
      widget.title.caption = 'Mode, theme, charts, hints, notices, privacy, API tokens';
      widget.title.icon = settingsIcon;
      widget.title.closable = true;
      return widget;
    };

    app.commands.addCommand(PreferencesCommands.open, {
      label: 'Open PPO Preferences',
      caption: 'Mode, theme, charts, hints, notices, privacy, API tokens',
      icon: settingsIcon,
      describedBy: { args: NO_ARGUMENTS },
      execute: () => {
        let widget = tracker.currentWidget;
        if (widget === null || widget.isDisposed) {
          widget = create();
        }
        if (!widget.isAttached) {
          app.shell.add(widget, 'main', { type: 'PPO Preferences' });
          void tracker.add(widget);
        }
        app.shell.activateById(widget.id);
        return widget;
      }
    });
    palette?.addItem({ command: PreferencesCommands.open, category: 'PPO Course' });
    void restorer?.restore(tracker, {
      command: PreferencesCommands.open,
      name: () => 'preferences'
    });
    if (themes !== null) {
      // Before that JupyterLab has not chosen its own theme yet.
      void app.restored.then(async () => {
        followPreference(model, themes);
        await model.ready();
      });
    }
  }
};
