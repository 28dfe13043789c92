/** Inside PPO: what an update did to samples of its rollout, and what the clip did about it. */
import { followTheme } from '../live/colours';
import { button, element, setText } from '../live/elements';
import { formatCount, formatValue } from '../live/format';
import { axesOf, type IMinibatch } from '../live/surrogate';
import { drawAdvantages, drawKl, drawRatios } from './insideBars';
import { Controls, type InsideSettings } from './insideControls';
import { type MinibatchMessage, Minibatches } from './insideData';
import { updateName, writeNumbers, writeSamples } from './insideNumbers';
import { Plot } from './insidePlot';
import { drawSurrogate } from './insideSurrogate';
import type { WidgetModel, WidgetView } from './model';

const [HIGH_FIGURE, LOW_FIGURE] = [280, 190];
/** Messages that come while some are missing are no reason to ask a busy kernel for each. */
const ASK_AGAIN_MS = 5000;
const ASK_AGAIN_MS_AT_MOST = 60_000;
const INVITATION =
  'Point at a sample or at a bar, or step through a figure with the arrow keys, for its numbers.';
const LEGEND: readonly (readonly [kind: string, text: string])[] = [
  ['free', 'sample'],
  ['held', 'clipped sample: no gradient'],
  ['line', 'gain for the mean advantage'],
  ['plain', 'the same without the clip'],
  ['ghost', 'first update']
];

/** The kind "inside". */
export const inside: WidgetView = (model, host) => {
  const view = new InsideView(model, host);
  return () => view.dispose();
};

class InsideView {
  readonly #root = element('div', { class: 'ppo-inside' });
  readonly #note = element('p', { class: 'ppo-inside-note' });
  readonly #body = element('div', {});
  readonly #about = element('p', { class: 'ppo-inside-about' });
  readonly #readout = element('p', { class: 'ppo-inside-readout', role: 'status' });
  readonly #legend = element('ul', { class: 'ppo-inside-legend', 'aria-label': 'Legend' });
  readonly #numbers = element('table', { class: 'ppo-inside-table' });
  readonly #samples = element('table', { class: 'ppo-inside-table' });
  readonly #scroller = element('div', {
    class: 'ppo-inside-scroller',
    role: 'region',
    tabindex: 0,
    'aria-label': 'All samples of this update',
    'data-lm-suppress-shortcuts': 'true'
  });
  readonly #opener = button('All samples as a table', () => this.#toggleTable(), {
    'aria-expanded': 'false'
  });
  readonly #captions = new Map<Plot, HTMLElement>();
  readonly #plots = {
    above: this.#plot('Better than expected: A > 0', HIGH_FIGURE),
    below: this.#plot('Worse than expected: A < 0', HIGH_FIGURE),
    ratios: this.#plot('Ratios', LOW_FIGURE),
    advantages: this.#plot('Advantages', LOW_FIGURE),
    kl: this.#plot('KL of each sample', LOW_FIGURE)
  };
  readonly #data = new Minibatches();
  readonly #controls: Controls;
  readonly #forgetTheme: () => void;
  readonly #visibility: IntersectionObserver;
  readonly #size: ResizeObserver;
  #askAgainAt = 0;
  #pause = ASK_AGAIN_MS;
  #isVisible = true;
  #frame = 0;
  #width = 0;

  constructor(
    private readonly model: WidgetModel,
    host: HTMLElement
  ) {
    this.#controls = new Controls(
      model.get('settings') as InsideSettings,
      () => {
        this.#controls.show(this.#data.all);
        this.#drawSoon();
      },
      settings => {
        model.set('settings', settings);
        model.save_changes();
      }
    );
    this.#build();
    host.append(this.#root);
    this.#forgetTheme = followTheme(this.#root);
    this.#visibility = new IntersectionObserver(entries => {
      this.#isVisible = entries[entries.length - 1]?.isIntersecting ?? true;
      this.#drawSoon();
    });
    this.#visibility.observe(this.#root);
    this.#size = new ResizeObserver(() => {
      if (this.#root.clientWidth !== this.#width) {
        this.#width = this.#root.clientWidth;
        this.#drawSoon();
      }
    });
    this.#size.observe(this.#root);
    model.on('msg:custom', this.#take);
    model.on('change:note', this.#showNote);
    model.on('change:settings', this.#showSettings);
    this.#showNote();
    this.#ask();
  }

  dispose(): void {
    this.model.off('msg:custom', this.#take);
    this.model.off('change:note', this.#showNote);
    this.model.off('change:settings', this.#showSettings);
    this.#visibility.disconnect();
    this.#size.disconnect();
    this.#forgetTheme();
    this.#controls.dispose();
    cancelAnimationFrame(this.#frame);
    this.#root.remove();
  }

  #plot(title: string, height: number): Plot {
    return new Plot(title, height, text => setText(this.#readout, text || INVITATION));
  }

  #figure(title: string, plot: Plot, explanation = ''): HTMLElement {
    const caption = element('figcaption', {}, element('strong', {}, title));
    if (explanation) {
      const text = element('p', {}, explanation);
      caption.append(text);
      this.#captions.set(plot, text);
    }
    return element('figure', { class: 'ppo-inside-figure' }, caption, plot.element);
  }

  #build(): void {
    const { above, below, ratios, advantages, kl } = this.#plots;
    for (const [kind, text] of LEGEND) {
      const item = element('li', { class: `ppo-inside-key-${kind}` }, sample(kind), text);
      this.#legend.append(item);
    }
    this.#scroller.append(this.#samples);
    this.#scroller.hidden = true;
    setText(this.#readout, INVITATION);
    this.#body.append(
      this.#controls.element,
      this.#about,
      element(
        'div',
        { class: 'ppo-inside-wide' },
        this.#figure('Better than expected: A > 0', above, ' '),
        this.#figure('Worse than expected: A < 0', below, ' ')
      ),
      this.#legend,
      this.#readout,
      element(
        'div',
        { class: 'ppo-inside-small' },
        this.#figure('Ratios', ratios),
        this.#figure('Advantages', advantages),
        this.#figure('KL of each sample', kl)
      ),
      this.#numbers,
      this.#opener,
      this.#scroller
    );
    this.#root.append(this.#note, this.#body);
  }

  /** Ask for what is missing; while nothing comes, ever less often: the kernel may be busy. */
  #ask(): void {
    const now = performance.now();
    if (now >= this.#askAgainAt) {
      this.#askAgainAt = now + this.#pause;
      this.#pause = Math.min(2 * this.#pause, ASK_AGAIN_MS_AT_MOST);
      this.model.send({ type: 'history', from: this.#data.taken });
    }
  }

  readonly #take = (content: MinibatchMessage, buffers: readonly DataView[]): void => {
    const [samples] = buffers;
    if (content.type !== 'minibatches' || !samples) {
      return;
    }
    if (!this.#data.take(content, samples)) {
      this.#ask();
      return;
    }
    this.#askAgainAt = 0;
    this.#pause = ASK_AGAIN_MS;
    this.#controls.update(this.#data.all);
    this.#showNote();
    this.#drawSoon();
  };

  readonly #showNote = (): void => {
    const isEmpty = this.#data.all.length === 0;
    setText(this.#note, isEmpty ? String(this.model.get('note') || 'Waiting for samples …') : '');
    this.#note.hidden = !isEmpty;
    this.#body.hidden = isEmpty;
  };

  readonly #showSettings = (): void => {
    this.#controls.settings = this.model.get('settings') as InsideSettings;
    this.#drawSoon();
  };

  #toggleTable(): void {
    this.#scroller.hidden = !this.#scroller.hidden;
    this.#opener.setAttribute('aria-expanded', String(!this.#scroller.hidden));
    this.#samples.replaceChildren();
    this.#drawSoon();
  }

  #drawSoon(): void {
    cancelAnimationFrame(this.#frame);
    if (this.#isVisible) {
      this.#frame = requestAnimationFrame(() => this.#draw());
    }
  }

  #draw(): void {
    const all = this.#data.all;
    const batch = all[this.#controls.index];
    if (!batch) {
      return;
    }
    const { compares, keepsAxes } = this.#controls.settings;
    const first = all[0];
    const other = compares && first && first !== batch ? first : null;
    const reach = axesOf(keepsAxes ? all : [batch, ...(other ? [other] : [])]);
    const { above, below, ratios, advantages, kl } = this.#plots;
    const isNormalised = this.model.get('normalised') === true;
    this.#explain(batch);
    this.#legend.classList.toggle('ppo-inside-compares', other !== null);
    above.draw(size => drawSurrogate(size, batch, other, 1, reach), 'Advantage above 0');
    below.draw(size => drawSurrogate(size, batch, other, -1, reach), 'Advantage of 0 or below');
    ratios.draw(size => drawRatios(size, batch, other, reach), 'Histogram of the ratios');
    advantages.draw(
      size => drawAdvantages(size, batch, other, reach, isNormalised),
      'Histogram of the advantages'
    );
    kl.draw(size => drawKl(size, batch, other), 'Histogram of the KL of each sample');
    writeNumbers(this.#numbers, batch, other);
    if (!this.#scroller.hidden) {
      writeSamples(this.#samples, batch);
    }
  }

  #explain(batch: IMinibatch): void {
    const { above, below } = this.#plots;
    const [low, high] = [formatValue(1 - batch.clipRange), formatValue(1 + batch.clipRange)];
    const { length } = batch.ratios;
    const whole =
      length < batch.rolloutSize
        ? `${length} of the ${formatCount(batch.rolloutSize)} samples, evenly spaced`
        : `all ${length} samples`;
    setText(
      this.#about,
      `${updateName(batch)}: ${whole}. A gain above 0 is what the update has added to ` +
        `min(r·A, clip(r)·A). ${String(this.model.get('about') ?? '')}`
    );
    this.#say(
      above,
      'Making the action more likely raises the objective, but only up to the ratio ' +
        `1 + ε = ${high}. Beyond it is flat: no gradient, nothing to gain from going on. ` +
        'A ratio that fell is not clipped: the gradient pulls it back up.'
    );
    this.#say(
      below,
      'Making the action less likely raises the objective, but only down to the ratio ' +
        `1 − ε = ${low}. Below it is flat: no gradient. A ratio that grew is not clipped: the ` +
        'larger it is, the more it costs.'
    );
  }

  #say(plot: Plot, text: string): void {
    const caption = this.#captions.get(plot);
    if (caption) {
      setText(caption, text);
    }
  }
}

/** A sample of a line or sign as the legend shows it. */
function sample(kind: string): SVGSVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  const paths: Readonly<Record<string, string>> = {
    free: 'M13 6h0',
    held: 'M10 3l6 6m-6 0l6 -6',
    ghost: 'M10.5 6a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0'
  };
  path.setAttribute('d', paths[kind] ?? 'M0 6H26');
  path.setAttribute('class', `ppo-inside-${kind}`);
  made.setAttribute('viewBox', '0 0 26 12');
  made.setAttribute('aria-hidden', 'true');
  made.append(path);
  return made;
}
