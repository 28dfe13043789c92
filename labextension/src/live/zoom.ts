/** The range of steps that all charts of a board show, and the pointer that changes it. */

/** Steps, both ends included. */
export interface IRange {
  readonly from: number;
  readonly to: number;
}

/** Fewer steps than this are never shown: there is nothing between two of them. */
const LEAST = 4;

/** A range inside of `full`; null when it is all of it. */
export function inside(range: IRange, full: IRange): IRange | null {
  const width = Math.max(range.to - range.from, Math.min(LEAST, full.to - full.from));
  if (width >= full.to - full.from) {
    return null;
  }
  const from = Math.min(Math.max(range.from, full.from), full.to - width);
  return { from, to: from + width };
}

/** Show `factor` times as many steps; the one at `around` stays where it is. */
export function zoomed(range: IRange, factor: number, around: number, full: IRange): IRange | null {
  const at = Math.min(Math.max(around, range.from), range.to);
  const from = at - (at - range.from) * factor;
  const width = Math.max((range.to - range.from) * factor, LEAST);
  return inside({ from, to: from + width }, full);
}

/** Move by a share of what is shown; positive is to later steps. */
export function panned(range: IRange, share: number, full: IRange): IRange | null {
  const by = (range.to - range.from) * share;
  return inside({ from: range.from + by, to: range.to + by }, full);
}

/** The range moved so that a step can be seen; as it is when it can be. */
export function revealing(range: IRange, step: number, full: IRange): IRange | null {
  if (step >= range.from && step <= range.to) {
    return inside(range, full);
  }
  const width = range.to - range.from;
  return inside({ from: step - width / 2, to: step + width / 2 }, full);
}

/** What the pointer does to a chart. Positions are shares of the width, 0 is the left edge. */
export interface IPointerTarget {
  /** The drawn area; null while nothing is drawn. */
  area(): DOMRect | null;
  /** The range that is shown. */
  range(): IRange;
  /** The pointer is there; null: nowhere. */
  point(share: number | null): void;
  select(from: number, to: number): void;
  /** Pan from the range that was shown when the pointer went down, by a share of the width. */
  pan(start: IRange, share: number): void;
  zoom(factor: number, share: number): void;
  all(): void;
  /** Show what is being selected; null: nothing. */
  selection(from: number, to: number): void;
  selectionEnds(): void;
}

/** Pixels that a pressed pointer moves before it is a drag and not a click. */
const DRAG = 4;

/**
 * Drag selects steps to zoom to, shift and drag pans, ctrl and wheel zooms, double-click shows all.
 * Returns what lets go of the element.
 */
export function followPointer(element: HTMLElement, target: IPointerTarget): () => void {
  let drag: {
    id: number;
    x: number;
    share: number;
    pan: boolean;
    start: IRange;
    moved: boolean;
  } | null = null;
  const share = (event: MouseEvent): number | null => {
    const area = target.area();
    return area && area.width > 0
      ? Math.min(Math.max((event.clientX - area.left) / area.width, 0), 1)
      : null;
  };
  const within = (event: MouseEvent): boolean => {
    const area = target.area();
    return (
      area !== null &&
      event.clientX >= area.left - 2 &&
      event.clientX <= area.right + 2 &&
      event.clientY >= area.top &&
      event.clientY <= area.bottom
    );
  };
  const down = (event: PointerEvent): void => {
    const at = share(event);
    if (event.button !== 0 || at === null || !within(event)) {
      return;
    }
    const [pan, start] = [event.shiftKey, target.range()];
    drag = { id: event.pointerId, x: event.clientX, share: at, pan, start, moved: false };
    element.setPointerCapture?.(event.pointerId);
    element.focus({ preventScroll: true });
  };
  const move = (event: PointerEvent): void => {
    const at = share(event);
    if (at === null) {
      return;
    }
    if (drag && drag.id === event.pointerId) {
      drag.moved ||= Math.abs(event.clientX - drag.x) > DRAG;
      if (drag.moved && drag.pan) {
        target.pan(drag.start, (drag.x - event.clientX) / (target.area()?.width ?? 1));
        return;
      }
      if (drag.moved) {
        target.selection(Math.min(drag.share, at), Math.max(drag.share, at));
      }
    }
    target.point(drag || within(event) ? at : null);
  };
  const up = (event: PointerEvent): void => {
    const at = share(event);
    const ended = drag;
    drag = null;
    target.selectionEnds();
    if (ended?.moved && !ended.pan && at !== null && event.type === 'pointerup') {
      target.select(Math.min(ended.share, at), Math.max(ended.share, at));
    }
  };
  const leave = (): void => {
    if (!drag) {
      target.point(null);
    }
  };
  const wheel = (event: WheelEvent): void => {
    const at = share(event);
    if (at === null || !(event.ctrlKey || event.metaKey)) {
      return; // a plain wheel scrolls the page
    }
    event.preventDefault();
    target.zoom(Math.exp(Math.min(Math.max(event.deltaY, -200), 200) * 0.003), at);
  };
  const all = (): void => target.all();
  element.addEventListener('pointerdown', down);
  element.addEventListener('pointermove', move);
  element.addEventListener('pointerup', up);
  element.addEventListener('pointercancel', up);
  element.addEventListener('pointerleave', leave);
  element.addEventListener('wheel', wheel, { passive: false });
  element.addEventListener('dblclick', all);
  return () => {
    element.removeEventListener('pointerdown', down);
    element.removeEventListener('pointermove', move);
    element.removeEventListener('pointerup', up);
    element.removeEventListener('pointercancel', up);
    element.removeEventListener('pointerleave', leave);
    element.removeEventListener('wheel', wheel);
    element.removeEventListener('dblclick', all);
  };
}
