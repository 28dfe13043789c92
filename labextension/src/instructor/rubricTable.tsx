import * as React from 'react';

import { pointsText } from '../format';
import type { IRubricCriterion } from './gradingTypes';
import { resultOf } from './outcomeModel';
import type { IOutcomeDraft, IResultDraft } from './outcomeModel';
import { Field } from './parts';

interface IRubricProps {
  rubric: readonly IRubricCriterion[];
  draft: IOutcomeDraft;
  onChange: (draft: IOutcomeDraft) => void;
}

/** Criteria with their levels to choose from; arrow keys move in a criterion. */
export function RubricTable({ rubric, draft, onChange }: IRubricProps): JSX.Element {
  return (
    <div className="jp-PPO-rubric">
      {rubric.map(criterion => (
        <CriterionRow
          key={criterion.name}
          criterion={criterion}
          result={resultOf(draft, criterion.name)}
          onChange={result =>
            onChange({ ...draft, results: { ...draft.results, [criterion.name]: result } })
          }
        />
      ))}
    </div>
  );
}

interface IRowProps {
  criterion: IRubricCriterion;
  result: IResultDraft;
  onChange: (result: IResultDraft) => void;
}

function CriterionRow({ criterion, result, onChange }: IRowProps): JSX.Element {
  const id = React.useId();
  const chosen = criterion.levels.find(level => level.name === result.level);
  return (
    <div className="jp-PPO-criterion" data-criterion={criterion.name}>
      <h4 id={id}>
        {criterion.title} <small>{pointsText(criterion.max_points)} points</small>
      </h4>
      {criterion.description !== '' && <p>{criterion.description}</p>}
      {criterion.note !== '' && (
        <p className="jp-PPO-remark jp-PPO-staffNote">For graders: {criterion.note}</p>
      )}
      <div className="jp-PPO-levels" role="radiogroup" aria-labelledby={id}>
        {criterion.levels.map(level => (
          <label
            key={level.name}
            className="jp-PPO-level"
            data-chosen={level.name === result.level}
          >
            <input
              type="radio"
              name={`${id}-level`}
              value={level.name}
              checked={level.name === result.level}
              onChange={() => onChange({ ...result, level: level.name, points: '' })}
            />
            <span>
              <strong>{level.name}</strong> <small>{pointsText(level.points)}</small>
              {level.description !== '' && (
                <span className="jp-PPO-remark">{level.description}</span>
              )}
            </span>
          </label>
        ))}
      </div>
      <div className="jp-PPO-criterionWords">
        <Field label="Comment">
          {control => (
            <textarea
              {...control}
              aria-label={`Comment on ${criterion.title}`}
              rows={2}
              maxLength={20_000}
              value={result.comment}
              onChange={event => onChange({ ...result, comment: event.target.value })}
            />
          )}
        </Field>
        <Field label="Points">
          {control => (
            <input
              {...control}
              aria-label={`Points of ${criterion.title}`}
              inputMode="decimal"
              autoComplete="off"
              placeholder={chosen === undefined ? '' : pointsText(chosen.points)}
              value={result.points}
              onChange={event => onChange({ ...result, points: event.target.value })}
            />
          )}
        </Field>
      </div>
    </div>
  );
}
