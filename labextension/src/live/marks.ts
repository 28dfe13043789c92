/** Live changes, extensions and resumptions: dotted lines through a chart, with words. */
import uPlot from 'uplot';

import type { IPalette } from './colours';
import { isSingle, switchOf } from './content';
import type { IScene } from './content';
import type { StepMark } from './types';

/** A mark and the colour of its run; null: the colour of text, for there is only one run. */
interface IPlacedMark extends StepMark {
  readonly colour: number | null;
}

/** The marks of all runs that are shown, by step. */
export function shownMarks(scene: IScene): IPlacedMark[] {
  const single = isSingle(scene);
  return scene.tracks
    .filter(track => single || !scene.settings.hidden.includes(switchOf(track.id, scene.bands)))
    .flatMap(track =>
      track.marks.map(({ step, text }) => ({
        step,
        text: single ? text : `${track.label}: ${text}`,
        colour: single ? null : track.colour
      }))
    )
    .sort((a, b) => a.step - b.step);
}

/** The marks within `reach` steps of a step. */
export function marksNear(scene: IScene, step: number, reach: number): StepMark[] {
  return shownMarks(scene).filter(mark => Math.abs(mark.step - step) <= reach);
}

/** Pixels of a line of words, which stands above the drawn area so that it hides nothing. */
export const WORDS_HEIGHT = 14;
const LONGEST = 48;

/** Paint the marks in sight; words only where they do not lie upon each other. */
export function paintMarks(plot: uPlot, scene: IScene, palette: IPalette, words: boolean): void {
  const { ctx, bbox } = plot;
  const { pxRatio } = uPlot;
  const { from, to } = scene.range;
  ctx.save();
  ctx.font = `${11 * pxRatio}px ${palette.font}`;
  ctx.textBaseline = 'top';
  ctx.textAlign = 'left';
  let free = bbox.left; // where no words are yet
  for (const mark of shownMarks(scene)) {
    if (mark.step < from || mark.step > to) {
      continue;
    }
    const x = Math.round(bbox.left + ((mark.step - from) / (to - from)) * bbox.width);
    ctx.strokeStyle = mark.colour === null ? palette.ink : palette.colour(mark.colour);
    ctx.lineWidth = pxRatio;
    ctx.setLineDash([1.5 * pxRatio, 3 * pxRatio]);
    ctx.beginPath();
    ctx.moveTo(x + 0.5, bbox.top);
    ctx.lineTo(x + 0.5, bbox.top + bbox.height);
    ctx.stroke();
    if (!words) {
      continue;
    }
    const text = mark.text.length > LONGEST ? `${mark.text.slice(0, LONGEST - 1)}…` : mark.text;
    const width = ctx.measureText(text).width;
    const gap = 4 * pxRatio;
    const right = bbox.left + bbox.width;
    const left = x + width <= right ? x : right - width;
    if (left >= free) {
      ctx.fillStyle = palette.ink;
      ctx.fillText(text, left, bbox.top - WORDS_HEIGHT * pxRatio);
      free = Math.max(left + width, x) + gap;
    }
  }
  ctx.restore();
}
