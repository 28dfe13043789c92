import * as React from 'react';

import { timeText } from '../format';
import type { IHint, ILadder } from './types';
import { costText, levelText, nextText } from './words';

interface IHintsProps {
  ladder: ILadder;
  words: string | null;
  isAsking: boolean;
  onAsk: () => void;
}

/** The hints that were given, the one that is being written, and the way to the next. */
export function Hints({ ladder, words, isAsking, onAsk }: IHintsProps): JSX.Element {
  const remark = React.useId();
  if (!ladder.enabled) {
    return <p className="jp-PPO-empty">{ladder.why_not || 'Hints are switched off here.'}</p>;
  }
  const { next } = ladder;
  const cost = next === null ? '' : costText(next.cost_fraction);
  return (
    <>
      {ladder.taken.length > 0 && (
        <ol className="jp-PPO-hints" aria-label="Hints so far">
          {ladder.taken.map(hint => (
            <HintItem key={hint.id} hint={hint} />
          ))}
        </ol>
      )}
      {words !== null && words !== '' && (
        <p className="jp-PPO-hintText jp-mod-coming" aria-hidden="true">
          {words}
        </p>
      )}
      <div className="jp-PPO-buttons">
        <button
          type="button"
          className="jp-PPO-button jp-mod-primary jp-PPO-askHint"
          disabled={isAsking || next === null}
          aria-describedby={remark}
          onClick={onAsk}
        >
          {isAsking ? 'Writing…' : next === null ? 'Next hint' : nextText(next)}
        </button>
      </div>
      <p className="jp-PPO-remark" id={remark}>
        {next === null ? ladder.why_not : cost || 'A hint never is code, and takes no points.'}
      </p>
    </>
  );
}

function HintItem({ hint }: { hint: IHint }): JSX.Element {
  return (
    <li className="jp-PPO-hint" data-level={hint.level}>
      <h4 className="jp-PPO-hintLevel">{levelText(hint.level, hint.number)}</h4>
      <p className="jp-PPO-hintText">{hint.text}</p>
      <p className="jp-PPO-remark">
        {hint.note !== '' && `${hint.note} `}
        {hint.said_by} <time dateTime={hint.at}>{timeText(hint.at)}</time>
        {hint.cost_fraction > 0 && `. ${costText(hint.cost_fraction)}`}
      </p>
    </li>
  );
}
