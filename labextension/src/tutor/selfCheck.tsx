import * as React from 'react';

import { pointsText } from '../format';
import type { ICheckedCriterion, ISelfCheck } from './types';

interface ISelfCheckProps {
  check: ISelfCheck;
  busy: boolean;
  onChange: (levels: Readonly<Record<string, string>>) => void;
}

/** The rubric of an answer in words: the person chooses the level that they think they reached. */
export function SelfCheck({ check, busy, onChange }: ISelfCheckProps): JSX.Element {
  return (
    <>
      <p className="jp-PPO-remark">
        Read your answer once more and say where you think it stands. It gives no points; whoever
        marks your answer can see it.
      </p>
      {check.rubric.map(criterion => (
        <Criterion
          key={criterion.name}
          criterion={criterion}
          chosen={check.levels[criterion.name] ?? null}
          busy={busy}
          onChoose={level => onChange({ ...check.levels, [criterion.name]: level })}
        />
      ))}
    </>
  );
}

interface ICriterionProps {
  criterion: ICheckedCriterion;
  chosen: string | null;
  busy: boolean;
  onChoose: (level: string) => void;
}

function Criterion({ criterion, chosen, busy, onChoose }: ICriterionProps): JSX.Element {
  const name = React.useId();
  return (
    <fieldset className="jp-PPO-selfCheck" data-criterion={criterion.name}>
      <legend>{criterion.title}</legend>
      {criterion.description !== '' && <p>{criterion.description}</p>}
      {criterion.levels.map(level => (
        <label key={level.name} className="jp-PPO-selfCheckLevel">
          <input
            type="radio"
            name={name}
            value={level.name}
            checked={chosen === level.name}
            aria-disabled={busy}
            onChange={() => !busy && onChoose(level.name)}
          />
          <span>
            <strong>{level.name}</strong> ({pointsText(level.points)}{' '}
            {level.points === 1 ? 'point' : 'points'})
            {level.description !== '' && `: ${level.description}`}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
