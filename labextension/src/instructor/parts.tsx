import * as React from 'react';

import type { IActions, ILoaded, IOutcome } from './resource';

/** What went wrong, with a way to try again. */
export function Problem(props: { text: string; onRetry?: () => void }): JSX.Element {
  return (
    <div className="jp-PPO-notice jp-mod-problem jp-PPO-withButton" role="alert">
      <span>{props.text}</span>
      {props.onRetry && (
        <button type="button" className="jp-PPO-button" onClick={props.onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

interface ILoadedProps<T> {
  loaded: ILoaded<T>;
  onRetry: () => Promise<void>;
  children: (value: T) => React.ReactNode;
}

/** What was fetched, or that it is on its way, or why it is not there. */
export function Loaded<T>({ loaded, onRetry, children }: ILoadedProps<T>): JSX.Element {
  return (
    <>
      {loaded.problem !== null && <Problem text={loaded.problem} onRetry={() => void onRetry()} />}
      {loaded.value !== null && children(loaded.value)}
      {loaded.value === null && loaded.phase === 'loading' && (
        <p className="jp-PPO-empty" role="status">
          Loading…
        </p>
      )}
    </>
  );
}

/** Says that there is nothing, and what one can do. */
export function Empty({ children }: { children: React.ReactNode }): JSX.Element {
  return <p className="jp-PPO-empty">{children}</p>;
}

/** How the last action ended; what can be taken back has a button for it. */
export function Outcome({ actions }: { actions: IActions }): JSX.Element | null {
  const { outcome } = actions;
  // The place is always there, so that screen readers notice when something is put into it.
  return (
    <div className="jp-PPO-acted" aria-live="polite">
      {outcome && <OutcomeNotice outcome={outcome} actions={actions} />}
    </div>
  );
}

function OutcomeNotice(props: { outcome: IOutcome; actions: IActions }): JSX.Element {
  const { outcome, actions } = props;
  const problem = outcome.kind === 'problem';
  const undo = outcome.undo;
  return (
    <div
      className={`jp-PPO-notice jp-PPO-withButton ${problem ? 'jp-mod-problem' : 'jp-mod-done'}`}
      role={problem ? 'alert' : undefined}
    >
      <span>{outcome.text}</span>
      {undo && (
        <button
          type="button"
          className="jp-PPO-button jp-PPO-undo"
          onClick={() => void actions.run(undo)}
        >
          Undo
        </button>
      )}
    </div>
  );
}

interface IFieldProps {
  label: string;
  hint?: string;
  /** What is wrong with what was typed. */
  problem?: string | null;
  /** The control; it gets its id, its description and whether it is wrong. */
  children: (control: IControl) => React.ReactNode;
}

/** What ties a control to its label, its hint and its problem. */
export interface IControl {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: boolean;
}

/** A control with its label above and what is to be known of it below. */
export function Field({ label, hint, problem, children }: IFieldProps): JSX.Element {
  const id = React.useId();
  const said = problem ?? hint;
  const control: IControl = { id };
  if (said !== undefined) {
    control['aria-describedby'] = `${id}-said`;
  }
  if (problem) {
    control['aria-invalid'] = true;
  }
  return (
    <div className="jp-PPO-formField">
      <label htmlFor={id}>{label}</label>
      {children(control)}
      {said !== undefined && (
        <p id={`${id}-said`} className={problem ? 'jp-PPO-formProblem' : 'jp-PPO-remark'}>
          {said}
        </p>
      )}
    </div>
  );
}

interface ICheckProps {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
}

/** A tick box with its label beside it. */
export function Check({ label, checked, onChange, disabled }: ICheckProps): JSX.Element {
  return (
    <label className="jp-PPO-tick">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={event => onChange(event.target.checked)}
      />
      <span>{label}</span>
    </label>
  );
}

interface IChoiceProps<T extends string> extends IControl {
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
  disabled?: boolean;
}

/** A choice of a few words. */
export function Choice<T extends string>(props: IChoiceProps<T>): JSX.Element {
  const { options, onChange, ...rest } = props;
  const known = (text: string): T | undefined => options.find(([value]) => value === text)?.[0];
  return (
    <select
      {...rest}
      onChange={event => {
        const chosen = known(event.target.value);
        if (chosen !== undefined) {
          onChange(chosen);
        }
      }}
    >
      {options.map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}

interface IPagerProps {
  offset: number;
  limit: number;
  total: number;
  what: string;
  onMove: (offset: number) => void;
}

/** Which part of a list is shown, and the way to its neighbours. */
export function Pager({ offset, limit, total, what, onMove }: IPagerProps): JSX.Element | null {
  if (total <= limit && offset === 0) {
    return null;
  }
  const last = Math.min(offset + limit, total);
  return (
    <nav className="jp-PPO-pager" aria-label={`Pages of ${what}`}>
      <button
        type="button"
        className="jp-PPO-button"
        disabled={offset === 0}
        onClick={() => onMove(Math.max(0, offset - limit))}
      >
        Previous
      </button>
      <span role="status">
        {Math.min(offset + 1, total)} to {last} of {total}
      </span>
      <button
        type="button"
        className="jp-PPO-button"
        disabled={last >= total}
        onClick={() => onMove(offset + limit)}
      >
        Next
      </button>
    </nav>
  );
}
