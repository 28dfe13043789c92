import * as React from 'react';

import { pointsText } from '../format';
import { CriterionEditor } from './criterionEditor';
import type { EntryPart, IEntry, IGradingClient } from './gradingTypes';
import {
  definitionDraft,
  definitionProblem,
  moved,
  newCriterion,
  newDefinition,
  replaced
} from './outcomeModel';
import type { IDefinitionDraft } from './outcomeModel';
import { numberOf } from './markDraft';
import { Check, Field, Loaded, Outcome } from './parts';
import { useActions, useLoaded } from './resource';

interface IEditorProps {
  client: IGradingClient;
  course: string;
  /** The entry to change; null makes a new one. */
  name: string | null;
  /** Called with the name of what was released, or null when nothing was. */
  onClose: (made: string | null) => void;
}

/** What an entry asks for and how it is judged. Saving releases the next version. */
export function DefinitionEditor(props: IEditorProps): JSX.Element {
  const { client, course, name } = props;
  const ask = React.useCallback(
    async (): Promise<{ entry: IEntry | null }> => ({
      entry: name === null ? null : await client.entry(course, name)
    }),
    [client, course, name]
  );
  const [loaded, reload] = useLoaded(ask);
  return (
    <Loaded loaded={loaded} onRetry={reload}>
      {({ entry }) => <Form {...props} entry={entry} />}
    </Loaded>
  );
}

const PARTS: readonly (readonly [EntryPart, string])[] = [
  ['text', 'A text (Markdown)'],
  ['code', 'Code'],
  ['files', 'Files'],
  ['run', 'A training run as evidence']
];

function Form(props: IEditorProps & { entry: IEntry | null }): JSX.Element {
  const { client, course, entry, onClose } = props;
  const [draft, setDraft] = React.useState(() => definitionDraft(entry?.definition ?? null));
  const [name, setName] = React.useState(entry?.name ?? '');
  const [remark, setRemark] = React.useState('');
  const actions = useActions();
  const problem = name.trim() === '' ? 'Give the entry a name.' : definitionProblem(draft);
  const change = (edit: Partial<IDefinitionDraft>): void => setDraft({ ...draft, ...edit });
  return (
    <form
      className="jp-PPO-form jp-PPO-definition"
      aria-label={entry === null ? 'New entry' : `Definition of ${entry.name}`}
      onSubmit={event => {
        event.preventDefault();
        if (problem !== null) {
          return;
        }
        void actions.run(async () => {
          const made = await client.define(course, name.trim(), newDefinition(draft), remark);
          onClose(made.name);
          return `${made.name} version ${made.version} is released.`;
        });
      }}
    >
      <h3>{entry === null ? 'New entry' : `${entry.name}, version ${entry.version}`}</h3>
      {entry !== null && (
        <p className="jp-PPO-remark">
          Saving releases version {entry.version + 1}. What was handed in before is judged by the
          rubric it came with.
        </p>
      )}
      <div className="jp-PPO-formFields">
        {entry === null && (
          <Field label="Name" hint="Part of addresses: letters, digits and dashes.">
            {control => (
              <input
                {...control}
                name="name"
                value={name}
                onChange={event => setName(event.target.value)}
              />
            )}
          </Field>
        )}
        <Field label="Title">
          {control => (
            <input
              {...control}
              name="title"
              maxLength={200}
              value={draft.title}
              onChange={event => change({ title: event.target.value })}
            />
          )}
        </Field>
      </div>
      <Field label="Instructions" hint="Markdown.">
        {control => (
          <textarea
            {...control}
            name="instructions"
            rows={5}
            maxLength={50_000}
            value={draft.instructions}
            onChange={event => change({ instructions: event.target.value })}
          />
        )}
      </Field>
      <div className="jp-PPO-actions" role="group" aria-label="Students hand in">
        {PARTS.map(([part, label]) => (
          <Check
            key={part}
            label={label}
            checked={draft.parts.includes(part)}
            onChange={isIn => {
              const wanted = PARTS.map(([each]) => each).filter(each =>
                each === part ? isIn : draft.parts.includes(each)
              );
              change({ parts: wanted });
            }}
          />
        ))}
      </div>
      <h4>
        Rubric <small>{pointsText(mostPoints(draft))} points</small>
      </h4>
      {draft.rubric.map((criterion, at) => (
        <CriterionEditor
          key={criterion.key}
          criterion={criterion}
          number={at + 1}
          count={draft.rubric.length}
          onChange={edited => change({ rubric: replaced(draft.rubric, at, edited) })}
          onMove={steps => change({ rubric: moved(draft.rubric, at, steps) })}
          onRemove={() => change({ rubric: draft.rubric.filter((_, index) => index !== at) })}
        />
      ))}
      <div>
        <button
          type="button"
          className="jp-PPO-button"
          onClick={() =>
            change({
              rubric: [...draft.rubric, newCriterion(`criterion-${draft.rubric.length + 1}`)]
            })
          }
        >
          Add a criterion
        </button>
      </div>
      {entry !== null && (
        <Field label="What is new">
          {control => (
            <input
              {...control}
              name="note"
              maxLength={1000}
              value={remark}
              onChange={event => setRemark(event.target.value)}
            />
          )}
        </Field>
      )}
      {problem !== null && <p className="jp-PPO-remark">{problem}</p>}
      <div className="jp-PPO-actions">
        <button
          type="submit"
          className="jp-PPO-button jp-mod-primary"
          disabled={actions.busy || problem !== null}
        >
          Release {entry === null ? 'the entry' : `version ${entry.version + 1}`}
        </button>
        <button type="button" className="jp-PPO-button" onClick={() => onClose(null)}>
          Cancel
        </button>
      </div>
      <Outcome actions={actions} />
    </form>
  );
}

function mostPoints(draft: IDefinitionDraft): number {
  return draft.rubric.reduce((sum, criterion) => {
    const points = criterion.levels.map(level => numberOf(level.points) ?? 0);
    return sum + Math.max(0, ...points.filter(each => !Number.isNaN(each)));
  }, 0);
}
