/** What the policy chose from at one step, as bars, and what it took. */
import { choiceGroups, components } from './episodeData';
import type { Component, EpisodeInfo, Moment } from './episodeData';
import { element, setText } from './elements';
import { formatPercent, formatValue } from './format';

/** Bars of an episode's actions; `show` is cheap, so that it may be called at every frame. */
export class ActionBars {
  private rows: { name: HTMLElement; bar: HTMLElement; value: HTMLElement; row: HTMLElement }[] =
    [];
  private key = '';

  constructor(private readonly host: HTMLElement) {}

  /** Show a moment; at the end of an episode, where nothing is chosen, the bars are empty. */
  show(info: EpisodeInfo, moment: Moment): void {
    if (isOver(moment)) {
      this.empty();
    } else if (info.action_kind === 'continuous') {
      this.showContinuous(components(info, moment));
    } else {
      this.showChoices(info, moment);
    }
  }

  /** Remove all bars. */
  clear(): void {
    this.key = '';
    this.rows = [];
    this.host.replaceChildren();
  }

  private empty(): void {
    for (const { bar, value, row } of this.rows) {
      bar.style.width = '0';
      setText(value, '–');
      row.dataset.hasTaken = 'false';
      row.dataset.isOver = 'true';
      markTaken(row, false);
    }
  }

  private showChoices(info: EpisodeInfo, moment: Moment): void {
    const groups = choiceGroups(info, moment);
    this.build(
      groups.map(({ name }) => name),
      groups.map(({ choices }) => choices.length)
    );
    groups
      .flatMap(({ choices }) => choices)
      .forEach((choice, index) => {
        const row = this.rows[index];
        if (row) {
          delete row.row.dataset.isOver;
          const share = Math.min(Math.max(choice.probability || 0, 0), 1);
          setText(row.name, choice.name);
          setText(row.value, formatPercent(choice.probability));
          row.bar.style.width = `${100 * share}%`;
          row.bar.style.left = '0';
          markTaken(row.row, choice.isTaken);
        }
      });
  }

  private showContinuous(parts: readonly Component[]): void {
    this.build(['mean ± standard deviation; the dot is what was taken'], [parts.length], true);
    parts.forEach((part, index) => {
      const row = this.rows[index];
      if (!row) {
        return;
      }
      const place = (value: number): number =>
        (100 * (Math.min(Math.max(value, part.low), part.high) - part.low)) /
        (part.high - part.low || 1);
      const begin = place(part.mean - part.std);
      const isTaken = Number.isFinite(part.taken);
      setText(row.name, part.name);
      setText(
        row.value,
        `${formatValue(part.mean)} ± ${formatValue(part.std)}` +
          (isTaken ? `, took ${formatValue(part.taken)}` : '')
      );
      row.bar.style.left = `${begin}%`;
      row.bar.style.width = `${Math.max(place(part.mean + part.std) - begin, 0.5)}%`;
      row.row.style.setProperty('--ppo-mean', `${place(part.mean)}%`);
      row.row.style.setProperty('--ppo-taken', `${place(part.taken)}%`);
      delete row.row.dataset.isOver;
      row.row.dataset.hasTaken = String(isTaken);
      row.row.title = `from ${formatValue(part.low)} to ${formatValue(part.high)}`;
    });
  }

  private build(names: readonly string[], counts: readonly number[], isContinuous = false): void {
    const key = JSON.stringify([names, counts, isContinuous]);
    if (key === this.key) {
      return;
    }
    this.clear();
    this.key = key;
    names.forEach((name, group) => {
      if (name) {
        this.host.append(element('div', { class: 'ppo-episode-group' }, name));
      }
      const list = element('ul', { class: 'ppo-episode-bars' });
      for (let index = 0; index < (counts[group] ?? 0); index++) {
        const parts = {
          name: element('span', { class: 'ppo-episode-bar-name' }),
          bar: element('span', { class: 'ppo-episode-bar' }),
          value: element('span', { class: 'ppo-episode-bar-value' })
        };
        const track = element('span', { class: 'ppo-episode-track' }, parts.bar);
        if (isContinuous) {
          track.append(
            element('span', { class: 'ppo-episode-mean' }),
            element('span', { class: 'ppo-episode-dot' })
          );
        }
        const row = element('li', { 'data-continuous': isContinuous }, parts.name, track);
        row.append(parts.value);
        this.rows.push({ ...parts, row });
        list.append(row);
      }
      this.host.append(list);
    });
  }
}

/** Whether a moment is the last one, after which there is no action. */
export function isOver({ action, probabilities, mean }: Moment): boolean {
  return action.length + probabilities.length + mean.length === 0;
}

function markTaken(row: HTMLElement, isTaken: boolean): void {
  if (row.dataset.taken !== String(isTaken)) {
    row.dataset.taken = String(isTaken);
    row.querySelector('.ppo-episode-taken')?.remove();
    if (isTaken) {
      // seen as a triangle, read as a word: colour is not all that tells it
      const mark = element('span', { class: 'ppo-episode-taken' }, '◀ taken');
      row.append(mark);
    }
  }
}
