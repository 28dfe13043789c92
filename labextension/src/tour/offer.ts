/** Whether and how the tour is offered to somebody who is new. */

import type { PreferencesModel } from '../preferences/model';

/** A question in a corner of the window with answers to choose from. */
export type Ask = (question: string, answers: readonly IAnswer[]) => void;

export interface IAnswer {
  label: string;
  caption: string;
  isMain?: boolean;
  act: () => void;
}

/**
 * Offer the tour to who has not seen it and is in a course; once, whatever the answer is, and also
 * if the offer is closed without one: from then on the tour is in the PPO Course panel.
 *
 * `isInCourse` may fail: then it is offered another time.
 */
export async function offerTour(
  model: PreferencesModel,
  isInCourse: () => Promise<boolean>,
  ask: Ask,
  start: () => void
): Promise<void> {
  const isKnown = await model.ready();
  if (!isKnown || model.preferences.tour !== 'new') {
    return;
  }
  const isIn = await isInCourse().catch(() => false);
  if (!isIn) {
    return;
  }
  ask('New here? A tour of the PPO course in six steps, about three minutes.', [
    { label: 'Start', caption: 'Begin the tour', isMain: true, act: start },
    {
      label: 'Later',
      caption: 'Do not ask again; the tour is in the PPO Course panel',
      act: () => undefined
    },
    {
      label: 'No thanks',
      caption: 'Do not ask again',
      act: () => void model.change({ tour: 'done' })
    }
  ]);
  await model.change({ tour: 'later' });
}
