/** Colours of runs and series, for eyes of every kind and for light and dark pages. */

/** Okabe and Ito's palette (2008); those too pale for lines on white are darker here. */
const LIGHT: readonly string[] = [
  '#0072b2', // blue
  '#d55e00', // vermillion
  '#00926b', // bluish green
  '#b8588f', // reddish purple
  '#a87000', // orange
  '#3a8fc2', // sky blue
  '#444444',
  '#827900' // yellow
];

/** The same hues, light enough for lines on black. */
const DARK: readonly string[] = [
  '#56b4e9',
  '#f5803e',
  '#2ec99a',
  '#e08fc0',
  '#e69f00',
  '#a5d8f7',
  '#e6e6e6',
  '#f0e442'
];

/** Lengths of strokes and gaps: long ones, as short ones over a noisy curve look like dots. */
const DASHES: readonly (readonly number[])[] = [[], [10, 4], [18, 4], [14, 4, 3, 4], [5, 3]];

/** So many runs have a colour of their own that is easily told from the others: solid lines. */
const SOLID = 6;

export const PALETTE_SIZE = LIGHT.length;

/** Name of the CSS variable that holds a colour of the palette. */
export function colourVariable(colour: number): string {
  return `--ppo-colour-${Math.abs(Math.trunc(colour)) % PALETTE_SIZE}`;
}

/** Dashes of a run by its number: none for the first six, then so that forty runs differ. */
export function dashes(colour: number): readonly number[] {
  const round = Math.floor((Math.abs(Math.trunc(colour)) + PALETTE_SIZE - SOLID) / PALETTE_SIZE);
  return DASHES[round % DASHES.length] ?? [];
}

/** What a canvas needs, read from the page: a canvas knows no CSS variables. */
export interface IPalette {
  readonly ink: string;
  readonly faint: string;
  readonly grid: string;
  readonly back: string;
  readonly font: string;
  /** The colour of a run or series by its number. */
  colour(index: number): string;
}

/** Read the colours that apply to an element. */
export function paletteOf(root: HTMLElement): IPalette {
  const style = getComputedStyle(root);
  const read = (name: string, otherwise: string): string =>
    style.getPropertyValue(name).trim() || otherwise;
  const colours = LIGHT.map((colour, index) => read(colourVariable(index), colour));
  return {
    ink: read('--ppo-ink', '#212121'),
    faint: read('--ppo-faint-ink', '#616161'),
    grid: read('--ppo-grid', '#e0e0e0'),
    back: read('--ppo-back', '#ffffff'),
    font: style.fontFamily || 'sans-serif',
    colour: index => colours[Math.abs(Math.trunc(index)) % PALETTE_SIZE] ?? '#0072b2'
  };
}

/** Lightness of what lies behind an element, 0 to 1; a page without a background is white. */
function backgroundLightness(element: HTMLElement): number {
  let node: Element | null = element;
  while (node) {
    const parts =
      getComputedStyle(node)
        .backgroundColor.match(/[\d.]+/g)
        ?.map(Number) ?? [];
    const [red = 0, green = 0, blue = 0, alpha = 1] = parts;
    if (parts.length >= 3 && alpha > 0.5) {
      return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
    }
    const root: Node = node.getRootNode();
    node = node.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
  }
  return 1;
}

/**
 * Set the palette on an element, by whether the page behind it is light or dark, now and whenever
 * the theme changes. Calls back after every change; returns what ends it.
 */
export function followTheme(root: HTMLElement, onChange?: () => void): () => void {
  let shown = '';
  const update = (): void => {
    const theme = backgroundLightness(root) < 0.5 ? 'dark' : 'light';
    root.dataset.ppoTheme = theme;
    (theme === 'dark' ? DARK : LIGHT).forEach((colour, index) =>
      root.style.setProperty(colourVariable(index), colour)
    );
    const style = getComputedStyle(root);
    const now = [theme, style.color, style.getPropertyValue('--ppo-grid'), style.fontFamily].join();
    if (now !== shown) {
      shown = now;
      onChange?.();
    }
  };
  let timers: number[] = [];
  const soon = (): void => {
    timers.forEach(timer => window.clearTimeout(timer));
    // a theme's style sheet may still be loading when the page says that it has changed
    timers = [0, 100, 500].map(delay => window.setTimeout(update, delay));
  };
  const observer = new MutationObserver(soon);
  const options = { attributes: true, attributeFilter: ['class', 'style', 'data-jp-theme-name'] };
  observer.observe(document.documentElement, options);
  if (document.body) {
    observer.observe(document.body, options);
  }
  const preference = window.matchMedia?.('(prefers-color-scheme: dark)');
  preference?.addEventListener?.('change', soon);
  // it may come into the page, or be shown, only later: then it gets a size
  const sizes = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(update);
  sizes?.observe(root);
  update();
  soon();
  return () => {
    observer.disconnect();
    sizes?.disconnect();
    preference?.removeEventListener?.('change', soon);
    timers.forEach(timer => window.clearTimeout(timer));
  };
}

const SVG = 'http://www.w3.org/2000/svg';

/** A sample of a series as the legend shows it; what it looks like is said by its mark. */
export function sample(
  mark: 'dots' | 'line' | 'squares' | 'band',
  colour: number,
  dash: readonly number[] = []
): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 26 12');
  svg.setAttribute('class', 'ppo-sample');
  svg.setAttribute('aria-hidden', 'true');
  svg.style.color = `var(${colourVariable(colour)}, ${LIGHT[colour % PALETTE_SIZE] ?? '#0072b2'})`;
  const add = (tag: string, attributes: Readonly<Record<string, string>>): void => {
    const shape = document.createElementNS(SVG, tag);
    Object.entries(attributes).forEach(([name, value]) => shape.setAttribute(name, value));
    svg.append(shape);
  };
  const stroke = { fill: 'none', stroke: 'currentColor', 'stroke-width': '2' };
  if (mark === 'dots') {
    ['6', '13', '20'].forEach(cx => add('circle', { cx, cy: '6', r: '2', fill: 'currentColor' }));
    return svg;
  }
  if (mark === 'squares') {
    add('path', { ...stroke, 'stroke-width': '1', d: 'M1 6H25' });
    add('rect', { x: '9.5', y: '2.5', width: '7', height: '7', fill: 'currentColor' });
    return svg;
  }
  if (mark === 'band') {
    add('rect', {
      x: '0',
      y: '0',
      width: '26',
      height: '12',
      fill: 'currentColor',
      opacity: '0.3'
    });
  }
  add('path', { ...stroke, 'stroke-dasharray': dash.join(' '), d: 'M0 6H26' });
  return svg;
}

/** A sample of the line of a run, by its number. */
export function swatch(colour: number): SVGSVGElement {
  return sample('line', colour, dashes(colour));
}
