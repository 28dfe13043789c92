/** Words of the tutor, without any drawing. */

import { pointsText } from '../format';
import type { HintLevel, INextHint, ITutorStatus, Question } from './types';

export const LEVEL_WORDS: Readonly<Record<HintLevel, string>> = {
  restate: 'What is asked',
  concept: 'The idea',
  location: 'Where to look',
  step: 'The next step'
};

const LEVELS = 4;

/** What the head of the panel says of the server. */
export function statusText(status: ITutorStatus): string {
  return status.available
    ? `A language model is set up on this server: ${status.model} at ${status.host}. ` +
        'Under each hint and explanation stands who wrote it.'
    : 'No language model is set up on this server. Hints are by the author of the course, ' +
        'explanations are made by rules, and nothing of the course is missing.';
}

/** `Level 2 of 4: The idea`. */
export function levelText(level: HintLevel, number: number): string {
  return `Level ${number} of ${LEVELS}: ${LEVEL_WORDS[level]}`;
}

/** The label of the button that asks for the next hint. */
export function nextText(next: INextHint): string {
  return `Hint ${next.number}: ${LEVEL_WORDS[next.level]}`;
}

/** What a hint takes from the points; empty when it takes nothing. */
export function costText(fraction: number): string {
  return fraction > 0
    ? `Takes ${pointsText(Math.round(fraction * 1000) / 10)} % of this exercise's points.`
    : '';
}

/** The heading of an explanation. */
export function questionText(question: Question): string {
  if (question.kind === 'error') {
    return `About ${question.error_type}`;
  }
  if (question.kind === 'cell') {
    return 'About this cell';
  }
  return question.update === undefined
    ? 'About this run'
    : `About this run, around update ${question.update}`;
}
