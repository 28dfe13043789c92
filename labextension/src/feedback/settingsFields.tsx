import * as React from 'react';

import { Choice, Field } from '../instructor/parts';
import { CAPS, heldText, SHARES, SWITCHES, WHOLES } from './settingsModel';
import type { ISettingsForm, Problems } from './settingsModel';
import type { IStoredSettings } from './types';
import { moneyText } from './words';

interface IFieldsProps {
  form: ISettingsForm;
  stored: IStoredSettings;
  problems: Problems;
  onChange: (form: ISettingsForm) => void;
}

const SWITCHED = [
  ['', 'Inherited'],
  ['on', 'On'],
  ['off', 'Off']
] as const;

/** All fields; below each what holds now. */
export function SettingsFields({ form, stored, problems, onChange }: IFieldsProps): JSX.Element {
  const { effective, ceilings, currency } = stored;
  const number = (name: keyof ISettingsForm['numbers'], label: string): JSX.Element => (
    <Field
      key={name}
      label={label}
      hint={`Holds now: ${heldText(effective[name])}`}
      problem={problems[name]}
    >
      {control => (
        <input
          {...control}
          name={name}
          inputMode="decimal"
          autoComplete="off"
          value={form.numbers[name]}
          onChange={event =>
            onChange({ ...form, numbers: { ...form.numbers, [name]: event.target.value } })
          }
        />
      )}
    </Field>
  );
  return (
    <>
      <div className="jp-PPO-formFields">
        {SWITCHES.map(([name, label]) => (
          <Field key={name} label={label} hint={`Holds now: ${heldText(effective[name])}`}>
            {control => (
              <Choice
                {...control}
                value={form.switches[name]}
                options={SWITCHED}
                onChange={value =>
                  onChange({ ...form, switches: { ...form.switches, [name]: value } })
                }
              />
            )}
          </Field>
        ))}
      </div>
      <div className="jp-PPO-formFields">
        {WHOLES.map(([name, label]) => number(name, label))}
        {SHARES.map(([name, label]) => number(name, label))}
      </div>
      <HintCosts form={form} stored={stored} problems={problems} onChange={onChange} />
      <div className="jp-PPO-formFields">
        {CAPS.map(([name, label]) => (
          <Field
            key={name}
            label={label}
            hint={capHint(effective.caps[name], ceilings[name], currency)}
            problem={problems[name] ?? problems[`caps.${name}`]}
          >
            {control => (
              <input
                {...control}
                name={`cap-${name}`}
                inputMode="decimal"
                autoComplete="off"
                value={form.caps[name]}
                onChange={event =>
                  onChange({ ...form, caps: { ...form.caps, [name]: event.target.value } })
                }
              />
            )}
          </Field>
        ))}
      </div>
    </>
  );
}

/** What each level of hints takes from the points of its exercise. */
function HintCosts({ form, stored, problems, onChange }: IFieldsProps): JSX.Element {
  const id = React.useId();
  const problem = problems['hint_costs'];
  return (
    <div
      className="jp-PPO-hintCosts"
      role="group"
      aria-labelledby={id}
      aria-describedby={`${id}-s`}
    >
      <span id={id}>What hints take from an exercise’s points, as shares from 0 to 1</span>
      <div>
        {form.hintCosts.map((text, at) => (
          <input
            key={at}
            name={`hint-cost-${at + 1}`}
            aria-label={`Level ${at + 1}`}
            aria-invalid={problem !== undefined}
            inputMode="decimal"
            autoComplete="off"
            placeholder={`Level ${at + 1}`}
            value={text}
            onChange={event =>
              onChange({
                ...form,
                hintCosts: form.hintCosts.map((old, index) =>
                  index === at ? event.target.value : old
                )
              })
            }
          />
        ))}
      </div>
      <p id={`${id}-s`} className={problem ? 'jp-PPO-formProblem' : 'jp-PPO-remark'}>
        {problem ?? `Holds now: ${heldText(stored.effective.hint_costs)}`}
      </p>
    </div>
  );
}

function capHint(holds: number | null, ceiling: number | null, currency: string): string {
  const most =
    ceiling === null ? '' : `; the server allows at most ${moneyText(ceiling, currency)}`;
  return `Holds now: ${holds === null ? 'no cap' : moneyText(holds, currency)}${most}`;
}
