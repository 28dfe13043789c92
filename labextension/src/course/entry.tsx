import * as React from 'react';

import { counted } from '../instructor/words';
import { HtmlFrame } from '../instructor/frame';
import type { EntryPart, IDefinition } from '../instructor/gradingTypes';
import type { CourseModel } from '../model';
import type { IAssignment } from '../types';
import { EMPTY_DRAFT } from './entryModel';
import type { EntryModel, IDraft } from './entryModel';
import { Rubric } from './rubric';
import { runText } from './runEvidence';
import { placeOf } from './validationModel';

interface IEntryProps {
  course: string;
  user: string;
  assignment: IAssignment;
  /** Why nothing can be handed in now, or null. */
  closed: string | null;
  busy: boolean;
  model: CourseModel;
}

/** What an entry asks for and its form, folded away and fetched when opened. */
export function EntrySection(props: IEntryProps): JSX.Element {
  const { course, user, assignment, model } = props;
  const { name } = assignment;
  const state = React.useSyncExternalStore(model.entries.subscribe, model.entries.snapshot);
  const place = placeOf(course, name);
  const entry = state.entries.get(place) ?? null;
  return (
    <details
      className="jp-PPO-ownEntry"
      onToggle={event => event.currentTarget.open && void model.entries.load(course, name, user)}
    >
      <summary aria-label={`Instructions, rubric and form of ${name}`}>
        Instructions, rubric and form
      </summary>
      {entry === null && <p role="status">Loading…</p>}
      {typeof entry === 'string' && (
        <p className="jp-PPO-notice jp-mod-problem" role="alert">
          {entry}
        </p>
      )}
      {entry !== null && typeof entry !== 'string' && (
        <>
          <Instructions definition={entry.definition} />
          <EntryForm
            {...props}
            parts={entry.definition.parts}
            draft={state.drafts.get(place) ?? EMPTY_DRAFT}
            problem={state.problems.get(place) ?? ''}
          />
        </>
      )}
    </details>
  );
}

function Instructions({ definition }: { definition: IDefinition }): JSX.Element {
  const { title, instructions_html: html } = definition;
  return (
    <>
      <h4>{title}</h4>
      {html !== '' && <HtmlFrame title={`Instructions: ${title}`} html={html} />}
      <details className="jp-PPO-rubricFold">
        <summary>Rubric ({counted(definition.rubric.length, 'criterion', 'criteria')})</summary>
        <Rubric definition={definition} />
      </details>
    </>
  );
}

interface IFormProps extends IEntryProps {
  parts: readonly EntryPart[];
  draft: IDraft;
  problem: string;
}

/** The parts that an entry asks for, and the button that hands them in. */
function EntryForm(props: IFormProps): JSX.Element {
  const { course, assignment, closed, busy, model, parts, draft, problem } = props;
  const { name } = assignment;
  const change = (part: Partial<IDraft>): void => model.entries.change(course, name, part);
  const isEmpty =
    !(parts.includes('text') && draft.text.trim() !== '') &&
    !(parts.includes('code') && draft.code.trim() !== '') &&
    !(parts.includes('files') && draft.files.length > 0) &&
    !(parts.includes('run') && draft.run !== null);
  return (
    <form
      className="jp-PPO-entryForm"
      aria-label={`Entry for ${name}`}
      onSubmit={event => {
        event.preventDefault();
        void model.submitEntry(assignment);
      }}
    >
      <label>
        Title (optional)
        <input
          className="jp-PPO-entryTitle"
          value={draft.title}
          maxLength={200}
          onChange={event => change({ title: event.target.value })}
        />
      </label>
      {parts.includes('text') && (
        <label>
          Text (Markdown)
          <textarea
            className="jp-PPO-entryText"
            rows={8}
            value={draft.text}
            onChange={event => change({ text: event.target.value })}
          />
        </label>
      )}
      {parts.includes('code') && (
        <label>
          Code
          <textarea
            className="jp-PPO-entryCode"
            rows={8}
            spellCheck={false}
            value={draft.code}
            onChange={event => change({ code: event.target.value })}
          />
        </label>
      )}
      {parts.includes('files') && (
        <FilesPart course={course} assignment={name} draft={draft} model={model.entries} />
      )}
      {parts.includes('run') && (
        <RunPart course={course} assignment={name} draft={draft} model={model.entries} />
      )}
      {problem !== '' && (
        <p className="jp-PPO-notice jp-mod-problem" role="alert">
          {problem}
        </p>
      )}
      <div className="jp-PPO-buttons">
        <button
          type="submit"
          className="jp-PPO-button jp-PPO-submit jp-mod-primary"
          aria-label={`Submit ${name}`}
          disabled={busy || isEmpty || closed !== null}
        >
          Submit
        </button>
      </div>
    </form>
  );
}

interface IPartProps {
  course: string;
  assignment: string;
  draft: IDraft;
  model: EntryModel;
}

function FilesPart({ course, assignment, draft, model }: IPartProps): JSX.Element {
  const picker = React.useRef<HTMLInputElement>(null);
  return (
    <fieldset>
      <legend>Files</legend>
      {draft.files.length === 0 && <p>None chosen.</p>}
      <ul>
        {draft.files.map(file => (
          <li key={file.name} className="jp-PPO-row">
            <span className="jp-PPO-name">{file.name}</span>
            <button
              type="button"
              className="jp-PPO-link"
              aria-label={`Remove ${file.name}`}
              onClick={() => model.removeFile(course, assignment, file.name)}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
      <div className="jp-PPO-buttons">
        <button
          type="button"
          className="jp-PPO-button jp-PPO-addFiles"
          onClick={() => void model.addFiles(course, assignment)}
        >
          Add from Jupyter…
        </button>
        <button type="button" className="jp-PPO-button" onClick={() => picker.current?.click()}>
          Add from this computer…
        </button>
      </div>
      <input
        ref={picker}
        type="file"
        className="jp-PPO-localFiles"
        aria-label="Files of this computer"
        multiple
        hidden
        onChange={event => {
          const chosen = [...(event.target.files ?? [])];
          event.target.value = '';
          void model.addLocalFiles(course, assignment, chosen);
        }}
      />
    </fieldset>
  );
}

function RunPart({ course, assignment, draft, model }: IPartProps): JSX.Element {
  return (
    <fieldset>
      <legend>Training run</legend>
      <p>{draft.run === null ? 'None chosen.' : runText(draft.run)}</p>
      <div className="jp-PPO-buttons">
        <button
          type="button"
          className="jp-PPO-button jp-PPO-chooseRun"
          onClick={() => void model.chooseRun(course, assignment)}
        >
          Choose its folder…
        </button>
        {draft.run !== null && (
          <button
            type="button"
            className="jp-PPO-button"
            onClick={() => model.change(course, assignment, { run: null })}
          >
            Remove
          </button>
        )}
      </div>
    </fieldset>
  );
}
