/** The kind "episode": a checkpoint's policy plays an episode, to be looked at step by step. */
import { followTheme } from '../live/colours';
import { button, element, setText } from '../live/elements';
import { EpisodeData, endingWords } from '../live/episodeData';
import type { Ending, EpisodeInfo, SentMoment } from '../live/episodeData';
import { EpisodePlayer } from '../live/episodePlayer';
import { formatCount, formatValue } from '../live/format';
import type { WidgetModel, WidgetView } from './model';

/** What the kernel says; `to` names the view that asked, when only one did. */
type Message =
  | { type: 'loading'; episode: number; step: number | null; to?: string }
  | { type: 'begin'; episode: number; info: EpisodeInfo; to?: string }
  | { type: 'moments'; episode: number; first: number; moments: SentMoment[]; to?: string }
  | { type: 'end'; episode: number; ending: Ending; warnings: string[]; to?: string }
  | { type: 'gif'; name: string }
  | { type: 'refused'; message: string };

/** A view that missed something asks again, but not all the time. */
const [ASK_FIRST, ASK_AT_MOST] = [1_000, 60_000];
const NEWEST = 'newest';

class EpisodeView {
  private readonly id = crypto.getRandomValues(new Uint32Array(2)).join('-');
  private readonly root = element('div', {
    class: 'ppo-palette ppo-episode',
    'data-lm-suppress-shortcuts': 'true'
  });
  private readonly steps = element('select', { class: 'ppo-field' });
  private readonly seed = element('input', {
    class: 'ppo-field ppo-episode-seed',
    type: 'number',
    min: 0,
    step: 1
  });
  private readonly drawn = element('input', { type: 'checkbox' });
  private readonly start: HTMLButtonElement;
  private readonly stop: HTMLButtonElement;
  private readonly download: HTMLButtonElement;
  private readonly status = element('p', { class: 'ppo-note ppo-episode-status', role: 'status' });
  private readonly problem = element('p', { class: 'ppo-error', role: 'alert' });
  private readonly player = new EpisodePlayer();
  private readonly endTheme: () => void;
  private number = -1;
  private data: EpisodeData | null = null;
  private isBusy = false;
  private waitsForGif = false;
  private askAgainAt = 0;
  private pause = ASK_FIRST;
  private chosen = NEWEST;

  constructor(
    private readonly model: WidgetModel,
    host: HTMLElement
  ) {
    this.start = button('Play episode', () => this.ask());
    this.start.classList.add('ppo-episode-start');
    this.stop = button('Stop', () => this.model.send({ type: 'stop' }));
    this.download = button('Download GIF', () => this.askForGif());
    const controls = element(
      'div',
      { class: 'ppo-episode-controls' },
      element('label', {}, 'Checkpoint of step ', this.steps),
      element('label', {}, 'Seed ', this.seed),
      element(
        'label',
        { title: 'As in training; otherwise the likeliest action is taken, as in evaluations.' },
        this.drawn,
        ' Draw the actions'
      ),
      this.start,
      this.stop,
      this.download
    );
    this.root.append(controls, this.status, this.problem, this.player.root);
    host.append(this.root);
    this.endTheme = followTheme(this.root);
    this.seed.value = String(model.get('seed') ?? 0);
    const look = (): void => this.model.send({ type: 'checkpoints' });
    this.steps.addEventListener('change', () => {
      this.chosen = this.steps.value;
    });
    this.steps.addEventListener('focus', look);
    this.steps.addEventListener('pointerenter', look);
    this.seed.addEventListener('keydown', event => {
      event.stopPropagation();
      if (event.key === 'Enter' && !this.start.disabled) {
        this.ask();
      }
    });
    model.on('msg:custom', this.onMessage);
    model.on('change:checkpoints', this.showCheckpoints);
    model.on('change:note', this.showCheckpoints);
    this.showCheckpoints();
    this.askAgain();
    look();
  }

  dispose(): void {
    this.model.off('msg:custom', this.onMessage);
    this.model.off('change:checkpoints', this.showCheckpoints);
    this.model.off('change:note', this.showCheckpoints);
    this.endTheme();
    this.player.dispose();
    this.root.remove();
  }

  private readonly onMessage = (message: Message, buffers: readonly ArrayBufferView[]): void => {
    if ('to' in message && message.to !== undefined && message.to !== this.id) {
      return;
    }
    switch (message.type) {
      case 'loading':
        this.onLoading(message.episode, message.step);
        break;
      case 'begin':
        this.onBegin(message.episode, message.info);
        break;
      case 'moments':
        this.onMoments(message.episode, message.first, message.moments, buffers[0]);
        break;
      case 'end':
        this.onEnd(message.episode, message.ending, message.warnings);
        break;
      case 'gif':
        this.onGif(message.name, buffers[0]);
        break;
      case 'refused':
        this.isBusy = this.isBusy && this.data !== null && this.data.ending === null;
        this.waitsForGif = false;
        setText(this.problem, message.message);
        this.showState();
    }
  };

  private onLoading(episode: number, step: number | null): void {
    this.number = episode;
    this.data = null;
    this.isBusy = true;
    setText(this.problem, '');
    const which = step === null ? 'the newest checkpoint' : `step ${formatCount(step)}`;
    setText(this.status, `The policy of ${which} is being loaded; that takes some seconds.`);
    this.showState();
  }

  private onBegin(episode: number, info: EpisodeInfo): void {
    this.number = episode;
    this.data = new EpisodeData(info);
    this.player.root.hidden = false;
    this.player.use(this.data);
    this.chosen = String(info.step); // also when a newer one comes: it is not what is shown
    this.showCheckpoints();
    const actions = info.deterministic ? 'likeliest actions' : 'drawn actions';
    setText(
      this.status,
      `Policy after ${formatCount(info.step)} steps, seed ${info.seed}, ${actions}.`
    );
    this.showState();
  }

  private onMoments(
    episode: number,
    first: number,
    moments: readonly SentMoment[],
    pictures: ArrayBufferView | undefined
  ): void {
    const data = this.data;
    if (
      episode !== this.number ||
      !data ||
      !data.add(first, moments, pictures ?? new Uint8Array())
    ) {
      this.askAgain();
      return;
    }
    this.pause = ASK_FIRST;
    this.player.grown();
  }

  private onEnd(episode: number, ending: Ending, warnings: readonly string[]): void {
    if (episode !== this.number) {
      this.askAgain();
      return;
    }
    this.isBusy = false;
    const data = this.data;
    if (data) {
      data.ending = ending;
      const { info } = data;
      const actions = info.deterministic ? 'likeliest actions' : 'drawn actions';
      setText(
        this.status,
        `Return ${formatValue(data.returnBefore(data.moments.length))}: ` +
          `${endingWords(ending, data.steps)}. ` +
          `Policy after ${formatCount(info.step)} steps, seed ${info.seed}, ${actions}.`
      );
      this.player.grown();
    } else {
      setText(this.status, ending === 'stopped' ? 'Stopped before it began.' : '');
    }
    setText(this.problem, warnings.join(' '));
    this.showState();
  }

  private onGif(name: string, bytes: ArrayBufferView | undefined): void {
    if (!this.waitsForGif || !bytes) {
      return; // another view asked
    }
    this.waitsForGif = false;
    this.showState();
    const part = new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
    const url = URL.createObjectURL(new Blob([part], { type: 'image/gif' }));
    const link = element('a', { href: url, download: name });
    this.root.append(link);
    link.click();
    link.remove();
    window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  private ask(): void {
    const seed = Number(this.seed.value);
    this.isBusy = true;
    setText(this.problem, '');
    this.showState();
    this.model.send({
      type: 'play',
      step: this.steps.value === NEWEST ? null : Number(this.steps.value),
      seed: this.seed.value === '' || !Number.isInteger(seed) ? null : seed,
      deterministic: !this.drawn.checked
    });
  }

  private askForGif(): void {
    this.waitsForGif = true;
    setText(this.problem, '');
    this.showState();
    this.model.send({ type: 'gif' });
  }

  private askAgain(): void {
    const now = performance.now();
    if (now >= this.askAgainAt) {
      this.askAgainAt = now + this.pause;
      this.pause = Math.min(2 * this.pause, ASK_AT_MOST);
      this.model.send({ type: 'again', from: this.id });
    }
  }

  private readonly showCheckpoints = (): void => {
    const steps = (this.model.get('checkpoints') as readonly number[] | undefined) ?? [];
    const { chosen } = this;
    const newest = steps[steps.length - 1];
    const played = this.data?.info.step;
    const shown = (step: number): string => (step === played ? ', shown below' : '');
    this.steps.replaceChildren(
      element(
        'option',
        { value: NEWEST },
        newest === undefined ? 'none yet' : `${formatCount(newest)} (newest${shown(newest)})`
      ),
      ...[...steps]
        .slice(0, -1)
        .reverse()
        .map(step =>
          element(
            'option',
            { value: step },
            `${formatCount(step)}${step === played ? ' (shown below)' : ''}`
          )
        )
    );
    this.steps.value =
      steps.includes(Number(chosen)) && Number(chosen) !== newest ? chosen : NEWEST;
    this.showState();
  };

  private showState(): void {
    const steps = (this.model.get('checkpoints') as readonly number[] | undefined) ?? [];
    const note = String(this.model.get('note') ?? '');
    this.steps.disabled = steps.length === 0;
    this.start.disabled = steps.length === 0 || this.isBusy;
    this.stop.hidden = !this.isBusy;
    const isWhole = this.data !== null && this.data.ending !== null && !this.isBusy;
    const isGood = isWhole && this.data?.ending !== 'stopped' && this.data?.ending !== 'failed';
    this.download.hidden = !(isGood && this.data?.hasPictures);
    this.download.disabled = this.waitsForGif;
    setText(this.download, this.waitsForGif ? 'Making the GIF …' : 'Download GIF');
    if (this.data === null) {
      this.player.root.hidden = true;
      if (!this.isBusy) {
        setText(this.status, note || 'Choose a checkpoint, and see what its policy does.');
      }
    }
  }
}

export const episode: WidgetView = (model: WidgetModel, host: HTMLElement) => {
  const view = new EpisodeView(model, host);
  return () => view.dispose();
};
