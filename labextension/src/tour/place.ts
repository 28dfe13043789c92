/** Where a card goes beside the thing that it is about. */

export interface ISize {
  width: number;
  height: number;
}

export interface IBox extends ISize {
  left: number;
  top: number;
}

/** Pixels between a card and what it is about, and to the edges of the window. */
const GAP = 12;

/**
 * The corner of a card: right of the thing, else left, below or above, wherever it does not cover
 * it; in the middle when there is no thing, in a corner when the thing fills the window.
 */
export function placeBeside(thing: IBox | null, card: ISize, view: ISize): IBox {
  const at = (left: number, top: number): IBox => ({
    ...card,
    left: within(left, card.width, view.width),
    top: within(top, card.height, view.height)
  });
  if (thing === null) {
    return at((view.width - card.width) / 2, (view.height - card.height) / 2);
  }
  const right = thing.left + thing.width + GAP;
  const below = thing.top + thing.height + GAP;
  const left = thing.left - GAP - card.width;
  const above = thing.top - GAP - card.height;
  if (right + card.width + GAP <= view.width) {
    return at(right, thing.top);
  }
  if (left >= GAP) {
    return at(left, thing.top);
  }
  if (below + card.height + GAP <= view.height) {
    return at(thing.left, below);
  }
  return above >= GAP ? at(thing.left, above) : at(view.width, view.height);
}

/** A beginning with which all of it is in sight, as far as there is room. */
function within(begin: number, size: number, room: number): number {
  return Math.max(GAP, Math.min(begin, room - size - GAP));
}
