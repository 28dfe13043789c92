import * as React from 'react';

import { Problem } from '../instructor/parts';
import { RunList } from './hosts';
import type { RunsModel } from './model';
import { NewRun } from './newRun';
import type { RestRunsSource } from './restSource';
import { RunPage } from './runPage';

interface IAreaProps {
  model: RunsModel;
  /** Have the figures of a run explained. */
  onExplain?: (run: string) => void;
}

/** The whole panel: the list of runs, a form for new ones, or one run by itself. */
export function RunsArea({ model, onExplain }: IAreaProps): JSX.Element {
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const { source, problem, open } = state;
  return (
    <>
      <header className="jp-PPO-areaHeader">
        <h2 className="jp-PPO-title">Training runs</h2>
        {source !== null && open === null && (
          <button
            type="button"
            className="jp-PPO-button"
            aria-expanded={state.isFormOpen}
            onClick={() => model.showForm(!state.isFormOpen)}
          >
            New run
          </button>
        )}
      </header>
      {problem !== null && <Problem text={problem} onRetry={() => void model.start()} />}
      {source === null && problem === null && (
        <p className="jp-PPO-empty" role="status">
          Loading…
        </p>
      )}
      {source !== null && (
        <>
          <ListProblem source={source} />
          {state.isFormOpen && open === null && <NewRun model={model} source={source} />}
          {open === null &&
            state.warnings.map(warning => (
              <p key={warning} className="jp-PPO-notice">
                {warning}
              </p>
            ))}
          <RunList model={model} source={source} hidden={open !== null} />
          {open !== null && (
            <RunPage
              key={open}
              model={model}
              source={source}
              id={open}
              warnings={state.warnings}
              onExplain={onExplain}
            />
          )}
        </>
      )}
    </>
  );
}

/** Why the list may be out of date. */
function ListProblem({ source }: { source: RestRunsSource }): JSX.Element | null {
  const subscribe = React.useCallback((listener: () => void) => source.onRows(listener), [source]);
  const problem = React.useSyncExternalStore(subscribe, () => source.problem);
  return problem === null ? null : <Problem text={problem} onRetry={() => void source.refresh()} />;
}
