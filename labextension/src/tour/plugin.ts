import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';

import { courseIcon } from '../icon';
import { preferencesOf } from '../preferences/shared';
import { CourseClient } from '../request';
import { TourCommands } from './commands';
import { TourModel } from './model';
import { offerTour } from './offer';
import type { IAnswer } from './offer';
import { PANEL } from './steps';
import { TourWidget } from './widget';

const NO_ARGUMENTS = { type: 'object', properties: {} } as const;
/** The panel in which most of the tour is. */
const PANEL_COMMAND = 'ppo-course:open';

/** The tour for newcomers: offered once, and there whenever it is wanted. */
export const tourPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ppo:tour',
  description: 'A tour of the course in six steps.',
  autoStart: true,
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, palette: ICommandPalette | null) => {
    const settings = app.serviceManager.serverSettings;
    const preferences = preferencesOf(settings);
    let open: TourWidget | null = null;

    app.commands.addCommand(TourCommands.start, {
      label: 'Start the PPO Course Tour',
      caption: 'Six steps through what you need, in about three minutes',
      icon: courseIcon,
      describedBy: { args: NO_ARGUMENTS },
      execute: async () => {
        if (open !== null && !open.isDisposed) {
          open.focus();
          return;
        }
        const before = document.activeElement;
        await app.commands.execute(PANEL_COMMAND);
        const model = new TourModel(tour => {
          // Who takes it once more and leaves has still seen it.
          if (preferences.preferences.tour !== 'done') {
            void preferences.change({ tour });
          }
          // What had the focus may be gone, such as the notice that offered the tour.
          if (document.activeElement === document.body) {
            document.querySelector<HTMLElement>(`${PANEL} button`)?.focus();
          }
        });
        open = new TourWidget(model, before);
        open.open();
      }
    });
    palette?.addItem({ command: TourCommands.start, category: 'PPO Course' });

    const isInCourse = async (): Promise<boolean> =>
      (await new CourseClient(settings).me()).courses.length > 0;
    const start = (): void => void app.commands.execute(TourCommands.start);
    void app.restored.then(() => offerTour(preferences, isInCourse, ask, start));
  }
};

/** Ask in JupyterLab's own notices, which do not stand in anybody's way. */
function ask(question: string, answers: readonly IAnswer[]): void {
  Notification.info(question, {
    autoClose: false,
    actions: answers.map(({ label, caption, isMain, act }) => ({
      label,
      caption,
      displayType: isMain ? 'accent' : 'default',
      callback: act
    }))
  });
}
