/** Plays a recorded episode: pictures, a scrubber, speed, keys, and what the policy thought. */
import { ActionBars, isOver } from './episodeActions';
import type { EpisodeData, EpisodeInfo, Moment } from './episodeData';
import { EpisodeLines } from './episodeLines';
import { EpisodeScreen } from './episodeScreen';
import { button, element, setText } from './elements';
import { formatValue } from './format';

const SPEEDS: readonly number[] = [0.1, 0.25, 0.5, 1, 2, 4];
/** Steps of the keys with shift. */
const LEAP = 10;
/** A page that was hidden must not jump when it is seen again. */
const LONGEST_FRAME = 250;
/** Milliseconds between two drawings of the lines while an episode grows. */
const LINES_EVERY = 250;

/** One player; `use` gives it an episode, `grown` says that more of it has come. */
export class EpisodePlayer {
  readonly root = element('div', { class: 'ppo-episode-player', role: 'group' });
  private readonly screen = new EpisodeScreen();
  private readonly bars: ActionBars;
  private readonly lines: EpisodeLines;
  private readonly stage = element('div', { class: 'ppo-episode-stage' });
  private readonly noPictures = element('p', { class: 'ppo-note ppo-episode-blank' });
  private readonly over = element('span', { class: 'ppo-episode-over' });
  private readonly seen = element('dl', { class: 'ppo-episode-seen' });
  private readonly play = button('', () => this.toggle(), {
    class: 'ppo-button ppo-episode-toggle'
  });
  private readonly scrubber = element('input', {
    type: 'range',
    class: 'ppo-episode-scrubber',
    min: 0,
    max: 0,
    step: 1,
    value: 0,
    'aria-label': 'Step of the episode'
  });
  private readonly place = element('span', { class: 'ppo-episode-place' });
  private readonly speed = element('select', { class: 'ppo-field', 'aria-label': 'Speed' });
  private data: EpisodeData | null = null;
  private index = 0;
  private isPlaying = false;
  private timer = 0;
  private lastFrame = 0;
  private due = 0;
  private drawnAt = 0;

  constructor() {
    this.root.setAttribute('aria-label', 'Episode');
    this.speed.append(
      ...SPEEDS.map(speed =>
        element('option', { value: speed, selected: speed === 1 }, `${speed} ×`)
      )
    );
    const transport = element(
      'div',
      { class: 'ppo-episode-transport' },
      this.play,
      button('|◀', () => this.seek(0), { 'aria-label': 'To the beginning', title: 'Home' }),
      button('◀', () => this.seek(this.index - 1), { 'aria-label': 'One step back', title: '←' }),
      button('▶', () => this.seek(this.index + 1), { 'aria-label': 'One step on', title: '→' }),
      this.scrubber,
      this.place,
      this.speed
    );
    this.stage.append(this.screen.canvas, this.noPictures, this.seen);
    const side = element('div', { class: 'ppo-episode-side' });
    const actions = element('div', { class: 'ppo-episode-actions' });
    const heading = element(
      'div',
      { class: 'ppo-episode-head' },
      element('b', {}, 'Action'),
      this.over
    );
    side.append(heading, actions);
    this.bars = new ActionBars(actions);
    this.lines = new EpisodeLines(side, share => {
      this.seek(Math.round(share * Math.max(this.count - 1, 0)));
    });
    this.root.append(this.stage, transport, side);
    this.scrubber.addEventListener('input', () => this.seek(Number(this.scrubber.value)));
    this.root.addEventListener('keydown', event => this.onKey(event));
    this.screen.canvas.addEventListener('click', () => this.toggle());
    this.root.addEventListener('click', event => {
      // After a click into the picture or a chart the keys are meant for the player.
      if (!(event.target as Element).closest('button, select, input')) {
        this.scrubber.focus({ preventScroll: true });
      }
    });
    this.showToggle();
  }

  /** Show another episode from its beginning; it plays unless the reader wants no motion. */
  use(data: EpisodeData): void {
    this.data = data;
    this.index = 0;
    this.due = 0;
    this.screen.use(data.pictures);
    this.bars.clear();
    this.setPlaying(!window.matchMedia?.('(prefers-reduced-motion: reduce)').matches);
    this.grown();
  }

  /** More moments have come, or the end. */
  grown(): void {
    const data = this.data;
    if (!data || this.count === 0) {
      return;
    }
    this.scrubber.max = String(this.count - 1);
    const isDone = data.ending !== null;
    const now = performance.now();
    if (isDone || now - this.drawnAt >= LINES_EVERY) {
      this.drawnAt = now;
      this.lines.draw(data);
    }
    this.show();
  }

  /** Go to a moment, and stay there. */
  seek(index: number): void {
    this.setPlaying(false);
    this.goTo(index);
  }

  /** Let go of everything. */
  dispose(): void {
    this.setPlaying(false);
    this.screen.dispose();
    this.root.remove();
  }

  private get count(): number {
    return this.data?.moments.length ?? 0;
  }

  private toggle(): void {
    if (!this.isPlaying && this.data?.ending && this.index >= this.count - 1) {
      this.goTo(0);
    }
    this.setPlaying(!this.isPlaying);
  }

  private setPlaying(isPlaying: boolean): void {
    if (isPlaying !== this.isPlaying) {
      this.isPlaying = isPlaying;
      this.lastFrame = performance.now();
      cancelAnimationFrame(this.timer);
      if (isPlaying) {
        this.timer = requestAnimationFrame(this.frame);
      }
    }
    this.showToggle();
  }

  private showToggle(): void {
    setText(this.play, this.isPlaying ? '❚❚ Pause' : '▶ Play');
    this.play.title = 'Space';
  }

  private readonly frame = (now: number): void => {
    if (!this.isPlaying) {
      return;
    }
    const data = this.data;
    const passed = Math.min(Math.max(now - this.lastFrame, 0), LONGEST_FRAME);
    this.lastFrame = now;
    if (data && this.index < this.count - 1) {
      this.due += (passed / 1000) * data.info.frames_per_second * Number(this.speed.value);
      const whole = Math.floor(this.due);
      this.due -= whole;
      if (whole > 0) {
        this.goTo(this.index + whole);
      }
    } else if (data?.ending) {
      this.setPlaying(false);
      return;
    }
    this.timer = requestAnimationFrame(this.frame);
  };

  private goTo(index: number): void {
    this.index = Math.min(Math.max(index, 0), Math.max(this.count - 1, 0));
    this.show();
  }

  private show(): void {
    const data = this.data;
    const moment = data?.moments[this.index];
    if (!data || !moment) {
      return;
    }
    const last = this.count - 1;
    const words = `step ${this.index} of ${last}${data.ending ? '' : ' so far'}`;
    setText(this.place, words);
    this.root.dataset.moment = String(this.index);
    this.root.dataset.moments = String(this.count);
    this.scrubber.value = String(this.index);
    this.scrubber.setAttribute('aria-valuetext', words);
    const isDrawn = data.hasPictures;
    this.screen.canvas.hidden = !isDrawn;
    this.noPictures.hidden = isDrawn;
    setText(this.noPictures, isDrawn ? '' : data.info.why_no_pictures);
    if (isDrawn) {
      this.screen.show(this.index, `${data.info.env_id}, ${words}`);
    }
    this.showSeen(data.info, moment);
    this.bars.show(data.info, moment);
    setText(this.over, isOver(moment) ? 'none: the episode is over' : '');
    this.lines.point(data, this.index);
  }

  private showSeen(info: EpisodeInfo, moment: Moment): void {
    this.seen.hidden = moment.observation.length === 0;
    while (this.seen.children.length > moment.observation.length) {
      this.seen.lastElementChild?.remove();
    }
    moment.observation.forEach((value, index) => {
      let entry = this.seen.children[index];
      if (!entry) {
        entry = element('div', {}, element('dt'), element('dd'));
        this.seen.append(entry);
      }
      const [name, number] = entry.children;
      if (name && number) {
        setText(name, info.observation_names[index] ?? `observation ${index}`);
        setText(number, value === null ? 'undefined' : formatValue(value));
      }
    });
  }

  private onKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches('select')) {
      return;
    }
    const leap = event.shiftKey ? LEAP : 1;
    switch (event.key) {
      case ' ':
        if (target.matches('button')) {
          return; // it presses the button
        }
        this.toggle();
        break;
      case 'ArrowLeft':
        this.seek(this.index - leap);
        break;
      case 'ArrowRight':
        this.seek(this.index + leap);
        break;
      case 'PageUp':
        this.seek(this.index - 5 * LEAP);
        break;
      case 'PageDown':
        this.seek(this.index + 5 * LEAP);
        break;
      case 'Home':
        this.seek(0);
        break;
      case 'End':
        this.seek(this.count - 1);
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
