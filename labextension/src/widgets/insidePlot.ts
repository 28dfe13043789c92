/** A figure that can be walked through: by pointer and by keys, each of its parts says its numbers. */
import { element } from '../live/elements';
import { type ISpot, shape } from './insideSvg';

/** What a figure is drawn as: its shapes, and what can be pointed at from left to right. */
export interface IDrawing {
  readonly shapes: readonly SVGElement[];
  readonly spots: readonly ISpot[];
  /** What the figure shows, in one or two sentences. */
  readonly description: string;
}

/** Draws a figure of so many pixels. */
export type Draw = (size: readonly [width: number, height: number]) => IDrawing;

const FALLBACK_WIDTH = 420;
const FAR = 40;

/** One figure. `onSpot` is told what is said of the part that is pointed at; "" for none. */
export class Plot {
  readonly element: HTMLElement;
  // An application gets the arrow keys from screen readers too.
  readonly #svg = shape('svg', {
    tabindex: 0,
    role: 'application',
    'aria-roledescription': 'figure'
  });
  readonly #shapes = shape('g', { 'aria-hidden': 'true' });
  readonly #marker = shape('circle', { class: 'ppo-inside-marker', r: 6, visibility: 'hidden' });
  #spots: readonly ISpot[] = [];
  #chosen = -1;

  constructor(
    title: string,
    private readonly height: number,
    private readonly onSpot: (text: string) => void
  ) {
    this.#svg.setAttribute('aria-label', title);
    // Else JupyterLab takes the arrow keys for its own, before any listener here sees them.
    this.#svg.setAttribute('data-lm-suppress-shortcuts', 'true');
    this.element = element('div', { class: 'ppo-inside-plot' });
    this.#svg.append(this.#shapes);
    this.element.append(this.#svg);
    this.#svg.addEventListener('keydown', event => this.#key(event as KeyboardEvent));
    this.#svg.addEventListener('pointermove', event => this.#point(event as PointerEvent));
    this.#svg.addEventListener('pointerleave', () => this.#choose(-1));
    this.#svg.addEventListener('blur', () => this.#choose(-1));
  }

  /** Draw anew, as wide as there is room. */
  draw(draw: Draw, title: string): void {
    const width = Math.max(this.element.clientWidth || FALLBACK_WIDTH, 240);
    const drawing = draw([width, this.height]);
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${this.height}`);
    this.#svg.setAttribute('height', String(this.height));
    this.#svg.setAttribute('aria-label', `${title}. ${drawing.description}`);
    this.#spots = drawing.spots;
    this.#shapes.replaceChildren(...drawing.shapes, this.#marker);
    if (this.#chosen >= 0) {
      this.#choose(-1);
    }
  }

  #choose(index: number): void {
    const spot = this.#spots[index];
    this.#chosen = spot ? index : -1;
    this.#marker.setAttribute('visibility', spot ? 'visible' : 'hidden');
    if (spot) {
      this.#marker.setAttribute('cx', String(spot.x));
      this.#marker.setAttribute('cy', String(spot.y));
    }
    this.onSpot(spot?.text ?? '');
  }

  #key(event: KeyboardEvent): void {
    const last = this.#spots.length - 1;
    const by = event.shiftKey ? 10 : 1;
    const to: Readonly<Record<string, number>> = {
      ArrowRight: Math.min(this.#chosen + by, last),
      ArrowLeft: this.#chosen < 0 ? last : Math.max(this.#chosen - by, 0),
      Home: 0,
      End: last
    };
    const index = event.key === 'Escape' && this.#chosen >= 0 ? -1 : to[event.key];
    if (index === undefined || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    this.#choose(index);
    event.preventDefault();
    event.stopPropagation();
  }

  #point(event: PointerEvent): void {
    const box = this.#svg.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let [nearest, distance] = [-1, FAR * FAR];
    this.#spots.forEach((spot, index) => {
      const square = (spot.x - x) ** 2 + (spot.y - y) ** 2;
      if (square < distance) {
        [nearest, distance] = [index, square];
      }
    });
    if (nearest !== this.#chosen) {
      this.#choose(nearest);
    }
  }
}
