/** A text cut into pieces: plain, evidence, or what a detector found. */

import type { Flag, IFinding } from './types';

/** A piece of the text; a piece may be evidence and a finding at once. */
export interface IPiece {
  text: string;
  isEvidence: boolean;
  /** The findings that cover this piece. */
  flags: Flag[];
  /** Those that begin here: their labels stand before it. */
  begins: Flag[];
}

/** Cut `text`; the spans count characters, of which JavaScript counts some twice. */
export function pieces(
  text: string,
  evidence: readonly [number, number] | null,
  findings: readonly IFinding[]
): IPiece[] {
  const characters = [...text];
  const inside = (at: number): number => Math.max(0, Math.min(characters.length, at));
  const spans = findings
    .map(({ flag, start, end }) => ({ flag, start: inside(start), end: inside(end) }))
    .filter(({ start, end }) => start < end);
  const [from, to] = evidence === null ? [0, 0] : [inside(evidence[0]), inside(evidence[1])];
  const ends = [0, characters.length, from, to, ...spans.flatMap(({ start, end }) => [start, end])];
  const cuts = [...new Set(ends)].sort((a, b) => a - b);
  return cuts.slice(0, -1).map((start, index) => {
    const end = cuts[index + 1] ?? characters.length;
    const over = spans.filter(span => span.start <= start && end <= span.end);
    return {
      text: characters.slice(start, end).join(''),
      isEvidence: from <= start && end <= to && from < to,
      flags: over.map(({ flag }) => flag),
      begins: over.filter(span => span.start === start).map(({ flag }) => flag)
    };
  });
}
