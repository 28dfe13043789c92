import { MainAreaWidget } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { courseIcon } from './icon';
import { confined } from './confine';
import type { ISubmission } from './types';

/** A feedback page: students' words and outputs, so it is shown where no script can run. */
export function feedbackWidget(submission: ISubmission, html: string): MainAreaWidget<Widget> {
  const title = `Feedback: ${submission.assignment}, attempt ${submission.attempt}`;
  const frame = document.createElement('iframe');
  frame.className = 'jp-PPO-feedbackFrame';
  frame.title = title;
  frame.setAttribute('sandbox', '');
  frame.referrerPolicy = 'no-referrer';
  frame.srcdoc = confined(html);
  const content = new Widget();
  content.addClass('jp-PPO-feedbackPage');
  content.node.appendChild(frame);
  const widget = new MainAreaWidget({ content });
  widget.id = feedbackId(submission);
  widget.toolbar.hide();
  widget.title.label = title;
  widget.title.caption = title;
  widget.title.icon = courseIcon;
  widget.title.closable = true;
  return widget;
}

/** One widget per attempt, so that asking again shows the same tab. */
export function feedbackId(submission: ISubmission): string {
  return `jupyter-ppo:feedback:${submission.id}`;
}
