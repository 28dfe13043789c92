import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';

import { VIEW_MIME } from './bundle';
import type { IHost } from './host';

/** Whether a widget's view can be seen: it is awaited, there, or will not come. */
export type ViewState = 'loading' | 'live' | 'gone';

/** The widget manager puts this on its own node when it has no view to show. */
const FAILED = 'jupyter-widgets';
/** And this on a view whose kernel is gone. */
const DISCONNECTED = 'jupyter-widgets-disconnected';
/** Keeps a view out of sight until it is there. */
const WAITING = 'jp-PPO-view-waiting';

/**
 * The view of one widget by the widget manager's own renderer, which is watched.
 *
 * That renderer says "Loading widget..." until the manager has the model, an error when it has
 * none, and leaves a dead view standing when the kernel restarts. All of that shows in its node.
 */
export class LiveView {
  constructor(
    host: IHost,
    readonly modelId: string,
    private readonly _onState: (state: ViewState) => void
  ) {
    this.widget = host.rendermime.createRenderer(VIEW_MIME);
    this.widget.addClass(WAITING);
    this._observer = new MutationObserver(() => this._look());
    this._observer.observe(this.widget.node, { childList: true, attributeFilter: ['class'] });
    // A copy of its own: the renderer writes into the data when the view is closed.
    const data = { [VIEW_MIME]: { version_major: 2, version_minor: 0, model_id: modelId } };
    this.widget
      .renderModel(host.rendermime.createModel({ data, trusted: true }))
      .then(() => this._look())
      .catch(() => this._become('gone'));
  }

  /** What is put below the picture. */
  readonly widget: IRenderMime.IRenderer;

  get state(): ViewState {
    return this._state;
  }

  /** Let go of the view. */
  dispose(): void {
    this._isDisposed = true;
    this._observer.disconnect();
    this.widget.dispose();
  }

  private _look(): void {
    if (this._isDisposed) {
      return;
    }
    const { node } = this.widget;
    const view = node.firstElementChild;
    if (view !== null && view !== this._view) {
      this._view = view;
      this._observer.observe(view, { attributeFilter: ['class'] });
    }
    if (view === null) {
      const hasFailed = node.classList.contains(FAILED);
      this._become(hasFailed || this._state !== 'loading' ? 'gone' : 'loading');
    } else {
      this._become(view.classList.contains(DISCONNECTED) ? 'gone' : 'live');
    }
  }

  private _become(state: ViewState): void {
    if (this._isDisposed || state === this._state) {
      return;
    }
    this._state = state;
    this.widget.toggleClass(WAITING, state !== 'live');
    this._onState(state);
  }

  private readonly _observer: MutationObserver;
  private _view: Element | null = null;
  private _state: ViewState = 'loading';
  private _isDisposed = false;
}
