import * as React from 'react';

import { caseName, caseProblems } from './form';
import type { CaseField, ICaseRow } from './form';
import type { SandboxModel } from './model';
import type { ISandboxState } from './state';
import type { ICaseRun } from './types';
import { isReady, signOf, verdictText } from './words';

/** The test cases, folded away until they are wanted. */
export function CaseRows({
  state,
  model
}: {
  state: ISandboxState;
  model: SandboxModel;
}): JSX.Element {
  const { rows, verdicts, isTried, busySince, health } = state;
  return (
    <details className="jp-PPO-cases">
      <summary>Test cases ({rows.length})</summary>
      <ol className="jp-PPO-rows" aria-label="Test cases">
        {rows.map((row, index) => (
          <CaseCard
            key={row.id}
            row={row}
            index={index}
            isTried={isTried}
            run={verdicts.get(row.id) ?? null}
            model={model}
          />
        ))}
      </ol>
      <div className="jp-PPO-buttons">
        <button
          type="button"
          className="jp-PPO-button jp-PPO-addCall"
          onClick={() => model.addCase('call')}
        >
          Add call
        </button>
        <button
          type="button"
          className="jp-PPO-button jp-PPO-addInput"
          onClick={() => model.addCase('stdin')}
        >
          Add input and output
        </button>
        {rows.length > 0 && (
          <button
            type="button"
            className="jp-PPO-button jp-PPO-runTests jp-mod-primary"
            aria-disabled={busySince !== null || (health !== null && !isReady(health))}
            onClick={() => void model.runTests()}
          >
            Run test cases
          </button>
        )}
      </div>
    </details>
  );
}

interface ICardProps {
  row: ICaseRow;
  index: number;
  /** Whether also what is still empty is marked as missing. */
  isTried: boolean;
  run: ICaseRun | null;
  model: SandboxModel;
}

function CaseCard({ row, index, isTried, run, model }: ICardProps): JSX.Element {
  const name = row.name || caseName(index);
  const problems = caseProblems(row);
  const field = (id: CaseField, label: string, placeholder: string, lines: number): JSX.Element => (
    <TextField
      label={label}
      ownLabel={`${name}, ${label}`}
      placeholder={placeholder}
      lines={lines}
      value={row[id]}
      problem={isTried || row[id].trim() !== '' ? (problems[id] ?? null) : null}
      onChange={text => model.changeCase(row.id, { [id]: text })}
    />
  );
  return (
    <li className="jp-PPO-case" data-verdict={run?.verdict}>
      <div className="jp-PPO-caseHead">
        <strong>{name}</strong>
        <span role="status">{run !== null && <CaseVerdict run={run} />}</span>
        <button
          type="button"
          className="jp-PPO-button jp-PPO-removeCase"
          aria-label={`Remove ${name}`}
          onClick={() => model.removeCase(row.id)}
        >
          Remove
        </button>
      </div>
      {row.kind === 'stdin' ? (
        <>
          {field('stdin', 'Input', 'what the program reads', 2)}
          {field('expected', 'Expected output', 'what it should print', 2)}
        </>
      ) : (
        <>
          {field('callee', 'Function', 'solve', 1)}
          {field('args', 'Arguments (JSON)', '[1, "a"]', 1)}
          {field('expected', 'Expected value (JSON)', '6', 1)}
        </>
      )}
      {run !== null && run.verdict !== 'passed' && <p className="jp-PPO-detail">{run.detail}</p>}
    </li>
  );
}

/** A verdict as a sign and a word. */
export function CaseVerdict({ run }: { run: ICaseRun }): JSX.Element {
  return (
    <span className="jp-PPO-verdict" data-passed={run.verdict === 'passed'}>
      <span aria-hidden="true">{signOf(run.verdict === 'passed')} </span>
      {verdictText(run.verdict)}
    </span>
  );
}

interface ITextFieldProps {
  label: string;
  /** The label where the field stands alone, as in a list of all fields. */
  ownLabel: string;
  placeholder: string;
  lines: number;
  value: string;
  problem: string | null;
  onChange: (text: string) => void;
}

function TextField(props: ITextFieldProps): JSX.Element {
  const { label, ownLabel, placeholder, lines, value, problem, onChange } = props;
  const id = React.useId();
  return (
    <div className="jp-PPO-field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className="jp-PPO-input"
        rows={lines}
        spellCheck={false}
        placeholder={placeholder}
        value={value}
        aria-label={ownLabel}
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : `${id}-problem`}
        onChange={event => onChange(event.target.value)}
      />
      {problem !== null && (
        <p className="jp-PPO-fieldProblem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  );
}
