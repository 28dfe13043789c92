import * as React from 'react';

import { pointsLabel, pointsText } from '../format';
import type { IRubricCriterion } from '../instructor/gradingTypes';
import { Field } from '../instructor/parts';
import type { ITyped, ITypedResult } from './reviewModel';
import type { IDraft, IDraftResult } from './types';
import { votesText } from './words';

interface IRubricProps {
  draft: IDraft;
  /** What was typed; null while the draft is only read. */
  typed: ITyped | null;
  focused: string | null;
  isFixed: boolean;
  onFocus: (criterion: string) => void;
  onChange: (criterion: string, result: ITypedResult) => void;
}

/** Each criterion with the drafted level, why, and what the samples said. */
export function DraftRubric(props: IRubricProps): JSX.Element {
  const { draft, typed, focused, isFixed, onFocus, onChange } = props;
  return (
    <div className="jp-PPO-rubric">
      {draft.rubric.map(criterion => {
        const drafted = draft.results.find(each => each.criterion === criterion.name) ?? null;
        return (
          <Criterion
            key={criterion.name}
            criterion={criterion}
            drafted={drafted}
            typed={typed?.results[criterion.name] ?? null}
            selfCheck={draft.self_check?.[criterion.name] ?? null}
            isFocused={criterion.name === focused}
            isFixed={isFixed}
            onFocus={() => onFocus(criterion.name)}
            onChange={result => onChange(criterion.name, result)}
          />
        );
      })}
    </div>
  );
}

interface ICriterionProps {
  criterion: IRubricCriterion;
  drafted: IDraftResult | null;
  typed: ITypedResult | null;
  selfCheck: string | null;
  isFocused: boolean;
  isFixed: boolean;
  onFocus: () => void;
  onChange: (result: ITypedResult) => void;
}

function Criterion(props: ICriterionProps): JSX.Element {
  const { criterion, drafted, typed, selfCheck, isFocused, isFixed, onFocus, onChange } = props;
  const id = React.useId();
  const level = typed?.level ?? drafted?.level ?? '';
  const comment = typed?.comment ?? drafted?.reason ?? '';
  return (
    <div
      className="jp-PPO-criterion"
      data-criterion={criterion.name}
      data-focused={isFocused}
      onFocus={onFocus}
    >
      <h4 id={id}>
        {criterion.title} <small>{pointsLabel(criterion.max_points)}</small>
      </h4>
      {criterion.description !== '' && <p>{criterion.description}</p>}
      {criterion.note !== '' && (
        <p className="jp-PPO-remark jp-PPO-staffNote">For graders: {criterion.note}</p>
      )}
      <LevelChoice
        labelledBy={id}
        levels={criterion.levels}
        chosen={level}
        disabled={isFixed}
        onChoose={name => onChange({ level: name, comment })}
      />
      {drafted === null && <p className="jp-PPO-remark">Nothing is drafted for this.</p>}
      {drafted !== null && (
        <Drafted criterion={criterion} drafted={drafted} isFocused={isFocused} onFocus={onFocus} />
      )}
      {selfCheck !== null && (
        <p className="jp-PPO-remark">The student’s own check says: {selfCheck}.</p>
      )}
      {typed === null ? (
        comment !== '' && <p className="jp-PPO-said">{comment}</p>
      ) : (
        <Field label="Reason, as the student reads it">
          {control => (
            <textarea
              {...control}
              aria-label={`Reason for ${criterion.title}`}
              rows={3}
              maxLength={20_000}
              readOnly={isFixed}
              value={typed.comment}
              onChange={event => onChange({ level, comment: event.target.value })}
            />
          )}
        </Field>
      )}
    </div>
  );
}

interface IDraftedProps {
  criterion: IRubricCriterion;
  drafted: IDraftResult;
  isFocused: boolean;
  onFocus: () => void;
}

/** What the samples said and what they quote. */
function Drafted({ criterion, drafted, isFocused, onFocus }: IDraftedProps): JSX.Element {
  return (
    <>
      <p className="jp-PPO-remark">
        Drafted: <strong>{drafted.level}</strong>, {votesText(drafted.level, drafted.votes)}
        {drafted.agreement < 1 && (
          <span className="jp-PPO-badge" data-warn="true">
            The samples disagree
          </span>
        )}
      </p>
      {drafted.evidence !== '' && (
        <div className="jp-PPO-quote">
          <blockquote>{drafted.evidence}</blockquote>
          {drafted.evidence_span !== null && (
            <button
              type="button"
              className="jp-PPO-button"
              aria-pressed={isFocused}
              aria-label={`Mark in the answer: evidence for ${criterion.title}`}
              onClick={onFocus}
            >
              Mark in the answer
            </button>
          )}
        </div>
      )}
    </>
  );
}

interface ILevelsProps {
  labelledBy: string;
  levels: IRubricCriterion['levels'];
  chosen: string;
  disabled?: boolean;
  /** Whether the keys 1 to 9 choose, which is then shown. */
  isNumbered?: boolean;
  onChoose: (level: string) => void;
}

/** The levels of a criterion; arrow keys move in them. */
export function LevelChoice(props: ILevelsProps): JSX.Element {
  const { labelledBy, levels, chosen, disabled, isNumbered, onChoose } = props;
  return (
    <div className="jp-PPO-levels" role="radiogroup" aria-labelledby={labelledBy}>
      {levels.map((level, index) => (
        <label key={level.name} className="jp-PPO-level" data-chosen={level.name === chosen}>
          <input
            type="radio"
            name={`${labelledBy}-level`}
            value={level.name}
            checked={level.name === chosen}
            disabled={disabled}
            onChange={() => onChoose(level.name)}
          />
          <span>
            {isNumbered && index < 9 && <kbd>{index + 1}</kbd>} <strong>{level.name}</strong>{' '}
            <small>{pointsText(level.points)}</small>
            {level.description !== '' && <span className="jp-PPO-remark">{level.description}</span>}
          </span>
        </label>
      ))}
    </div>
  );
}
