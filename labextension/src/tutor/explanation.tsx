import * as React from 'react';

import { Problem } from '../instructor/parts';
import type { IExplaining } from './model';
import { questionText } from './words';

interface IExplanationProps {
  explaining: IExplaining;
  onClose: () => void;
  onRetry: () => void;
}

/** What was asked to be explained: the words, then what rules found. */
export function Explanation(props: IExplanationProps): JSX.Element {
  const { explaining, onClose, onRetry } = props;
  const { question, words, done, problem } = explaining;
  return (
    <section className="jp-PPO-explanation" aria-label="Explanation">
      <header className="jp-PPO-row">
        <h3 className="jp-PPO-name">{questionText(question)}</h3>
        <button type="button" className="jp-PPO-button" onClick={onClose}>
          Close
        </button>
      </header>
      {problem !== null && <Problem text={problem} onRetry={onRetry} />}
      {problem === null && done === null && <p role="status">Looking…</p>}
      <div aria-live="polite" aria-busy={done === null && problem === null}>
        {words !== '' && <Paragraphs text={words} />}
      </div>
      {done !== null && done.facts.length > 0 && (
        <details className="jp-PPO-explainedFigures" open>
          <summary>Found by rules ({done.facts.length})</summary>
          <ul className="jp-PPO-explainedFacts" aria-label="Found by rules">
            {done.facts.map((fact, index) => (
              <li key={index}>{fact}</li>
            ))}
          </ul>
        </details>
      )}
      {done !== null && (
        <p className="jp-PPO-remark">
          {done.note !== '' && `${done.note} `}
          {done.said_by}
        </p>
      )}
    </section>
  );
}

/** Plain text in paragraphs; nothing in it is markup. */
function Paragraphs({ text }: { text: string }): JSX.Element {
  return (
    <>
      {text
        .split(/\n{2,}/)
        .filter(each => each.trim() !== '')
        .map((each, index) => (
          <p key={index} className="jp-PPO-hintText">
            {each}
          </p>
        ))}
    </>
  );
}
