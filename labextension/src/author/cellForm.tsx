import * as React from 'react';

import type { IMarkedCell, Kind } from './cells';
import { gradeIdProblem, hasPoints, isLocked, KIND_LABELS, kindsOf, pointsProblem } from './cells';
import type { AuthorModel } from './model';

/** The fields for the cell with the cursor. */
export function CellForm({ model }: { model: AuthorModel }): JSX.Element {
  const { cells } = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const cell = model.activeCell;
  const id = React.useId();
  if (cell === null) {
    return <p className="jp-PPO-authorHint">Select a cell to mark it for grading.</p>;
  }
  if (cell.released || !model.isOfUse) {
    return (
      <p className="jp-PPO-authorHint">
        {cell.kind === 'ordinary' ? 'This cell is not graded.' : `${KIND_LABELS[cell.kind]}.`}{' '}
        {cell.released && 'This is a students’ copy; mark the cells of its source.'}
      </p>
    );
  }
  const kinds = kindsOf(cell.type);
  return (
    <div className="jp-PPO-cellForm" role="group" aria-label="PPO: this cell">
      <label htmlFor={`${id}-kind`}>Kind</label>
      <select
        id={`${id}-kind`}
        className="jp-PPO-cellKind"
        value={cell.kind}
        onChange={event => model.setKind(event.currentTarget.value as Kind)}
      >
        {(kinds.includes(cell.kind) ? kinds : [...kinds, cell.kind]).map(kind => (
          <option key={kind} value={kind}>
            {KIND_LABELS[kind]}
          </option>
        ))}
      </select>
      {cell.kind !== 'ordinary' && (
        <>
          <GradeIdField key={`id-${cell.index}`} cell={cell} cells={cells} model={model} />
          {hasPoints(cell.kind) && (
            <PointsField key={`points-${cell.index}`} cell={cell} model={model} />
          )}
          {cell.kind === 'tests' && (
            <label className="jp-PPO-authorCheck">
              <input
                type="checkbox"
                className="jp-PPO-cellUnsealed"
                checked={cell.unsealed}
                onChange={event => model.setUnsealed(event.currentTarget.checked)}
              />{' '}
              Unsealed: run in the student’s own process
            </label>
          )}
          <p className="jp-PPO-authorHint">
            {isLocked(cell.kind)
              ? 'Locked: students cannot change it.'
              : 'Students write in this cell.'}
          </p>
        </>
      )}
    </div>
  );
}

interface IFieldProps {
  cell: IMarkedCell;
  model: AuthorModel;
}

function GradeIdField(props: IFieldProps & { cells: readonly IMarkedCell[] }): JSX.Element {
  const { cell, cells, model } = props;
  const id = React.useId();
  const problem = gradeIdProblem(cell.gradeId, cell.index, cells);
  return (
    <>
      <label htmlFor={id}>grade_id</label>
      <input
        id={id}
        type="text"
        className="jp-PPO-cellId"
        value={cell.gradeId}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : `${id}-problem`}
        onChange={event => model.setGradeId(event.currentTarget.value)}
      />
      {problem !== null && (
        <p className="jp-PPO-authorProblem" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </>
  );
}

/** Points are written once they are a number; what is typed stays in the field meanwhile. */
function PointsField({ cell, model }: IFieldProps): JSX.Element {
  const id = React.useId();
  const [typed, setTyped] = React.useState<string | null>(null);
  const shown = typed ?? (cell.points === null ? '' : String(cell.points));
  const number = shown.trim() === '' ? NaN : Number(shown);
  const problem = pointsProblem(Number.isFinite(number) ? number : null);
  return (
    <>
      <label htmlFor={id}>Points</label>
      <input
        id={id}
        type="number"
        min={0}
        step="any"
        className="jp-PPO-cellPoints"
        value={shown}
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : `${id}-problem`}
        onChange={event => {
          const text = event.currentTarget.value;
          setTyped(text);
          if (text.trim() !== '' && pointsProblem(Number(text)) === null) {
            model.setPoints(Number(text));
          }
        }}
        onBlur={() => setTyped(null)}
      />
      {problem !== null && (
        <p className="jp-PPO-authorProblem" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
