/** A notebook around an output, as far as the renderer of runs looks at it. */

import { Signal } from '@lumino/signaling';
import { Panel, Widget } from '@lumino/widgets';

import { RUN_MIME, VIEW_MIME } from '../picture/bundle';
import type { IHost } from '../picture/host';
import { RunPicture } from '../picture/runPicture';

export type Data = Record<string, unknown>;

/** What the kernel displays for a run. */
export function bundle(modelId: string, svg = '<svg/>', directory = '/home/me/runs/a'): Data {
  return {
    'text/plain': `<LiveRun ${modelId}>`,
    'image/svg+xml': svg,
    [VIEW_MIME]: { version_major: 2, version_minor: 0, model_id: modelId },
    [RUN_MIME]: { format: 1, directory, title: 'CartPole-v1, seed 3', model_id: modelId }
  };
}

/** The renderer of the widget manager: it only writes into its node. */
export class ManagerView extends Panel {
  modelId = '';

  async renderModel({ data }: { data: Data }): Promise<void> {
    this.modelId = (data[VIEW_MIME] as { model_id: string }).model_id;
    this.node.textContent = 'Loading widget...';
  }

  /** The widget is there. */
  show_(): void {
    this.node.textContent = '';
    this.addWidget(new Widget());
  }

  /** There is no such model. */
  fail(): void {
    this.node.textContent = 'Error displaying widget: model not found';
    this.addClass('jupyter-widgets');
  }

  /** The kernel is gone, the view still stands. */
  disconnect(): void {
    this.widgets[0]?.addClass('jupyter-widgets-disconnected');
  }

  /** The widget was closed in the kernel. */
  end(): void {
    this.widgets[0]?.dispose();
  }
}

/** An output of the notebook. */
export class OutputModel {
  trusted = true;
  readonly metadata = {};
  readonly written: Data[] = [];

  constructor(public data: Data) {}

  setData({ data }: { data?: Data }): void {
    if (data !== undefined) {
      this.data = data;
      this.written.push(data);
    }
  }
}

/** A notebook with a kernel whose answers are set by the test. */
export class FakeNotebook {
  readonly views: ManagerView[] = [];
  readonly executed: string[] = [];
  /** What the kernel displays when code is run, and how it replies. */
  displays: Data | null = null;
  reply: Data = { status: 'ok' };
  hasWidgets = true;
  hasKernel = true;
  readonly output: RunPicture;
  readonly statusChanged = new Signal<object, string>({});
  readonly kernelChanged = new Signal<object, unknown>({});
  readonly iopubMessage = new Signal<object, unknown>({});

  constructor() {
    this.output = new RunPicture({
      findHost: () => this.host,
      hasWidgets: () => this.hasWidgets
    });
    Widget.attach(this.output, document.body);
  }

  get view(): ManagerView | undefined {
    return this.views[this.views.length - 1];
  }

  async render(model: OutputModel): Promise<void> {
    await this.output.renderModel(model as never);
    await settled();
  }

  find(selector: string): HTMLElement {
    const found = this.output.node.querySelector<HTMLElement>(selector);
    if (found === null) {
      throw new Error(`There is no ${selector}.`);
    }
    return found;
  }

  get state(): string | undefined {
    return this.output.node.dataset['view'];
  }

  get pictureIsShown(): boolean {
    return !this.find('.jp-PPO-picture').classList.contains('lm-mod-hidden');
  }

  private readonly host = {
    rendermime: {
      getFactory: () => ({}),
      createRenderer: () => {
        const view = new ManagerView();
        this.views.push(view);
        return view;
      },
      createModel: (options: unknown) => options
    },
    sessionContext: {
      ready: Promise.resolve(),
      statusChanged: this.statusChanged,
      kernelChanged: this.kernelChanged,
      iopubMessage: this.iopubMessage,
      session: {},
      startKernel: async () => {
        this.hasKernel = true;
        return false;
      }
    }
  } as unknown as IHost;

  /** The host's session has a kernel while this notebook has one. */
  connect(): void {
    Object.defineProperty(this.host.sessionContext.session, 'kernel', {
      get: () => (this.hasKernel ? { requestExecute: this._execute } : null)
    });
  }

  private readonly _execute = ({ code }: { code: string }): unknown => {
    this.executed.push(code);
    const future = {
      onIOPub: (() => undefined) as (message: unknown) => void,
      done: Promise.resolve().then(() => {
        if (this.displays !== null) {
          future.onIOPub(display('display_data', this.displays));
        }
        return { content: this.reply };
      })
    };
    return future;
  };
}

/** A message of the kernel. */
export function display(type: string, data: Data): unknown {
  return { header: { msg_type: type }, content: { data } };
}

/** Let promises and observers of the page do their work. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.resolve();
  }
}
