import * as React from 'react';

import { HtmlFrame } from '../instructor/frame';
import { Check, Empty } from '../instructor/parts';
import { pieces } from './highlight';
import type { IPiece } from './highlight';
import type { IDraft, IDraftResult } from './types';
import { findingText, flagText } from './words';

interface IAnswerProps {
  draft: IDraft;
  /** The criterion whose evidence is marked. */
  result: IDraftResult | null;
  onLeave: () => void;
}

/** The question and the answer: as text with what matters marked in it, or as it looks. */
export function DraftAnswer({ draft, result, onLeave }: IAnswerProps): JSX.Element {
  const [isRendered, setRendered] = React.useState(false);
  return (
    <>
      {draft.prompt_html !== '' && (
        <>
          <h4>Question</h4>
          <HtmlFrame title="Question" html={draft.prompt_html} onLeave={onLeave} />
        </>
      )}
      <div className="jp-PPO-withButton">
        <h4>Answer</h4>
        <Check label="As it looks" checked={isRendered} onChange={setRendered} />
      </div>
      {draft.answer_text.trim() === '' ? (
        <Empty>The answer is empty.</Empty>
      ) : isRendered ? (
        <HtmlFrame title="Answer" html={draft.answer_html} onLeave={onLeave} />
      ) : (
        <MarkedText draft={draft} result={result} />
      )}
      <Legend draft={draft} result={result} />
    </>
  );
}

function MarkedText({ draft, result }: Omit<IAnswerProps, 'onLeave'>): JSX.Element {
  const box = React.useRef<HTMLPreElement>(null);
  const span = result?.evidence_span ?? null;
  const parts = React.useMemo(() => pieces(draft.answer_text, span, draft.findings), [draft, span]);
  React.useEffect(() => {
    const text = box.current;
    const mark = text?.querySelector('mark');
    if (text && mark) {
      // Only the text moves, never the page.
      text.scrollTop = Math.max(0, mark.offsetTop - text.offsetTop - text.clientHeight / 3);
    }
  }, [parts]);
  return (
    <pre ref={box} className="jp-PPO-answerText" tabIndex={0} role="region" aria-label="Answer">
      {parts.map((piece, index) => (
        <Piece key={index} piece={piece} />
      ))}
    </pre>
  );
}

function Piece({ piece }: { piece: IPiece }): JSX.Element {
  const inner = piece.isEvidence ? <mark>{piece.text}</mark> : piece.text;
  if (piece.flags.length === 0) {
    return <>{inner}</>;
  }
  return (
    <>
      {piece.begins.map(flag => (
        <span key={flag} className="jp-PPO-findingLabel" title={flagText(flag)}>
          {findingText(flag)}:
        </span>
      ))}
      <span className="jp-PPO-finding">{inner}</span>
    </>
  );
}

/** What the two styles mean, and what is not to be seen in the text. */
function Legend({ draft, result }: Omit<IAnswerProps, 'onLeave'>): JSX.Element | null {
  if (result === null && draft.findings.length === 0) {
    return null;
  }
  const title = draft.rubric.find(each => each.name === result?.criterion)?.title;
  return (
    <p className="jp-PPO-remark">
      {result !== null &&
        (result.evidence_span !== null ? (
          <>
            <mark>Marked</mark> is what the draft quotes for “{title}”.{' '}
          </>
        ) : (
          <>The draft quotes nothing for “{title}”. </>
        ))}
      {draft.findings.length > 0 && (
        <>
          <span className="jp-PPO-finding">Underlined</span> is what a detector found; it takes no
          points off.
        </>
      )}
    </p>
  );
}
