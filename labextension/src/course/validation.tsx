import * as React from 'react';

import { scoreText } from '../format';
import type { ITriedExercise, IValidation } from './types';
import { isRunning, placeOf } from './validationModel';
import type { IWatched, ValidationModel } from './validationModel';

interface IValidationProps {
  course: string;
  assignment: string;
  model: ValidationModel;
}

/** The notebook of an assignment that is tried or was, or null. */
export function useValidation({ course, assignment, model }: IValidationProps): IWatched | null {
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  return state.get(placeOf(course, assignment)) ?? null;
}

/** How far a validation is, or what it said; nothing when none was asked for. */
export function ValidationResult(props: IValidationProps): JSX.Element | null {
  const { course, assignment, model } = props;
  const watched = useValidation(props);
  if (watched === null) {
    return null;
  }
  const { trial, path, problem } = watched;
  const running = isRunning(trial);
  return (
    <section className="jp-PPO-validation" aria-label={`Validation of ${assignment}`}>
      <div className="jp-PPO-validationHead">
        <p role="status" aria-live="polite" data-state={trial.state}>
          {running && <span className="jp-PPO-spinner" aria-hidden="true" />}{' '}
          {progressText(watched)}
        </p>
        <button
          type="button"
          className="jp-PPO-link"
          aria-label={`${running ? 'Stop watching' : 'Hide'} the validation of ${assignment}`}
          onClick={() => model.forget(course, assignment)}
        >
          {running ? 'Stop watching' : 'Hide'}
        </button>
      </div>
      {problem !== null && (
        <p className="jp-PPO-notice jp-mod-problem" role="alert">
          {problem}
        </p>
      )}
      {trial.state === 'failed' && (
        <p className="jp-PPO-notice jp-mod-problem" role="alert">
          {trial.error ?? 'It could not be run. Press Validate again.'}
        </p>
      )}
      {trial.result !== null && <Result result={trial.result} path={path} />}
    </section>
  );
}

function progressText({ trial, path }: IWatched): string {
  switch (trial.state) {
    case 'queued':
      return `${path} waits to be tried…`;
    case 'running':
      return `${path} is run and tested…`;
    case 'failed':
      return `${path} was not tried.`;
    case 'done': {
      const { passed = 0, total = 0 } = trial.result ?? {};
      return total === 0
        ? `${path} has no tests that you can read.`
        : `${path}: ${passed} of ${total} exercises pass.`;
    }
  }
}

function Result({ result, path }: { result: IValidation; path: string }): JSX.Element {
  return (
    <>
      {result.warnings.length > 0 && (
        <ul className="jp-PPO-warnings" aria-label="Warnings">
          {result.warnings.map(warning => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      <ul className="jp-PPO-tried" aria-label={`Exercises of ${path}`}>
        {result.exercises.map(exercise => (
          <Tried key={exercise.grade_id} exercise={exercise} />
        ))}
      </ul>
      <p className="jp-PPO-validationNote">Nothing was handed in. {result.note}</p>
    </>
  );
}

const VERDICTS = {
  true: { sign: '✓', word: 'passes' },
  false: { sign: '✗', word: 'fails' },
  null: { sign: '–', word: 'not tried' }
};

function Tried({ exercise }: { exercise: ITriedExercise }): JSX.Element {
  const { sign, word } = VERDICTS[`${exercise.passed}`];
  return (
    <li data-exercise={exercise.grade_id} data-passed={String(exercise.passed)}>
      <div className="jp-PPO-row">
        <span className="jp-PPO-name">
          <span aria-hidden="true">{sign} </span>
          {exercise.grade_id}
        </span>
        <span className="jp-PPO-number">{word}</span>
      </div>
      {exercise.reason !== '' && <p className="jp-PPO-reason">{exercise.reason}</p>}
      {exercise.checks.length > 0 && (
        <ul aria-label={`Checks of ${exercise.grade_id}`}>
          {exercise.checks.map((check, index) => (
            <li key={index} className="jp-PPO-row">
              <span className="jp-PPO-name">
                <span aria-hidden="true">{check.points >= check.max_points ? '✓' : '✗'} </span>
                {check.message === '' ? check.name : `${check.name}: ${check.message}`}
              </span>
              <span className="jp-PPO-number">{scoreText(check)}</span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
