/** What the keys do on a chart that has the focus. */

/** A chart's answer to keys. */
export interface IKeyTarget {
  /** Move the cursor by so many points; Infinity is the last, -Infinity the first. */
  step(points: number): void;
  zoom(factor: number): void;
  /** Pan by a share of what is shown. */
  pan(share: number): void;
  all(): void;
  table(): void;
  /** Take the cursor away; false when there is none. */
  leave(): boolean;
}

/** What is said about the keys, once for all charts. */
export const KEYS_HELP: readonly (readonly [keys: string, does: string])[] = [
  ['← →', 'point by point; with Shift ten at a time'],
  ['Home End', 'first and last point'],
  ['+ −', 'zoom in and out'],
  ['Page Up, Page Down', 'earlier and later steps'],
  ['0', 'show all steps'],
  ['T', 'the numbers as a table'],
  ['Esc', 'take the cursor away']
];

/** What is said about the pointer. */
export const POINTER_HELP: readonly (readonly [action: string, does: string])[] = [
  ['Drag', 'zoom to these steps'],
  ['Shift + drag', 'earlier and later steps'],
  ['Ctrl + wheel', 'zoom in and out'],
  ['Double-click', 'show all steps']
];

/** Answer a key; true when it meant something, and then nobody else shall see it. */
export function answerKey(event: KeyboardEvent, target: IKeyTarget): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return false;
  }
  const many = event.shiftKey ? 10 : 1;
  const actions: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => target.step(-many),
    ArrowRight: () => target.step(many),
    ArrowDown: () => target.step(-many),
    ArrowUp: () => target.step(many),
    Home: () => target.step(-Infinity),
    End: () => target.step(Infinity),
    '+': () => target.zoom(0.5),
    '=': () => target.zoom(0.5),
    '-': () => target.zoom(2),
    _: () => target.zoom(2),
    PageUp: () => target.pan(-0.8),
    PageDown: () => target.pan(0.8),
    '0': () => target.all(),
    t: () => target.table(),
    T: () => target.table()
  };
  if (event.key === 'Escape') {
    if (!target.leave()) {
      return false; // Escape also leaves what is around the board
    }
  } else {
    const action = actions[event.key];
    if (!action) {
      return false;
    }
    action();
  }
  event.preventDefault();
  event.stopPropagation();
  return true;
}
