import * as React from 'react';

import { moved, newLevel, replaced } from './outcomeModel';
import type { ICriterionDraft, ILevelDraft } from './outcomeModel';
import { Field } from './parts';

interface ICriterionProps {
  criterion: ICriterionDraft;
  /** Its place in the rubric, from 1. */
  number: number;
  count: number;
  onChange: (criterion: ICriterionDraft) => void;
  onMove: (steps: number) => void;
  onRemove: () => void;
}

/** One criterion and its levels. */
export function CriterionEditor(props: ICriterionProps): JSX.Element {
  const { criterion, number, count, onChange, onMove, onRemove } = props;
  const { levels } = criterion;
  const text = (
    name: 'name' | 'title' | 'description' | 'note',
    label: string,
    hint?: string
  ): JSX.Element => (
    <Field label={label} {...(hint === undefined ? {} : { hint })}>
      {control => (
        <input
          {...control}
          name={`criterion-${name}`}
          value={criterion[name]}
          onChange={event => onChange({ ...criterion, [name]: event.target.value })}
        />
      )}
    </Field>
  );
  const what = `criterion ${number}`;
  return (
    <div className="jp-PPO-criterionForm" role="group" aria-label={`Criterion ${number}`}>
      <div className="jp-PPO-withButton">
        <strong>Criterion {number}</strong>
        <MoveButtons
          what={what}
          at={number - 1}
          count={count}
          onMove={onMove}
          onRemove={onRemove}
        />
      </div>
      <div className="jp-PPO-formFields">
        {text('name', 'Name', 'A column of the gradebook.')}
        {text('title', 'Title')}
        {text('description', 'Description')}
        {text('note', 'Note for graders', 'Students never see it.')}
      </div>
      <ol className="jp-PPO-levelForms" aria-label={`Levels of ${what}`}>
        {levels.map((level, at) => (
          <li key={level.key}>
            <LevelFields
              level={level}
              onChange={edited => onChange({ ...criterion, levels: replaced(levels, at, edited) })}
            />
            <MoveButtons
              what={`level ${at + 1} of ${what}`}
              at={at}
              count={levels.length}
              onMove={steps => onChange({ ...criterion, levels: moved(levels, at, steps) })}
              onRemove={() =>
                onChange({ ...criterion, levels: levels.filter((_, index) => index !== at) })
              }
            />
          </li>
        ))}
      </ol>
      <div>
        <button
          type="button"
          className="jp-PPO-button"
          aria-label={`Add a level to ${what}`}
          onClick={() => onChange({ ...criterion, levels: [...levels, newLevel('', '')] })}
        >
          Add a level
        </button>
      </div>
    </div>
  );
}

interface ILevelProps {
  level: ILevelDraft;
  onChange: (level: ILevelDraft) => void;
}

function LevelFields({ level, onChange }: ILevelProps): JSX.Element {
  const field = (name: 'name' | 'points' | 'description', label: string): JSX.Element => (
    <input
      aria-label={label}
      placeholder={label}
      name={`level-${name}`}
      inputMode={name === 'points' ? 'decimal' : 'text'}
      value={level[name]}
      onChange={event => onChange({ ...level, [name]: event.target.value })}
    />
  );
  return (
    <div className="jp-PPO-levelFields">
      {field('name', 'Level')}
      {field('points', 'Points')}
      {field('description', 'What it takes')}
    </div>
  );
}

interface IMoveProps {
  what: string;
  at: number;
  count: number;
  onMove: (steps: number) => void;
  onRemove: () => void;
}

function MoveButtons({ what, at, count, onMove, onRemove }: IMoveProps): JSX.Element {
  return (
    <div className="jp-PPO-rowActions">
      <button
        type="button"
        className="jp-PPO-button"
        aria-label={`Move ${what} up`}
        disabled={at === 0}
        onClick={() => onMove(-1)}
      >
        ↑
      </button>
      <button
        type="button"
        className="jp-PPO-button"
        aria-label={`Move ${what} down`}
        disabled={at + 1 >= count}
        onClick={() => onMove(1)}
      >
        ↓
      </button>
      <button
        type="button"
        className="jp-PPO-button"
        aria-label={`Remove ${what}`}
        onClick={onRemove}
      >
        Remove
      </button>
    </div>
  );
}
