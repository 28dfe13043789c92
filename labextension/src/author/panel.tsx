import * as React from 'react';

import { pointsLabel, pointsText } from '../format';
import type { IMarkedCell } from './cells';
import { badgeText, KIND_LABELS, localProblems, totalPoints } from './cells';
import type { AuthorModel, IAuthorState } from './model';
import type { IAuthorProblem, ICheckTrial, IRelease, Severity } from './types';

const SEVERITY_WORDS: Readonly<Record<Severity, string>> = {
  error: 'Error',
  warning: 'Warning',
  info: 'Note'
};

const SEAL_WORDS: Readonly<Record<string, string>> = {
  sealed: 'runs apart from the answer',
  unsealed: 'runs in the student’s own process',
  cannot_seal: 'cannot be run apart from the answer',
  reference_fails: 'the reference solution fails'
};

/** The panel "PPO Author". */
export function AuthorPanel({ model }: { model: AuthorModel }): JSX.Element {
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const [isAsking, setAsking] = React.useState(false);
  const isBusy = state.phase !== 'idle';
  if (state.path === null) {
    return (
      <>
        <Header />
        <p className="jp-PPO-empty">Open the source notebook of an assignment.</p>
      </>
    );
  }
  const marked = state.cells.filter(({ kind }) => kind !== 'ordinary');
  const isCopy = marked.some(({ released }) => released);
  const off = isBusy || state.course === null || isCopy;
  return (
    <>
      <Header />
      <p className="jp-PPO-user">{state.path}</p>
      {state.courses.length > 1 && <CoursePicker state={state} model={model} />}
      {state.courses.length === 0 && (
        <p className="jp-PPO-banner">
          You are an instructor of no course here, so cells can be marked but not tried or released.
        </p>
      )}
      {isCopy && (
        <p className="jp-PPO-banner">
          This is a students’ copy. Open the source to check or release it.
        </p>
      )}
      <div className="jp-PPO-buttons" role="group" aria-label="Assignment">
        <Action name="check" label="Check" disabled={off} onClick={() => void model.check()} />
        <Action
          name="preview"
          label="Preview as student"
          disabled={off}
          onClick={() => void model.preview()}
        />
        <Action
          name="askRelease"
          label="Release…"
          disabled={off}
          expanded={isAsking}
          onClick={() => setAsking(!isAsking)}
        />
      </div>
      {isAsking && !isCopy && (
        <ReleaseForm key={state.path} state={state} model={model} onDone={() => setAsking(false)} />
      )}
      {state.notice !== null && (
        <p
          className={`jp-PPO-notice jp-mod-${state.notice.kind}`}
          role={state.notice.kind === 'problem' ? 'alert' : 'status'}
        >
          {state.notice.text}
        </p>
      )}
      <Progress state={state} />
      {state.trial !== null && <CheckResult trial={state.trial} model={model} />}
      {state.release !== null && <ReleaseReport release={state.release} />}
      <CellList cells={state.cells} marked={marked} model={model} />
    </>
  );
}

function Header(): JSX.Element {
  return (
    <header className="jp-PPO-header">
      <h2 className="jp-PPO-title">PPO Author</h2>
    </header>
  );
}

interface IActionProps {
  name: string;
  label: string;
  disabled: boolean;
  expanded?: boolean;
  onClick: () => void;
}

function Action({ name, label, disabled, expanded, onClick }: IActionProps): JSX.Element {
  return (
    <button
      type="button"
      className={`jp-PPO-button jp-PPO-${name}`}
      disabled={disabled}
      aria-expanded={expanded}
      onClick={onClick}
    >
      {label}
    </button>
  );
}

interface IPartProps {
  state: IAuthorState;
  model: AuthorModel;
}

function CoursePicker({ state, model }: IPartProps): JSX.Element {
  return (
    <label className="jp-PPO-course">
      Course
      <select
        value={state.course ?? ''}
        onChange={event => model.choose(event.currentTarget.value)}
      >
        {state.courses.map(({ name, title }) => (
          <option key={name} value={name}>
            {title || name}
          </option>
        ))}
      </select>
    </label>
  );
}

function ReleaseForm(props: IPartProps & { onDone: () => void }): JSX.Element {
  const { state, model, onDone } = props;
  const [name, setName] = React.useState(model.proposedName);
  const [note, setNote] = React.useState('');
  const first = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => first.current?.focus(), []);
  return (
    <form
      className="jp-PPO-releaseForm"
      aria-label="Release"
      onSubmit={event => {
        event.preventDefault();
        void model.release(name.trim(), note.trim()).then(done => done && onDone());
      }}
    >
      <label>
        Assignment
        <input
          ref={first}
          type="text"
          className="jp-PPO-releaseName"
          value={name}
          required
          maxLength={100}
          pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
          title="Letters, digits, dots, dashes and underscores"
          onChange={event => setName(event.currentTarget.value)}
        />
      </label>
      <label>
        What is new in this version (optional)
        <input
          type="text"
          className="jp-PPO-releaseNote"
          value={note}
          maxLength={500}
          onChange={event => setNote(event.currentTarget.value)}
        />
      </label>
      <p className="jp-PPO-authorHint">
        Students of {state.course} get it at once, unless its terms say when it opens. A name that
        is there gets its next version.
      </p>
      <button
        type="submit"
        className="jp-PPO-button jp-PPO-release jp-mod-primary"
        disabled={state.phase !== 'idle' || name.trim() === ''}
      >
        Release to {state.course}
      </button>
    </form>
  );
}

function Progress({ state }: { state: IAuthorState }): JSX.Element {
  const { phase, trial } = state;
  const words =
    phase === 'checking'
      ? trial?.state === 'running'
        ? 'Checking: the solution and the students’ copy are run…'
        : 'Checking: waiting for a place…'
      : phase === 'previewing'
        ? 'Making the students’ copy…'
        : phase === 'releasing'
          ? 'Releasing…'
          : '';
  return (
    <p className="jp-PPO-progress" role="status" aria-live="polite">
      {words !== '' && <span className="jp-PPO-spinner" aria-hidden="true" />} {words}
    </p>
  );
}

function CheckResult(props: { trial: ICheckTrial; model: AuthorModel }): JSX.Element | null {
  const { trial, model } = props;
  if (trial.state === 'failed') {
    return (
      <p className="jp-PPO-notice jp-mod-problem" role="alert">
        {trial.error ?? 'The check failed. Try again.'}
      </p>
    );
  }
  if (trial.result === null) {
    return null;
  }
  const { is_ready, problems, solution, skeleton } = trial.result;
  return (
    <section className="jp-PPO-checkResult" aria-label="Result of the check">
      <p
        className={`jp-PPO-notice jp-mod-${is_ready ? 'done' : 'problem'}`}
        role={is_ready ? 'status' : 'alert'}
      >
        {is_ready ? 'Ready to be released.' : 'Not ready: see the errors.'}
        {solution !== null && skeleton !== null && (
          <>
            {' '}
            The solution gets {pointsText(solution.points)} of {pointsText(solution.max_points)}{' '}
            points, the students’ copy {pointsText(skeleton.points)}.
          </>
        )}
      </p>
      {problems.length > 0 && (
        <ul className="jp-PPO-problems" aria-label="Problems">
          {problems.map((problem, index) => (
            <Problem key={index} problem={problem} model={model} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Problem(props: { problem: IAuthorProblem; model: AuthorModel }): JSX.Element {
  const { severity, message, grade_id, cell } = props.problem;
  const where = grade_id ?? (cell === null ? 'notebook' : `cell ${cell + 1}`);
  const words = (
    <>
      <span className="jp-PPO-severity">{SEVERITY_WORDS[severity]}</span> <b>{where}</b> {message}
    </>
  );
  return (
    <li className={`jp-PPO-problem jp-mod-${severity}`}>
      {cell === null ? (
        words
      ) : (
        <Jump model={props.model} cell={cell}>
          {words}
        </Jump>
      )}
    </li>
  );
}

interface IJumpProps {
  model: AuthorModel;
  cell: number;
  children: React.ReactNode;
}

/** Leads to a cell, where the notebook is open. */
function Jump({ model, cell, children }: IJumpProps): JSX.Element {
  return model.canJump ? (
    <button type="button" className="jp-PPO-jump" onClick={() => model.jump(cell)}>
      {children}
    </button>
  ) : (
    <span>{children}</span>
  );
}

function ReleaseReport({ release }: { release: IRelease }): JSX.Element | null {
  if (release.tests.length === 0) {
    return null;
  }
  return (
    <section className="jp-PPO-releaseReport" aria-label="How the tests are run">
      <h3 className="jp-PPO-authorHeading">How the tests are run</h3>
      <ul>
        {release.tests.map(test => (
          <li key={test.grade_id}>
            <b>{test.grade_id}</b> {SEAL_WORDS[test.state] ?? test.state}
            {test.reason !== '' && `: ${test.reason}`}
            {test.findings.map((finding, index) => (
              <p key={index} className="jp-PPO-authorHint">
                Line {finding.line}: {finding.text}
              </p>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface IListProps {
  cells: readonly IMarkedCell[];
  marked: readonly IMarkedCell[];
  model: AuthorModel;
}

function CellList({ cells, marked, model }: IListProps): JSX.Element {
  const problems = localProblems(cells);
  const general = problems.filter(({ index }) => index < 0);
  return (
    <section className="jp-PPO-markedCells" aria-label="Marked cells">
      <h3 className="jp-PPO-authorHeading">
        Marked cells <span className="jp-PPO-total">{pointsLabel(totalPoints(cells))}</span>
      </h3>
      {general.map(({ message }) => (
        <p key={message} className="jp-PPO-authorHint">
          {message}
        </p>
      ))}
      <ul className="jp-PPO-cellList">
        {marked.map(cell => (
          <li key={cell.index}>
            <Jump model={model} cell={cell.index}>
              <b>{cell.gradeId || `cell ${cell.index + 1}`}</b>{' '}
              <span className="jp-PPO-authorHint">{badgeText(cell) ?? KIND_LABELS.ordinary}</span>
            </Jump>
            {problems
              .filter(({ index }) => index === cell.index)
              .map(({ message }) => (
                <p key={message} className="jp-PPO-authorProblem">
                  {message}
                </p>
              ))}
          </li>
        ))}
      </ul>
    </section>
  );
}
