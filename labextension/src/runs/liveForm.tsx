import * as React from 'react';

import { Field, Outcome } from '../instructor/parts';
import { useActions } from '../instructor/resource';
import { formatCount } from '../live/format';
import type { Plain, RunRow } from '../live/runsSource';
import type { RestRunsSource } from './restSource';
import type { IRunEvent, ISetting } from './types';
import { liveText, mayAsk, typedValue } from './words';

interface IFormProps {
  source: RestRunsSource;
  row: RunRow;
  events: readonly IRunEvent[];
}

/** What can be changed while a run goes on, and its length. */
export function LiveForm(props: IFormProps): JSX.Element {
  return (
    <details className="jp-PPO-runChange">
      <summary>Change or extend</summary>
      <Changes {...props} />
      <Extension {...props} />
    </details>
  );
}

function Changes({ source, row, events }: IFormProps): JSX.Element {
  const settings = source.form.items.filter(setting => setting.is_live);
  const [typed, setTyped] = React.useState<Readonly<Record<string, string>>>({});
  const actions = useActions();
  const isOpen = mayAsk('set', row.state);
  const current = (name: string): string => liveText(name, row, events);
  const changed = settings.filter(({ name }) => (typed[name] ?? current(name)) !== current(name));
  const problem = (setting: ISetting): string | null => {
    const found = typedValue(setting, typed[setting.name] ?? current(setting.name));
    return changed.includes(setting) && typeof found === 'string' ? found : null;
  };
  const isWrong = changed.some(setting => problem(setting) !== null);
  const apply = async (): Promise<string> => {
    const values: Record<string, Plain> = {};
    for (const setting of changed) {
      const found = typedValue(setting, typed[setting.name] ?? '');
      if (typeof found !== 'string') {
        values[setting.name] = found.value;
      }
    }
    await source.command(row.id, 'set', values);
    setTyped({});
    return 'The next update uses it. A dotted line marks the step in every chart.';
  };
  return (
    <form
      className="jp-PPO-runForm"
      aria-label="Change settings"
      onSubmit={event => {
        event.preventDefault();
        void actions.run(apply);
      }}
    >
      <div className="jp-PPO-runFields">
        {settings.map(setting => (
          <Field
            key={setting.name}
            label={setting.name}
            hint={setting.unit}
            problem={problem(setting)}
          >
            {control => (
              <input
                {...control}
                className="jp-PPO-input"
                value={typed[setting.name] ?? current(setting.name)}
                title={setting.meaning}
                disabled={!isOpen}
                onChange={event => setTyped({ ...typed, [setting.name]: event.target.value })}
              />
            )}
          </Field>
        ))}
        <button
          type="submit"
          className="jp-PPO-button"
          disabled={!isOpen || isWrong || changed.length === 0 || actions.busy}
        >
          Apply
        </button>
      </div>
      {!isOpen && <p className="jp-PPO-remark">These can be changed while the run goes on.</p>}
      <Outcome actions={actions} />
    </form>
  );
}

function Extension({ source, row }: IFormProps): JSX.Element {
  const [typed, setTyped] = React.useState('');
  const actions = useActions();
  const length = source.form.items.find(setting => setting.name === 'total_steps');
  const steps = Number(typed.replace(/[\s,_]/g, ''));
  const least = Math.max(row.totalSteps, row.step);
  let problem: string | null = null;
  if (typed.trim() !== '') {
    if (!Number.isInteger(steps) || steps <= least || steps > (length?.high ?? Infinity)) {
      problem = `Write a whole number above ${formatCount(least)}.`;
    }
  }
  const extend = async (): Promise<string> => {
    await source.command(row.id, 'extend', { total_steps: steps });
    setTyped('');
    return `It goes on to ${formatCount(steps)} steps.`;
  };
  return (
    <form
      className="jp-PPO-runForm"
      aria-label="Extend the run"
      onSubmit={event => {
        event.preventDefault();
        void actions.run(extend);
      }}
    >
      <div className="jp-PPO-runFields">
        <Field label="New total of steps" hint={`now ${formatCount(least)}`} problem={problem}>
          {control => (
            <input
              {...control}
              className="jp-PPO-input"
              inputMode="numeric"
              value={typed}
              placeholder={formatCount(2 * least)}
              disabled={!mayAsk('extend', row.state)}
              onChange={event => setTyped(event.target.value)}
            />
          )}
        </Field>
        <button
          type="submit"
          className="jp-PPO-button"
          disabled={typed.trim() === '' || problem !== null || actions.busy}
        >
          Extend
        </button>
      </div>
      <Outcome actions={actions} />
    </form>
  );
}
