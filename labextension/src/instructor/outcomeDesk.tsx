import * as React from 'react';

import { pointsText, timeText } from '../format';
import { EntryView } from './entryView';
import { conflictOf } from './gradingClient';
import type {
  IAttempt,
  IEntryContent,
  IGradingClient,
  IOutcomeOf,
  OutcomeChange
} from './gradingTypes';
import {
  authorText,
  changesOf,
  draftPoints,
  missingCriteria,
  newOutcome,
  outcomeDraft,
  outcomeProblem,
  outcomeStateText
} from './outcomeModel';
import { Field, Loaded, Outcome } from './parts';
import { useActions, useLoaded } from './resource';
import { RubricTable } from './rubricTable';

interface IDeskProps {
  client: IGradingClient;
  submission: IAttempt;
  onChanged: () => void;
  onClose: () => void;
  onOpenFeedback: (submissionId: string) => void;
}

/** One entry beside its rubric. */
export function OutcomeDesk(props: IDeskProps): JSX.Element {
  const { client, submission, onClose } = props;
  const ask = React.useCallback(async () => {
    const [content, outcome] = await Promise.all([
      client.entryContent(submission.id),
      client.outcome(submission.id)
    ]);
    return { content, outcome };
  }, [client, submission.id]);
  const [loaded, reload] = useLoaded(ask);
  const heading = React.useRef<HTMLHeadingElement>(null);
  React.useEffect(() => heading.current?.focus(), []);
  return (
    <section className="jp-PPO-outcomeDesk" aria-label={`Outcome of ${submission.user}`}>
      <div className="jp-PPO-header">
        <h3 ref={heading} tabIndex={-1}>
          {submission.user}, attempt {submission.attempt}
        </h3>
        <button type="button" className="jp-PPO-button" onClick={onClose}>
          Back to the list
        </button>
      </div>
      <Loaded loaded={loaded} onRetry={reload}>
        {({ content, outcome }) => (
          <div className="jp-PPO-judging">
            <EntryView client={client} content={content} />
            <OutcomeForm {...props} content={content} first={outcome} />
          </div>
        )}
      </Loaded>
    </section>
  );
}

interface IFormProps extends IDeskProps {
  content: IEntryContent;
  first: IOutcomeOf;
}

/** The rubric, the words, and what is done with them. */
function OutcomeForm(props: IFormProps): JSX.Element {
  const { client, content, submission, onChanged, onOpenFeedback } = props;
  const { definition } = content;
  const [stored, setStored] = React.useState(props.first);
  const [draft, setDraft] = React.useState(() => outcomeDraft(props.first, definition));
  const [conflict, setConflict] = React.useState<IOutcomeOf | null>(null);
  const actions = useActions();
  const isReleased = stored.state === 'released';
  const problem = outcomeProblem(draft, definition);
  const missing = missingCriteria(draft, definition);
  const isTyped =
    JSON.stringify(newOutcome(draft, definition, 0)) !==
    JSON.stringify(newOutcome(outcomeDraft(stored, definition), definition, 0));
  const put = (outcome: IOutcomeOf): void => {
    setStored(outcome);
    setDraft(outcomeDraft(outcome, definition));
    setConflict(null);
    onChanged();
  };
  const act = (does: () => Promise<string>): void =>
    void actions.run(async () => {
      try {
        return await does();
      } catch (error) {
        const met = conflictOf<IOutcomeOf>(error);
        if (met === null) {
          throw error;
        }
        setConflict(met.theirs);
        return null;
      }
    });
  const save = async (revision: number): Promise<IOutcomeOf> => {
    const saved = await client.saveOutcome(submission.id, newOutcome(draft, definition, revision));
    put(saved);
    return saved;
  };
  const change = (what: OutcomeChange): void =>
    act(async () => {
      // What is approved is what the person sees, so it is saved first.
      const seen = isTyped ? await save(stored.revision) : stored;
      const changed = await client.changeOutcome(submission.id, what, seen.revision);
      put(changed);
      return `${outcomeStateText(changed)}.`;
    });
  return (
    <form
      className="jp-PPO-form jp-PPO-outcomeForm"
      onSubmit={event => {
        event.preventDefault();
        if (problem === null && !isReleased && !actions.busy) {
          act(async () => {
            const saved = await save(stored.revision);
            return `Saved as revision ${saved.revision}.`;
          });
        }
      }}
      onKeyDown={event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          event.currentTarget.requestSubmit();
        }
      }}
    >
      <p className="jp-PPO-outcomeState">
        <strong>{outcomeStateText(stored)}</strong>
        {stored.author_kind !== null && (
          <>
            <AuthorBadge outcome={stored} /> <span>{authorText(stored)}</span>
          </>
        )}
        {isTyped && <span className="jp-PPO-badge">Not saved</span>}
      </p>
      {isReleased && (
        <p className="jp-PPO-remark">The student sees it. Withdraw it to change it.</p>
      )}
      <fieldset disabled={isReleased || actions.busy}>
        <RubricTable rubric={definition.rubric} draft={draft} onChange={setDraft} />
        <p className="jp-PPO-outcomeTotal" role="status">
          {pointsText(draftPoints(draft, definition.rubric))} of {pointsText(definition.max_points)}{' '}
          points
          {missing.length > 0 && `, no level yet for ${missing.join(', ')}`}
        </p>
        <Field label="Summary for the student" hint="Markdown.">
          {control => (
            <textarea
              {...control}
              name="summary"
              rows={4}
              maxLength={20_000}
              value={draft.summary}
              onChange={event => setDraft({ ...draft, summary: event.target.value })}
            />
          )}
        </Field>
        <div className="jp-PPO-private">
          <Field label="Private note" hint="Only for graders; the student never sees it.">
            {control => (
              <textarea
                {...control}
                name="private_note"
                rows={2}
                maxLength={20_000}
                value={draft.privateNote}
                onChange={event => setDraft({ ...draft, privateNote: event.target.value })}
              />
            )}
          </Field>
        </div>
      </fieldset>
      {problem !== null && (
        <p className="jp-PPO-formProblem" role="alert">
          {problem}
        </p>
      )}
      {conflict !== null && (
        <OutcomeConflict
          theirs={conflict}
          mine={draftPoints(draft, definition.rubric)}
          onMine={() =>
            act(async () => {
              await save(conflict.revision);
              return 'Saved in the place of the other one, which is kept below.';
            })
          }
          onTheirs={() => put(conflict)}
        />
      )}
      <div className="jp-PPO-actions">
        {!isReleased && (
          <button
            type="submit"
            className="jp-PPO-button jp-mod-primary"
            disabled={actions.busy || problem !== null || !isTyped}
          >
            {stored.state === 'approved' ? 'Save' : 'Save draft'}
          </button>
        )}
        {changesOf(stored.state).map(([what, text]) => (
          <button
            key={what}
            type="button"
            className="jp-PPO-button"
            data-change={what}
            disabled={
              actions.busy || problem !== null || (what === 'approve' && missing.length > 0)
            }
            onClick={() => change(what)}
          >
            {text}
          </button>
        ))}
        {stored.state !== 'draft' && (
          <button
            type="button"
            className="jp-PPO-button"
            onClick={() => onOpenFeedback(submission.id)}
          >
            Student’s page
          </button>
        )}
      </div>
      <Outcome actions={actions} />
      <Revisions client={client} submission={submission.id} newest={stored.revision} />
    </form>
  );
}

function AuthorBadge({ outcome }: { outcome: IOutcomeOf }): JSX.Element | null {
  if (outcome.author_kind === null) {
    return null;
  }
  return (
    <span className="jp-PPO-badge" data-author={outcome.author_kind}>
      {outcome.author_kind === 'person' ? 'by a person' : 'by a program'}
    </span>
  );
}

interface IConflictProps {
  theirs: IOutcomeOf;
  mine: number;
  onMine: () => void;
  onTheirs: () => void;
}

function OutcomeConflict({ theirs, mine, onMine, onTheirs }: IConflictProps): JSX.Element {
  return (
    <div className="jp-PPO-conflict" role="alert">
      <p>
        <strong>Revision {theirs.revision} was saved meanwhile by </strong>
        {authorText(theirs)} ({outcomeStateText(theirs)}). It gives {pointsText(theirs.points)}{' '}
        points, yours {pointsText(mine)}.
      </p>
      <RevisionText revision={theirs} />
      <div className="jp-PPO-actions">
        <button type="button" className="jp-PPO-button jp-PPO-mine" onClick={onMine}>
          Keep mine
        </button>
        <button type="button" className="jp-PPO-button jp-PPO-theirs" onClick={onTheirs}>
          Keep theirs
        </button>
      </div>
    </div>
  );
}

function RevisionText({ revision }: { revision: IOutcomeOf }): JSX.Element {
  return (
    <ul className="jp-PPO-revisionText">
      {revision.results.map(each => (
        <li key={each.criterion}>
          {each.criterion}: {each.level}, {pointsText(each.points)}
          {each.comment !== '' && ` – ${each.comment}`}
        </li>
      ))}
      {revision.summary !== '' && <li>Summary: {revision.summary}</li>}
      {revision.private_note && <li>Private note: {revision.private_note}</li>}
    </ul>
  );
}

interface IRevisionsProps {
  client: IGradingClient;
  submission: string;
  newest: number;
}

/** Every revision, the newest first, once it is asked for. */
function Revisions({ client, submission, newest }: IRevisionsProps): JSX.Element | null {
  const [isOpen, setOpen] = React.useState(false);
  if (newest === 0) {
    return null;
  }
  return (
    <div className="jp-PPO-revisions">
      <button
        type="button"
        className="jp-PPO-button jp-PPO-opens"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        Revisions
      </button>
      {isOpen && <RevisionList key={newest} client={client} submission={submission} />}
    </div>
  );
}

function RevisionList(props: { client: IGradingClient; submission: string }): JSX.Element {
  const { client, submission } = props;
  const ask = React.useCallback(() => client.revisions(submission), [client, submission]);
  const [loaded, reload] = useLoaded(ask);
  return (
    <Loaded loaded={loaded} onRetry={reload}>
      {revisions => (
        <ol className="jp-PPO-history">
          {revisions.map(each => (
            <li key={each.revision} data-revision={each.revision}>
              <strong>Revision {each.revision}</strong>: {outcomeStateText(each)},{' '}
              {pointsText(each.points)} points
              <AuthorBadge outcome={each} />
              <div className="jp-PPO-remark">
                {each.at !== null && `${timeText(each.at)} by `}
                {authorText(each)}
              </div>
              <RevisionText revision={each} />
            </li>
          ))}
        </ol>
      )}
    </Loaded>
  );
}
