import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { IThemeManager } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { courseIcon } from './icon';
import { confined, coloured } from './confine';
import type { ISubmission } from './types';

/** A feedback page: students' words and outputs, so it is shown where no script can run. */
class FeedbackPage extends Widget {
  constructor(
    title: string,
    private readonly _html: string,
    private readonly _themes: IThemeManager | null
  ) {
    super();
    this.addClass('jp-PPO-feedbackPage');
    this._frame.className = 'jp-PPO-feedbackFrame';
    this._frame.title = title;
    this._frame.setAttribute('sandbox', '');
    this._frame.referrerPolicy = 'no-referrer';
    this.node.appendChild(this._frame);
    this._load();
    this._themes?.themeChanged.connect(this._load, this);
  }

  /** The page as it is in this theme; nothing outside can change it once it is in its frame. */
  private _load(): void {
    const theme = this._themes?.theme ?? null;
    const isDark = theme !== null && !this._themes?.isLight(theme);
    const page = confined(coloured(this._html, isDark ? 'dark' : 'light'));
    if (page !== this._frame.srcdoc) {
      this._frame.srcdoc = page;
    }
  }

  private readonly _frame = document.createElement('iframe');
}

/** The tab with the feedback on one attempt. */
export function feedbackWidget(
  submission: ISubmission,
  html: string,
  themes: IThemeManager | null
): MainAreaWidget<Widget> {
  // Attempts differ, assignments seldom do: the end of a tab's label is cut off.
  const label = `Attempt ${submission.attempt}: ${submission.assignment}`;
  const title = `Feedback on attempt ${submission.attempt}: ${submission.assignment}`;
  const widget = new MainAreaWidget({ content: new FeedbackPage(title, html, themes) });
  widget.id = feedbackId(submission);
  widget.toolbar.hide();
  widget.title.label = label;
  widget.title.caption = title;
  widget.title.icon = courseIcon;
  widget.title.closable = true;
  return widget;
}

/** One widget per attempt, so that asking again shows the same tab. */
export function feedbackId(submission: ISubmission): string {
  return `jupyter-ppo:feedback:${submission.id}`;
}

/** Show the feedback on an attempt in the main area, in place of an older page of the same one. */
export function showFeedback(
  shell: JupyterFrontEnd.IShell,
  submission: ISubmission,
  html: string,
  themes: IThemeManager | null
): void {
  const id = feedbackId(submission);
  for (const widget of shell.widgets('main')) {
    if (widget.id === id) {
      widget.dispose();
      break;
    }
  }
  shell.add(feedbackWidget(submission, html, themes), 'main');
  shell.activateById?.(id);
}
