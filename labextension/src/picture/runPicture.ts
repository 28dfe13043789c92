import type { ISessionContext } from '@jupyterlab/apputils';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { Kernel, KernelMessage, Session } from '@jupyterlab/services';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';

import type { IRunBundle } from './bundle';
import { readBundle, VIEW_MIME } from './bundle';
import type { IHost } from './host';
import type { ViewState } from './liveView';
import { LiveView } from './liveView';
import type { INotice } from './savedPicture';
import { SavedPicture } from './savedPicture';
import { displayed, showRun } from './show';

/** What a renderer of runs finds its surroundings with. */
export interface ISurroundings {
  /** The notebook or console around an output, once it is in the page. */
  findHost(output: RunPicture): IHost | null;
  /** Whether the widget manager has connected itself to a host's renderers. */
  hasWidgets(host: IHost): boolean;
}

/** How often, in milliseconds, it is looked for the widget manager, and for how long. */
const LOOK_EVERY = 100;
const LOOK_AT_MOST = 100;
/** After so many milliseconds without a view it is said that one is awaited. */
const PATIENCE = 5000;

const SAVED: INotice = { text: 'Saved picture.', canShow: true };
const AWAITED: INotice = {
  text: 'Saved picture. The live view comes when the kernel answers.',
  canShow: true
};
const UNABLE: INotice = {
  text: 'Saved picture. This page cannot show widgets; reload it when the kernel runs.',
  canShow: true
};
/** The status of a kernel that takes its widgets with it. */
const ENDING: readonly string[] = ['restarting', 'autorestarting', 'terminating', 'dead'];

/** Widgets whose kernel ended while this page was open: the manager would show dead views. */
const lost = new WeakMap<ISessionContext, Set<string>>();

/**
 * A training run in a notebook: its picture at once, and its live view in place of it when that is
 * really there.
 *
 * When the view goes (the kernel was restarted, the notebook is opened another day), the picture is
 * back, with a button that shows the run live again.
 */
export class RunPicture extends Panel implements IRenderMime.IRenderer {
  constructor(private readonly _surroundings: ISurroundings) {
    super();
    this.addClass('jp-PPO-savedRun');
    this.node.tabIndex = -1;
    this._picture = new SavedPicture(() => void this._show());
    this.addWidget(this._picture);
    this._become('loading');
  }

  /** Show a bundle. A newer one of the same widget replaces the picture; a live view stays. */
  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const bundle = readBundle(model.data);
    if (bundle === null) {
      throw new Error('This run was saved by a newer version of jupyter_ppo.');
    }
    this._model = model;
    if (bundle.modelId !== this._bundle?.modelId) {
      this._dropView();
    }
    this._bundle = bundle;
    this._picture.draw(bundle);
    this._connect();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    window.clearTimeout(this._patience);
    window.clearTimeout(this._look);
    this._disconnect();
    this._view?.dispose();
    this._view = null;
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._connect();
  }

  /** Find the kernel and, when there is a widget to show, try its view. */
  private _connect(): void {
    if (this._bundle === null || !this.isAttached) {
      return;
    }
    const host = this._surroundings.findHost(this);
    if (host?.sessionContext !== this._host?.sessionContext) {
      this._disconnect();
      host?.sessionContext.statusChanged.connect(this._onStatus, this);
      host?.sessionContext.kernelChanged.connect(this._onKernel, this);
      host?.sessionContext.iopubMessage.connect(this._onMessage, this);
    }
    this._host = host;
    if (host === null) {
      this._picture.say(null); // a picture in some other place, such as a log
    } else if (this._view === null) {
      void this._tryView(host);
    }
  }

  private _disconnect(): void {
    this._host?.sessionContext.statusChanged.disconnect(this._onStatus, this);
    this._host?.sessionContext.kernelChanged.disconnect(this._onKernel, this);
    this._host?.sessionContext.iopubMessage.disconnect(this._onMessage, this);
    this._host = null;
  }

  private async _tryView(host: IHost): Promise<void> {
    const modelId = this._bundle?.modelId ?? '';
    const isTrusted = this._model?.trusted === true || this._ours.has(modelId);
    if (modelId === '' || !isTrusted || lost.get(host.sessionContext)?.has(modelId)) {
      this._become('gone');
      return;
    }
    if (this._trying === modelId) {
      return;
    }
    this._trying = modelId;
    this._waitWithPatience();
    await host.sessionContext.ready;
    this._lookForWidgets(host, modelId, LOOK_AT_MOST);
  }

  /** The manager connects itself once the kernel is known; nothing says when it has. */
  private _lookForWidgets(host: IHost, modelId: string, looks: number): void {
    if (this.isDisposed || this._view !== null || this._trying !== modelId) {
      return;
    }
    if (
      host.rendermime.getFactory(VIEW_MIME) !== undefined &&
      this._surroundings.hasWidgets(host)
    ) {
      this._trying = null;
      this._view = new LiveView(host, modelId, state => this._become(state));
      this.addWidget(this._view.widget);
    } else if (looks > 0) {
      this._look = window.setTimeout(
        () => this._lookForWidgets(host, modelId, looks - 1),
        LOOK_EVERY
      );
    } else {
      this._trying = null;
      this._become('gone', UNABLE);
    }
  }

  private _waitWithPatience(): void {
    window.clearTimeout(this._patience);
    this._become('loading');
    this._patience = window.setTimeout(() => {
      if (this._state === 'loading') {
        this._picture.say(AWAITED);
      }
    }, PATIENCE);
  }

  private _dropView(): void {
    this._view?.dispose();
    this._view = null;
    this._trying = null;
  }

  private _become(state: ViewState, notice: INotice = SAVED): void {
    this._state = state;
    this.node.dataset['view'] = state;
    this._picture.setHidden(state === 'live');
    this._picture.say(state === 'gone' ? notice : null);
    if (state === 'live') {
      this._picture.complain('');
    }
  }

  /** The kernel is going: its widgets are dead, whatever is still drawn of them. */
  private _lose(): void {
    const host = this._host;
    if (host === null || this._bundle === null) {
      return;
    }
    const models = lost.get(host.sessionContext) ?? new Set();
    lost.set(host.sessionContext, models.add(this._bundle.modelId));
    this._dropView();
    this._become('gone');
  }

  private _onStatus(_: ISessionContext, status: Kernel.Status): void {
    if (ENDING.includes(status)) {
      this._lose();
    }
  }

  private _onKernel(
    _: ISessionContext,
    { oldValue, newValue }: Session.ISessionConnection.IKernelChangedArgs
  ): void {
    if (oldValue !== null && oldValue.id !== newValue?.id) {
      this._lose();
    }
  }

  /** A newer picture, also for a display that was made before the page was opened. */
  private _onMessage(_: ISessionContext, message: KernelMessage.IMessage): void {
    if (message.header.msg_type !== 'update_display_data' || this._model === null) {
      return;
    }
    const data = displayed(message);
    const bundle = data === null ? null : readBundle(data);
    const shown = this._bundle;
    if (
      data !== null &&
      bundle !== null &&
      shown !== null &&
      bundle.modelId === shown.modelId &&
      (bundle.svg !== shown.svg || bundle.text !== shown.text)
    ) {
      this._model.setData({ data });
    }
  }

  /** Show the run live: the button's task. */
  private async _show(): Promise<void> {
    const { _host: host, _bundle: bundle, _model: model } = this;
    if (host === null || bundle === null || model === null) {
      return;
    }
    const hadFocus = this.node.contains(document.activeElement);
    this._picture.sayBusy();
    try {
      const data = await showRun(host, bundle.code);
      const shown = readBundle(data);
      if (this.isDisposed || shown === null) {
        return;
      }
      this._ours.add(shown.modelId);
      model.setData({ data }); // into the notebook, so that it is saved, and from there back here
      if (this._bundle?.modelId !== shown.modelId) {
        await this.renderModel(model);
      }
      if (hadFocus) {
        this.node.focus();
      }
    } catch (reason) {
      if (!this.isDisposed) {
        this._become('gone');
        this._picture.complain(reason instanceof Error ? reason.message : String(reason));
      }
    }
  }

  private readonly _picture: SavedPicture;
  /** Widgets that were made by the button: to be shown also where the notebook is not trusted. */
  private readonly _ours = new Set<string>();
  private _model: IRenderMime.IMimeModel | null = null;
  private _bundle: IRunBundle | null = null;
  private _host: IHost | null = null;
  private _view: LiveView | null = null;
  private _trying: string | null = null;
  private _state: ViewState = 'loading';
  private _patience = 0;
  private _look = 0;
}
