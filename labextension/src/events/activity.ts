/** In which minutes a person worked at an assignment: what counts is what hands did. */

import { placeOf } from '../course/validationModel';
import { MINUTE_MS } from './buffer';
import type { IPlace } from './types';

/** Keys, clicks, wheels and fingers. Scrolling itself is left out: outputs that grow scroll, too. */
const SIGNS = ['keydown', 'pointerdown', 'wheel', 'touchmove'] as const;

/** The minutes of one assignment. */
export interface IWorkedMinutes {
  readonly place: IPlace;
  readonly minutes: number[];
}

export interface IWatch {
  /** The assignments of the notebook that holds this element. */
  placesAt(element: Element): readonly IPlace[];
  /** Called when there are minutes to take, where there were none. */
  onMinutes(): void;
  now(): number;
  /** Whether a person made it, and no program. */
  isByHand(event: Event): boolean;
}

/**
 * Notes the clock minutes in which the person pressed a key, clicked or scrolled in a notebook of
 * an assignment while the page was visible. What was pressed and where is not noted.
 */
export class ActivityWatcher {
  constructor(private readonly _watch: IWatch) {
    for (const sign of SIGNS) {
      // In the capture phase: nothing on the way can keep it from being seen.
      document.addEventListener(sign, this._see, { capture: true, passive: true });
    }
  }

  /** What was noted since this was asked last. */
  take(): IWorkedMinutes[] {
    const taken = [...this._noted.values()].map(({ place, minutes }) => ({
      place,
      minutes: [...minutes]
    }));
    this._noted.clear();
    return taken;
  }

  dispose(): void {
    for (const sign of SIGNS) {
      document.removeEventListener(sign, this._see, { capture: true });
    }
    this._noted.clear();
  }

  private readonly _see = (event: Event): void => {
    const { target } = event;
    if (document.visibilityState !== 'visible' || !(target instanceof Element)) {
      return;
    }
    if (!this._watch.isByHand(event)) {
      return;
    }
    const minute = Math.floor(this._watch.now() / MINUTE_MS);
    for (const place of this._watch.placesAt(target)) {
      this._note(place, minute);
    }
  };

  private _note(place: IPlace, minute: number): void {
    const name = placeOf(place.course, place.assignment);
    // A minute that was taken already is not noted again.
    if (this._last.get(name) === minute) {
      return;
    }
    this._last.set(name, minute);
    const isFirst = this._noted.size === 0;
    const noted = this._noted.get(name) ?? { place, minutes: new Set<number>() };
    noted.minutes.add(minute);
    this._noted.set(name, noted);
    if (isFirst) {
      this._watch.onMinutes();
    }
  }

  private readonly _noted = new Map<string, { place: IPlace; minutes: Set<number> }>();
  private readonly _last = new Map<string, number>();
}
