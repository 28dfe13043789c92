import * as React from 'react';

import { Choice, Field, Outcome } from '../instructor/parts';
import { useActions } from '../instructor/resource';
import { RequestError } from '../connection';
import { tagsOf } from '../live/runActions';
import type { RunsModel } from './model';
import { MoreSettings, moreSettings, readTyped } from './moreSettings';
import type { Typed } from './moreSettings';
import type { RestRunsSource } from './restSource';
import type { IHyperparameters, INewRuns, ISetting } from './types';
import { typedSeeds, typedValue, valueText } from './words';

const ENVIRONMENTS = [
  'CartPole-v1',
  'Acrobot-v1',
  'MountainCar-v0',
  'MountainCarContinuous-v0',
  'Pendulum-v1'
];

/** Presets are asked for when nothing was typed for so long. */
const TYPING_MS = 300;

interface INewRunProps {
  model: RunsModel;
  source: RestRunsSource;
}

/** A form for a run, or one for each of some seeds. */
export function NewRun({ model, source }: INewRunProps): JSX.Element {
  const [envId, setEnvId] = React.useState('CartPole-v1');
  const [preset, setPreset] = React.useState('');
  const [steps, setSteps] = React.useState('');
  const [seeds, setSeeds] = React.useState('0');
  const [name, setName] = React.useState('');
  const [tags, setTags] = React.useState('');
  const [typed, setTyped] = React.useState<Typed>({});
  const form = useForm(source, envId.trim());
  const actions = useActions();
  const [refused, setRefused] = React.useState<{ field: string; text: string } | null>(null);

  const chosen = form.presets.find(each => each.name === preset);
  const used = chosen ?? form.presets.find(each => each.name === form.default_preset);
  const length = form.items.find(item => item.name === 'total_steps');
  const usual = valueText(used?.values['total_steps'] ?? length?.default);
  const found = { steps: typedSteps(length, steps), seeds: typedSeeds(seeds) };
  const more = readTyped(form.items, typed);
  const problemOf = (field: string, read: unknown): string | null =>
    typeof read === 'string' ? read : refused?.field === field ? refused.text : null;
  /** Keep what was typed into a field; what the service said of it counts no more. */
  const taken = (field: string, keep: () => void): void => {
    keep();
    setRefused(now => (now?.field === field ? null : now));
  };
  const moreProblems = { ...more.problems };
  for (const setting of moreSettings(form.items)) {
    if (refused?.field === `spec.${setting.name}`) {
      moreProblems[setting.name] ??= refused.text;
    }
  }

  const start = async (): Promise<null> => {
    const asked: INewRuns = {
      name: name.trim(),
      tags: tagsOf(tags),
      spec: { env_id: envId.trim(), ...more.values },
      ...(chosen === undefined ? {} : { preset: chosen.name }),
      ...(typeof found.seeds === 'string' ? {} : { seeds: found.seeds })
    };
    if (found.steps !== null && typeof found.steps !== 'string') {
      asked.spec['total_steps'] = found.steps.value;
    }
    setRefused(null);
    try {
      await model.create(asked);
    } catch (error) {
      const named = error instanceof RequestError ? (error.field ?? '') : '';
      const field = named.split('.').slice(0, 2).join('.'); // such as spec.learning_rate.end
      const fields = ['name', 'tags', 'preset', 'seeds', 'spec.env_id'];
      const settings = [...moreSettings(form.items).map(each => each.name), 'total_steps'];
      fields.push(...settings.map(each => `spec.${each}`));
      if (!fields.includes(field)) {
        throw error;
      }
      setRefused({ field, text: (error as RequestError).message });
    }
    return null;
  };
  const isWrong =
    typeof found.steps === 'string' ||
    typeof found.seeds === 'string' ||
    Object.keys(more.problems).length > 0;

  return (
    <form
      className="jp-PPO-runForm jp-PPO-newRun"
      aria-label="New run"
      onSubmit={event => {
        event.preventDefault();
        void actions.run(start);
      }}
    >
      <div className="jp-PPO-runFields">
        <Field
          label="Environment"
          hint="an id of Gymnasium"
          problem={problemOf('spec.env_id', null)}
        >
          {control => (
            <>
              <input
                {...control}
                className="jp-PPO-input"
                list="jp-PPO-environments"
                value={envId}
                onChange={event => taken('spec.env_id', () => setEnvId(event.target.value))}
              />
              <datalist id="jp-PPO-environments">
                {ENVIRONMENTS.map(each => (
                  <option key={each} value={each} />
                ))}
              </datalist>
            </>
          )}
        </Field>
        <Field label="Preset" hint="where the values come from" problem={problemOf('preset', null)}>
          {control => (
            <Choice
              {...control}
              value={used?.name ?? ''}
              options={form.presets.map(each => [each.name, each.name] as const)}
              onChange={value => taken('preset', () => setPreset(value))}
            />
          )}
        </Field>
        <Field
          label="Steps"
          hint="of all copies together"
          problem={problemOf('spec.total_steps', found.steps)}
        >
          {control => (
            <input
              {...control}
              className="jp-PPO-input"
              inputMode="numeric"
              placeholder={usual}
              value={steps}
              onChange={event => taken('spec.total_steps', () => setSteps(event.target.value))}
            />
          )}
        </Field>
        <Field label="Seeds" hint="one run for each" problem={problemOf('seeds', found.seeds)}>
          {control => (
            <input
              {...control}
              className="jp-PPO-input"
              value={seeds}
              onChange={event => taken('seeds', () => setSeeds(event.target.value))}
            />
          )}
        </Field>
        <Field label="Name" hint="to find it again" problem={problemOf('name', null)}>
          {control => (
            <input
              {...control}
              className="jp-PPO-input"
              value={name}
              maxLength={200}
              onChange={event => taken('name', () => setName(event.target.value))}
            />
          )}
        </Field>
        <Field label="Tags" hint="separated by commas" problem={problemOf('tags', null)}>
          {control => (
            <input
              {...control}
              className="jp-PPO-input"
              placeholder="week 3, baseline"
              value={tags}
              onChange={event => taken('tags', () => setTags(event.target.value))}
            />
          )}
        </Field>
      </div>
      <MoreSettings
        items={form.items}
        preset={used?.values ?? {}}
        typed={typed}
        problems={moreProblems}
        onType={(name, text) =>
          taken(`spec.${name}`, () => setTyped(now => ({ ...now, [name]: text })))
        }
      />
      <div className="jp-PPO-runButtons">
        <button
          type="submit"
          className="jp-PPO-button jp-mod-primary"
          disabled={isWrong || actions.busy}
        >
          Start training
        </button>
        <button type="button" className="jp-PPO-button" onClick={() => model.showForm(false)}>
          Cancel
        </button>
      </div>
      <Outcome actions={actions} />
    </form>
  );
}

/** The presets that there are for an environment, as it is typed. */
function useForm(source: RestRunsSource, envId: string): IHyperparameters {
  const [form, setForm] = React.useState(source.form);
  React.useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(() => {
      source.client.hyperparameters(envId).then(
        found => isCurrent && setForm(found),
        () => undefined // the service says what is wrong with it when the run is started
      );
    }, TYPING_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [source, envId]);
  return form;
}

function typedSteps(
  setting: ISetting | undefined,
  text: string
): ReturnType<typeof typedValue> | null {
  const typed = text.replace(/[\s,_]/g, '');
  return typed === '' || setting === undefined ? null : typedValue(setting, typed);
}
