/** How flags, states, agreement and money read. */

import { pointsText } from '../format';
import { counted } from '../instructor/words';
import type { BatchState, DraftState, Flag, IDraftBatch, IEstimate, IFigure } from './types';

const FLAGS: Record<Flag, string> = {
  instructions: 'The answer speaks to whoever grades it',
  fake_role: 'The answer has a staff section or role marks',
  forged_result: 'The answer contains a grade as data',
  hidden_text: 'The answer has hidden characters or comments',
  encoded: 'The answer has encoded text',
  pressure: 'The answer pleads, threatens or claims authority',
  canary: 'The secret mark of the prompt came back',
  evidence: 'A quote does not occur in the answer',
  unusable: 'The model gave no usable answer',
  refused: 'The model refused',
  cut_off: 'The model’s answer was cut off',
  disagreement: 'The samples disagree',
  too_long: 'The answer is too long and was not sent',
  empty: 'The answer is empty and was not sent'
};

export function flagText(flag: Flag): string {
  return FLAGS[flag] ?? flag;
}

const SHORT: Partial<Record<Flag, string>> = {
  instructions: 'speaks to the grader',
  fake_role: 'staff section or role mark',
  forged_result: 'grade as data',
  hidden_text: 'hidden text',
  encoded: 'encoded text',
  pressure: 'pressure'
};

/** What stands beside a finding within the answer. */
export function findingText(flag: Flag): string {
  return SHORT[flag] ?? flagText(flag);
}

const STATES: Record<DraftState, string> = {
  drafted: 'Being drafted',
  flagged: 'Look first',
  ready: 'Ready',
  approved: 'Approved',
  edited: 'Edited',
  rejected: 'Rejected'
};

export function draftStateText(state: DraftState): string {
  return STATES[state];
}

/** Whether nobody has decided yet. */
export function isOpen(state: DraftState): boolean {
  return state === 'drafted' || state === 'flagged' || state === 'ready';
}

/** `3 of 3 samples`: how many of them chose this level. */
export function votesText(level: string, votes: Record<string, number>): string {
  const all = Object.values(votes).reduce((sum, count) => sum + count, 0);
  const own = votes[level] ?? 0;
  const others = Object.entries(votes)
    .filter(([name, count]) => name !== level && count > 0)
    .map(([name, count]) => `${count} ${name}`);
  const rest = others.length === 0 ? '' : ` (others: ${others.join(', ')})`;
  return `${own} of ${counted(all, 'sample', 'samples')}${rest}`;
}

/** `1 point`, `2.5 points`. */
export function pointsWords(points: number): string {
  return `${pointsText(points)} ${points === 1 ? 'point' : 'points'}`;
}

/** `67 %`. */
export function percentText(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** An amount with two decimals, or four where two would hide something. */
export function amountText(amount: number): string {
  if (amount > 0 && amount < 0.0001) {
    return '< 0.0001';
  }
  const isWhole = Math.abs(amount * 100 - Math.round(amount * 100)) < 1e-6;
  return amount.toFixed(isWhole || amount >= 10 ? 2 : 4);
}

/** An amount with its currency. */
export function moneyText(amount: number, currency: string): string {
  return `${currency} ${amountText(amount)}`;
}

const BATCH_STATES: Record<BatchState, string> = {
  running: 'Running',
  paused: 'Paused',
  succeeded: 'Finished',
  stopped: 'Stopped',
  cancelled: 'Cancelled'
};

export function batchStateText(state: BatchState): string {
  return BATCH_STATES[state];
}

/** How many answers of a batch will not change any more. */
export function settled(batch: IDraftBatch): number {
  return batch.done + batch.skipped + batch.failed;
}

/** `12 of 30 answers: 10 drafted, 1 skipped, 1 failed`. */
export function progressText(batch: IDraftBatch): string {
  const parts = [`${batch.done} drafted`];
  if (batch.skipped > 0) {
    parts.push(`${batch.skipped} skipped, because a person has judged them`);
  }
  if (batch.failed > 0) {
    parts.push(`${batch.failed} failed`);
  }
  return `${settled(batch)} of ${counted(batch.total, 'answer', 'answers')}: ${parts.join(', ')}`;
}

/** What is asked before money is spent. */
export function estimateText(estimate: IEstimate): string {
  const { answers, calls, cached_calls, cost, currency } = estimate;
  const cached = cached_calls > 0 ? `, ${cached_calls} of them answered before at no cost` : '';
  return (
    `${counted(answers, 'answer', 'answers')}, ${counted(calls, 'call', 'calls')}${cached}. ` +
    `It costs about ${moneyText(cost, currency)}.`
  );
}

/** `0.71 (0.52 to 0.85)`. */
export function figureText(figure: IFigure | null, digits = 2): string {
  if (figure === null) {
    return 'not known yet';
  }
  const { value, low, high } = figure;
  return `${value.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

/** A bias with its sign: `+0.10 (0.00 to +0.25)`. */
export function biasText(figure: IFigure | null): string {
  if (figure === null) {
    return 'not known yet';
  }
  const [value, low, high] = [figure.value, figure.low, figure.high].map(signed);
  return `${value} (${low} to ${high})`;
}

function signed(number: number): string {
  const text = Math.abs(number).toFixed(2);
  return text === '0.00' ? text : `${number < 0 ? '−' : '+'}${text}`;
}

/** A share with its interval: `80 % (65 % to 92 %)`. */
export function shareText(figure: IFigure | null): string {
  return figure === null
    ? 'not known yet'
    : `${percentText(figure.value)} (${percentText(figure.low)} to ${percentText(figure.high)})`;
}

/** What an answer is called; an entry has no exercises. */
export function answerName(gradeId: string, title?: string): string {
  return title || (gradeId === '' ? 'The entry' : gradeId);
}
