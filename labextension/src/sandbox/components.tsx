import * as React from 'react';

import { CaseRows } from './cases';
import type { EditorFactory } from './editor';
import { memoryProblem, timeoutProblem } from './form';
import { HistoryList } from './history';
import type { SandboxModel } from './model';
import { ResultView } from './result';
import type { IProblem, ISandboxState } from './state';
import { agoText, healthText, isReady } from './words';

interface IPanelProps {
  model: SandboxModel;
  newEditor: EditorFactory;
}

/** The whole panel. */
export function SandboxPanel({ model, newEditor }: IPanelProps): JSX.Element {
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const isBusy = state.busySince !== null;
  const stateId = React.useId();
  const result = useShown(state.shownVersion);
  return (
    <>
      <header className="jp-PPO-header">
        <h2 className="jp-PPO-title">PPO Sandbox</h2>
      </header>
      <StateLine state={state} id={stateId} />
      <CodeField model={model} version={state.codeVersion} newEditor={newEditor} />
      <InputField state={state} model={model} />
      <Fields state={state} model={model} />
      <div className="jp-PPO-runLine">
        <RunButton state={state} model={model} stateId={stateId} />
        {isBusy && <Elapsed state={state} />}
      </div>
      {state.problem !== null && <Problem problem={state.problem} now={state.now} />}
      <CaseRows state={state} model={model} />
      <section
        className="jp-PPO-result"
        aria-label="Result"
        aria-busy={isBusy}
        tabIndex={-1}
        ref={result}
      >
        {state.shownFrom !== null && (
          <p className="jp-PPO-hint">
            From the history, {agoText(state.shownFrom, state.now)}. Undo in the editor brings back
            the code that was there.
          </p>
        )}
        {state.shownError !== null && (
          <p className="jp-PPO-notice jp-mod-problem" role="alert">
            {state.shownError}
          </p>
        )}
        <ResultView result={state.result} limits={state.limits} />
      </section>
      <HistoryList history={state.history} now={state.now} model={model} />
    </>
  );
}

/** What is brought into sight, and the focus to it, each time that `version` grows. */
function useShown(version: number): React.RefObject<HTMLElement> {
  const shown = React.useRef<HTMLElement>(null);
  React.useEffect(() => {
    if (version > 0) {
      shown.current?.focus({ preventScroll: true });
      shown.current?.scrollIntoView({ block: 'start' });
    }
  }, [version]);
  return shown;
}

interface IRunButtonProps {
  state: ISandboxState;
  model: SandboxModel;
  /** The element that says why nothing can run. */
  stateId: string;
}

/** Run, and Stop while a program runs: one button, so that it keeps the focus. */
function RunButton({ state, model, stateId }: IRunButtonProps): JSX.Element {
  if (state.busySince !== null) {
    return (
      <button
        type="button"
        className="jp-PPO-button jp-PPO-stop"
        title="End what you have running"
        aria-disabled={state.isStopping}
        // The second half of a double click and a key held down are no wish to stop.
        onClick={event => event.detail <= 1 && void model.stop()}
        onKeyDown={event => event.repeat && event.preventDefault()}
      >
        Stop
      </button>
    );
  }
  const isShut = state.health !== null && !isReady(state.health);
  return (
    <button
      type="button"
      className="jp-PPO-button jp-PPO-run jp-mod-primary"
      title={
        isShut
          ? healthText(state.health, state.sandbox)
          : 'Run the code (Shift+Enter or Ctrl+Enter in the editor)'
      }
      aria-disabled={isShut}
      aria-describedby={isShut ? stateId : undefined}
      onClick={() => void model.run()}
    >
      Run
    </button>
  );
}

/** What the program can read, folded away until it is wanted. */
function InputField({ state, model }: { state: ISandboxState; model: SandboxModel }): JSX.Element {
  const details = React.useRef<HTMLDetailsElement>(null);
  const { stdin, codeVersion } = state;
  React.useEffect(() => {
    if (details.current !== null && model.snapshot().stdin !== '') {
      details.current.open = true;
    }
  }, [model, codeVersion]);
  return (
    <details className="jp-PPO-stdin" ref={details}>
      <summary>Input{stdin === '' ? ' (none)' : ''}</summary>
      <textarea
        className="jp-PPO-input"
        rows={3}
        spellCheck={false}
        placeholder="what input() reads, line by line"
        aria-label="Input"
        value={stdin}
        onChange={event => model.setStdin(event.target.value)}
      />
    </details>
  );
}

/** Whether code can run here, read out when it changes. */
function StateLine({ state, id }: { state: ISandboxState; id: string }): JSX.Element {
  const { health, sandbox, healthProblem } = state;
  const text =
    health !== null ? healthText(health, sandbox) : (healthProblem ?? 'Asking the sandbox…');
  const isAsking = health === null && healthProblem === null;
  const word = isAsking ? 'asking' : isReady(health) ? 'ready' : 'problem';
  return (
    <p className="jp-PPO-health" id={id} data-state={word} role="status">
      {text}
    </p>
  );
}

interface ICodeFieldProps {
  model: SandboxModel;
  version: number;
  newEditor: EditorFactory;
}

/** The editor, with the keys that run what is in it. */
function CodeField({ model, version, newEditor }: ICodeFieldProps): JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  const editor = React.useRef<ReturnType<EditorFactory> | null>(null);
  const hint = React.useId();
  React.useEffect(() => {
    const node = host.current;
    if (node === null) {
      return;
    }
    const made = newEditor(node, model.snapshot().code, code => model.setCode(code));
    editor.current = made;
    const text = node.querySelector('[contenteditable], textarea');
    text?.setAttribute('aria-label', 'Code');
    text?.setAttribute('aria-describedby', hint);
    return () => {
      editor.current = null;
      made.dispose();
    };
  }, [model, newEditor, hint]);
  React.useEffect(() => {
    if (version > 0) {
      editor.current?.setCode(model.snapshot().code);
    }
  }, [model, version]);
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.shiftKey || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      void model.run();
    }
  };
  return (
    <>
      <div className="jp-PPO-editor" ref={host} onKeyDownCapture={onKeyDown} />
      <p className="jp-PPO-hint" id={hint}>
        Shift+Enter runs. Escape, then Tab, leaves the editor.
      </p>
    </>
  );
}

/** Timeout, memory, and whether variables are shown. */
function Fields({ state, model }: { state: ISandboxState; model: SandboxModel }): JSX.Element {
  const { numbers, limits, showVariables } = state;
  return (
    <div className="jp-PPO-fields">
      <NumberField
        name="timeout"
        label="Timeout (s)"
        value={numbers.timeout}
        problem={timeoutProblem(numbers.timeout, limits)}
        onChange={text => model.setNumber('timeout', text)}
      />
      <NumberField
        name="memory"
        label="Memory (MiB)"
        value={numbers.memory}
        problem={memoryProblem(numbers.memory, limits)}
        onChange={text => model.setNumber('memory', text)}
      />
      <label className="jp-PPO-check">
        <input
          type="checkbox"
          checked={showVariables}
          onChange={event => model.setShowVariables(event.target.checked)}
        />
        Show variables
      </label>
    </div>
  );
}

interface INumberFieldProps {
  name: string;
  label: string;
  value: string;
  problem: string | null;
  onChange: (text: string) => void;
}

function NumberField(props: INumberFieldProps): JSX.Element {
  const { name, label, value, problem, onChange } = props;
  const id = React.useId();
  return (
    <div className={`jp-PPO-field jp-PPO-${name}`}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="jp-PPO-input"
        type="text"
        inputMode="decimal"
        autoComplete="off"
        value={value}
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : `${id}-problem`}
        onChange={event => onChange(event.target.value)}
      />
      {problem !== null && (
        <p className="jp-PPO-fieldProblem" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

/** The seconds since a program was sent. They are not read out one by one. */
function Elapsed({ state }: { state: ISandboxState }): JSX.Element {
  const seconds = Math.max(0, Math.floor((state.now - (state.busySince ?? state.now)) / 1000));
  return (
    <span className="jp-PPO-busy">
      <span className="jp-PPO-spinner" aria-hidden="true" />
      <span role="status">{state.isStopping ? 'Stopping' : 'Running'}</span>
      <span className="jp-PPO-elapsed" role="timer" aria-live="off">
        {seconds} s
      </span>
    </span>
  );
}

/** What went wrong; the wait that the service asks for counts down. */
function Problem({ problem, now }: { problem: IProblem; now: number }): JSX.Element {
  const { text, retryAt } = problem;
  const left = retryAt === null ? 0 : Math.max(0, Math.ceil((retryAt - now) / 1000));
  return (
    <div className="jp-PPO-notice jp-mod-problem">
      <span role="alert">{text}</span>
      {retryAt !== null && (
        <span className="jp-PPO-retry" role="timer" aria-live="off">
          {left > 0 ? ` Try again in ${left} s.` : ' You can try again now.'}
        </span>
      )}
    </div>
  );
}
