import * as React from 'react';

import { RequestError } from '../connection';
import { Check, Choice, Field, Outcome } from './parts';
import { useActions } from './resource';
import { TermsConflict } from './termsConflict';
import type { ITermsConflict } from './termsConflict';
import { COUNTINGS, formOf, isTerms, LATE_RULES, pickTerms, RELEASES, termsOf } from './termsModel';
import type { IStepForm, ITermsForm, Problems } from './termsModel';
import type { IInstructorClient, ITerms } from './types';
import { zoneName } from './words';

interface ITermsProps {
  client: IInstructorClient;
  course: string;
  assignment: string;
  terms: ITerms;
  mayEdit: boolean;
  onSaved: () => void;
}

/** When an assignment opens, is due and closes, what being late costs, and how it is graded. */
export function TermsForm(props: ITermsProps): JSX.Element {
  const { client, course, assignment, mayEdit, onSaved } = props;
  const [seen, setSeen] = React.useState(() => pickTerms(props.terms));
  const [form, setForm] = React.useState(() => formOf(props.terms));
  const [problems, setProblems] = React.useState<Problems>({});
  const [conflict, setConflict] = React.useState<ITermsConflict | null>(null);
  const actions = useActions();

  const fill = (terms: ITerms): void => {
    setSeen(terms);
    setForm(formOf(terms));
    setProblems({});
    setConflict(null);
  };
  const save = async (wanted: ITerms): Promise<string | null> => {
    try {
      fill(pickTerms(await client.saveTerms(course, assignment, wanted)));
      onSaved();
      return 'Saved.';
    } catch (error) {
      if (error instanceof RequestError && error.conflict !== null) {
        const theirs = pickTerms(error.conflict.theirs as unknown as ITerms);
        setConflict({ yours: wanted, theirs });
        return null;
      }
      if (error instanceof RequestError && error.field !== null) {
        setProblems({ [error.field]: error.message });
      }
      throw error;
    }
  };
  const submit = (event: React.FormEvent): void => {
    event.preventDefault();
    const made = termsOf(form, seen);
    if (isTerms(made)) {
      setProblems({});
      void actions.run(() => save(made));
    } else {
      setProblems(made);
    }
  };
  const change = (part: Partial<ITermsForm>): void => setForm({ ...form, ...part });
  const part = { form, change, problems };
  return (
    <form
      className="jp-PPO-form"
      onSubmit={submit}
      noValidate
      aria-label={`Terms of ${assignment}`}
    >
      <fieldset disabled={!mayEdit || actions.busy}>
        <Times {...part} />
        <Late {...part} />
        <Attempts {...part} />
      </fieldset>
      {conflict && (
        <TermsConflict
          conflict={conflict}
          busy={actions.busy}
          onYours={() =>
            void actions.run(() => save({ ...conflict.yours, revision: conflict.theirs.revision }))
          }
          onTheirs={() => fill(conflict.theirs)}
        />
      )}
      {Object.keys(problems).length > 0 && actions.outcome === null && (
        <p className="jp-PPO-notice jp-mod-problem" role="alert">
          Nothing was saved: look at the marked fields.
        </p>
      )}
      <Outcome actions={actions} />
      {mayEdit ? (
        <div className="jp-PPO-actions">
          <button
            type="submit"
            className="jp-PPO-button jp-mod-primary"
            disabled={actions.busy || conflict !== null}
          >
            Save terms
          </button>
        </div>
      ) : (
        <p className="jp-PPO-remark">Only an instructor can change the terms.</p>
      )}
    </form>
  );
}

interface IPartProps {
  form: ITermsForm;
  change: (part: Partial<ITermsForm>) => void;
  problems: Problems;
}

function Times({ form, change, problems }: IPartProps): JSX.Element {
  const time = (name: 'opens_at' | 'due_at' | 'closes_at', label: string, hint: string) => (
    <Field label={label} hint={hint} problem={problems[name]}>
      {control => (
        <input
          {...control}
          type="datetime-local"
          name={name}
          value={form[name]}
          onChange={event => change({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <div className="jp-PPO-formGroup" role="group" aria-label="Times">
      <h4>
        Times <small>in your time zone, {zoneName()}; kept as UTC</small>
      </h4>
      <div className="jp-PPO-formFields">
        {time('opens_at', 'Opens', 'Empty: visible at once.')}
        {time('due_at', 'Due', 'Empty: never late.')}
        {time('closes_at', 'Closes', 'Empty: taken for ever.')}
        <Field
          label="Grace (minutes)"
          hint="Not late within it."
          problem={problems['grace_seconds']}
        >
          {control => (
            <input
              {...control}
              type="number"
              name="grace"
              min={0}
              step="any"
              value={form.grace}
              onChange={event => change({ grace: event.target.value })}
            />
          )}
        </Field>
      </div>
    </div>
  );
}

function Late({ form, change, problems }: IPartProps): JSX.Element {
  const percent = (name: 'percent_per_day' | 'at_least_percent', label: string, hint: string) => (
    <Field label={label} hint={hint} problem={problems[`late.${name}`]}>
      {control => (
        <input
          {...control}
          type="number"
          name={name}
          min={0}
          max={100}
          step="any"
          value={form[name]}
          onChange={event => change({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <div className="jp-PPO-formGroup" role="group" aria-label="Late work">
      <h4>Late work</h4>
      <div className="jp-PPO-formFields">
        <Field label="Being late" problem={problems['late.rule']}>
          {control => (
            <Choice
              {...control}
              value={form.rule}
              options={LATE_RULES}
              onChange={rule => change({ rule })}
            />
          )}
        </Field>
        {form.rule === 'per_day' && (
          <>
            {percent('percent_per_day', 'Percent a day', 'Of the points scored.')}
            {percent('at_least_percent', 'Keeps at least (percent)', 'However late it is.')}
          </>
        )}
      </div>
      {form.rule === 'custom' && (
        <Steps
          steps={form.steps}
          problem={problems['late.steps']}
          onChange={steps => change({ steps })}
        />
      )}
    </div>
  );
}

interface IStepsProps {
  steps: readonly IStepForm[];
  problem: string | undefined;
  onChange: (steps: IStepForm[]) => void;
}

/** The table of a custom rule. */
function Steps({ steps, problem, onChange }: IStepsProps): JSX.Element {
  const id = React.useId();
  const edit = (at: number, part: Partial<IStepForm>): void =>
    onChange(steps.map((step, index) => (index === at ? { ...step, ...part } : step)));
  return (
    <div className="jp-PPO-steps" role="group" aria-label="Steps" aria-describedby={id}>
      {steps.map((step, index) => (
        <div key={index} className="jp-PPO-step">
          <span>From</span>
          <input
            type="number"
            min={0}
            step="any"
            aria-label={`Step ${index + 1}: hours late`}
            aria-invalid={problem !== undefined}
            value={step.hours}
            onChange={event => edit(index, { hours: event.target.value })}
          />
          <span>hours late on</span>
          <input
            type="number"
            min={0}
            max={100}
            step="any"
            aria-label={`Step ${index + 1}: percent kept`}
            aria-invalid={problem !== undefined}
            value={step.keep}
            onChange={event => edit(index, { keep: event.target.value })}
          />
          <span>% is kept</span>
          <button
            type="button"
            className="jp-PPO-button"
            aria-label={`Remove step ${index + 1}`}
            onClick={() => onChange(steps.filter((_, at) => at !== index))}
          >
            Remove
          </button>
        </div>
      ))}
      <p id={id} className={problem === undefined ? 'jp-PPO-remark' : 'jp-PPO-formProblem'}>
        {problem ?? 'Before the first line everything is kept; the last one reached decides.'}
      </p>
      <button
        type="button"
        className="jp-PPO-button"
        onClick={() => onChange([...steps, { hours: '24', keep: '50' }])}
      >
        Add a line
      </button>
    </div>
  );
}

function Attempts({ form, change, problems }: IPartProps): JSX.Element {
  return (
    <div className="jp-PPO-formGroup" role="group" aria-label="Attempts and grades">
      <h4>Attempts and grades</h4>
      <div className="jp-PPO-formFields">
        <Field
          label="Attempts at most"
          hint="Empty: any number."
          problem={problems['max_attempts']}
        >
          {control => (
            <input
              {...control}
              type="number"
              name="max_attempts"
              min={1}
              step={1}
              value={form.max_attempts}
              onChange={event => change({ max_attempts: event.target.value })}
            />
          )}
        </Field>
        <Field label="Attempt that counts">
          {control => (
            <Choice
              {...control}
              value={form.counting}
              options={COUNTINGS}
              onChange={counting => change({ counting })}
            />
          )}
        </Field>
        <Field label="Students see grades">
          {control => (
            <Choice
              {...control}
              value={form.grades}
              options={RELEASES}
              onChange={grades => change({ grades })}
            />
          )}
        </Field>
      </div>
      <Check
        label="Grade each attempt as it comes"
        checked={form.autograde}
        onChange={autograde => change({ autograde })}
      />
    </div>
  );
}
