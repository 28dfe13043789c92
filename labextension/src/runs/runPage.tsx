import * as React from 'react';

import { Outcome, Problem } from '../instructor/parts';
import { messageOf, useActions } from '../instructor/resource';
import { formatCount } from '../live/format';
import { STATE_WORDS } from '../live/runTable';
import type { RunCommand, RunRow } from '../live/runsSource';
import { RunCharts } from './hosts';
import { LiveForm } from './liveForm';
import type { RunsModel } from './model';
import type { IRunDetails, RestRunsSource } from './restSource';
import { mayAsk, progressText, settingText } from './words';

interface IPageProps {
  model: RunsModel;
  source: RestRunsSource;
  id: string;
  warnings: readonly string[];
  onExplain?: ((run: string) => void) | undefined;
}

const BUTTONS: readonly (readonly [RunCommand, string, string])[] = [
  ['pause', 'Pause', 'Pause the training within one update'],
  ['resume', 'Resume', 'Let the training go on'],
  ['stop', 'Stop', 'End the training within one update and save the model']
];

/** One run by itself. */
export function RunPage({ model, source, id, warnings, onExplain }: IPageProps): JSX.Element {
  const subscribe = React.useCallback((listener: () => void) => source.onRows(listener), [source]);
  const row = React.useSyncExternalStore(subscribe, () => source.row(id));
  const details = React.useSyncExternalStore(subscribe, () => source.details(id));
  const top = React.useRef<HTMLButtonElement>(null);
  React.useEffect(() => top.current?.focus(), []); // what was pressed is not in sight any more
  const isLoaded = React.useSyncExternalStore(subscribe, () => source.isLoaded);
  return (
    <section className="jp-PPO-runPage" aria-label="One run">
      <button ref={top} type="button" className="jp-PPO-button" onClick={() => model.closeRun()}>
        <span aria-hidden="true">‹ </span>All runs
      </button>
      {row === null && (
        <p className="jp-PPO-empty" role="status">
          {isLoaded ? 'This run is not there any more.' : 'Loading…'}
        </p>
      )}
      {row !== null && (
        <>
          <Head source={source} row={row} details={details} warnings={warnings} />
          {onExplain && (
            <p className="jp-PPO-runExplain">
              <button type="button" className="jp-PPO-button" onClick={() => onExplain(id)}>
                Explain this run
              </button>
            </p>
          )}
          <RunCharts model={model} source={source} row={row} />
          <LiveForm source={source} row={row} events={details.events} />
          <Settings source={source} row={row} />
          <History details={details} />
          <Log source={source} id={id} />
        </>
      )}
    </section>
  );
}

interface IHeadProps {
  source: RestRunsSource;
  row: RunRow;
  details: IRunDetails;
  warnings: readonly string[];
}

function Head({ source, row, details, warnings }: IHeadProps): JSX.Element {
  const actions = useActions();
  const ask = (command: RunCommand): void =>
    void actions.run(() => source.command(row.id, command).then(() => null));
  return (
    <header className="jp-PPO-runHead">
      <div className="jp-PPO-runTitle">
        <h3>{row.name || row.label}</h3>
        <span className="jp-PPO-remark">
          {row.envId}
          {row.seed !== null && `, seed ${row.seed}`}
        </span>
        <span className="jp-PPO-runState" data-state={row.state} role="status">
          {STATE_WORDS[row.state]}
        </span>
        <span className="jp-PPO-runButtons" role="group" aria-label="Training">
          {BUTTONS.map(([command, label, hint]) => (
            <button
              key={command}
              type="button"
              className="jp-PPO-button"
              title={hint}
              disabled={!mayAsk(command, row.state) || actions.busy}
              onClick={() => ask(command)}
            >
              {label}
            </button>
          ))}
        </span>
      </div>
      <Outcome actions={actions} />
      <div className="jp-PPO-runProgress">
        <progress
          value={Math.min(row.step, row.totalSteps)}
          max={row.totalSteps || 1}
          aria-label="Progress"
        />
        <span>{progressText(row, details.now?.progress ?? null)}</span>
      </div>
      {row.message !== '' && <p className="jp-PPO-runMessage">{row.message}</p>}
      {details.isLost && (
        <p className="jp-PPO-notice" role="status">
          The connection to the server was lost. The curve goes on when it is back.
        </p>
      )}
      {warnings.map(warning => (
        <p key={warning} className="jp-PPO-notice">
          {warning}
        </p>
      ))}
    </header>
  );
}

function Settings({ source, row }: { source: RestRunsSource; row: RunRow }): JSX.Element {
  const defaults = new Map(source.form.items.map(item => [item.name, settingText(item.default)]));
  return (
    <details>
      <summary>All settings</summary>
      <div className="jp-PPO-runScroll" tabIndex={0} role="group" aria-label="All settings">
        <table className="jp-PPO-runTable">
          <thead>
            <tr>
              <th scope="col">setting</th>
              <th scope="col">value</th>
              <th scope="col">unit</th>
              <th scope="col">meaning</th>
            </tr>
          </thead>
          <tbody>
            {source.settings.map(({ name, unit, meaning }) => {
              const value = settingText(row.hyperparameters[name]);
              const isOther = value !== defaults.get(name);
              return (
                <tr key={name} className={isOther ? 'jp-mod-other' : undefined}>
                  <th scope="row">{name}</th>
                  <td>
                    {value}
                    {isOther && (
                      <span className="jp-PPO-remark"> (default {defaults.get(name)})</span>
                    )}
                  </td>
                  <td>{unit}</td>
                  <td>{meaning}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function History({ details }: { details: IRunDetails }): JSX.Element {
  return (
    <details>
      <summary>What happened</summary>
      {details.events.length === 0 && <p className="jp-PPO-empty">Nothing yet.</p>}
      <ol className="jp-PPO-runEvents">
        {details.events.map((event, index) => (
          <li key={index}>
            <span className="jp-PPO-remark">step {formatCount(event.step)}</span>{' '}
            {event.message || String(event.data['state'] ?? event.kind)}
          </li>
        ))}
      </ol>
    </details>
  );
}

function Log({ source, id }: { source: RestRunsSource; id: string }): JSX.Element {
  const [text, setText] = React.useState<string | null>(null);
  const [problem, setProblem] = React.useState<string | null>(null);
  const load = (): void => {
    setProblem(null);
    source.client.log(id).then(setText, (error: unknown) => setProblem(messageOf(error)));
  };
  return (
    <details onToggle={event => event.currentTarget.open && load()}>
      <summary>What the training process printed</summary>
      {problem !== null && <Problem text={problem} onRetry={load} />}
      {text !== null && (
        <pre className="jp-PPO-runLog" tabIndex={0} aria-label="Printed lines">
          {text || 'Nothing.'}
        </pre>
      )}
    </details>
  );
}
