import * as React from 'react';

import { Choice, Field } from '../instructor/parts';
import type { IControl } from '../instructor/parts';
import type { Plain } from '../live/runsSource';
import type { ISetting } from './types';
import { typedValue, valueText } from './words';

/** What was typed for each setting; nothing stands for the preset's value. */
export type Typed = Readonly<Record<string, string>>;

/** Settings that have a place of their own in the form. */
const ELSEWHERE = ['total_steps', 'seed'];

/** The settings of this part of the form. */
export function moreSettings(items: readonly ISetting[]): ISetting[] {
  return items.filter(({ name }) => !ELSEWHERE.includes(name));
}

/** The values that were typed, and what is wrong with the others. */
export function readTyped(
  items: readonly ISetting[],
  typed: Typed
): { values: Record<string, Plain>; problems: Readonly<Record<string, string>> } {
  const values: Record<string, Plain> = {};
  const problems: Record<string, string> = {};
  for (const setting of moreSettings(items)) {
    const text = (typed[setting.name] ?? '').trim();
    if (text === '') {
      continue;
    }
    const found = typedValue(setting, text);
    if (typeof found === 'string') {
      problems[setting.name] = found;
    } else {
      values[setting.name] = found.value;
    }
  }
  return { values, problems };
}

interface IProps {
  items: readonly ISetting[];
  /** What the preset sets; the others have their defaults. */
  preset: Readonly<Record<string, Plain>>;
  typed: Typed;
  problems: Readonly<Record<string, string>>;
  onType: (name: string, text: string) => void;
}

/** Every hyperparameter, in its groups. */
export function MoreSettings({ items, preset, typed, problems, onType }: IProps): JSX.Element {
  const settings = moreSettings(items);
  const groups = [...new Set(settings.map(({ group }) => group))];
  const count = settings.filter(({ name }) => (typed[name] ?? '').trim() !== '').length;
  const wrong = Object.keys(problems).join();
  const part = React.useRef<HTMLDetailsElement>(null);
  React.useEffect(() => {
    if (wrong !== '' && part.current !== null) {
      part.current.open = true; // what is wrong must be in sight
    }
  }, [wrong]);
  return (
    <details ref={part} className="jp-PPO-runMore">
      <summary>More settings{count > 0 && ` (${count} of your own)`}</summary>
      <p className="jp-PPO-remark">
        What is left empty is as the preset has it. A schedule is written as linear:2e-3:0, where
        there may be one.
      </p>
      {groups.map(group => (
        <fieldset key={group}>
          <legend>{group.charAt(0).toUpperCase() + group.slice(1)}</legend>
          <div className="jp-PPO-runFields">
            {settings
              .filter(setting => setting.group === group)
              .map(setting => (
                <Field
                  key={setting.name}
                  label={setting.name}
                  hint={setting.meaning + (setting.unit === '' ? '' : ` (${setting.unit})`)}
                  problem={problems[setting.name] ?? null}
                >
                  {control => (
                    <SettingControl
                      control={control}
                      setting={setting}
                      usual={valueText(preset[setting.name] ?? setting.default)}
                      text={typed[setting.name] ?? ''}
                      onType={text => onType(setting.name, text)}
                    />
                  )}
                </Field>
              ))}
          </div>
        </fieldset>
      ))}
    </details>
  );
}

interface IControlProps {
  control: IControl;
  setting: ISetting;
  /** What the preset has. */
  usual: string;
  text: string;
  onType: (text: string) => void;
}

/** A text, or a choice where there are few values. */
function SettingControl({ control, setting, usual, text, onType }: IControlProps): JSX.Element {
  const choices = setting.kind === 'flag' ? ['true', 'false'] : setting.choices;
  if (choices.length > 0) {
    const options = choices.map(each => [each, each] as const);
    return (
      <Choice
        {...control}
        value={text}
        options={[['', `as the preset: ${usual}`] as const, ...options]}
        onChange={onType}
      />
    );
  }
  return (
    <input
      {...control}
      className="jp-PPO-input"
      title={setting.meaning}
      placeholder={usual}
      spellCheck={false}
      value={text}
      onChange={event => onType(event.target.value)}
    />
  );
}
