import * as React from 'react';

import { RequestError } from '../connection';
import { timeText } from '../format';
import { JsonProblem, lineOf, nearestPlace, placesIn } from './jsonPlaces';
import type { ISpan } from './jsonPlaces';
import { Empty, Field, Loaded, Outcome } from './parts';
import { rulesText, savedRulesText } from './progressModel';
import type { IProgressClient, IRuleEdition } from './progressTypes';
import { messageOf, useActions, useLoaded } from './resource';
import { counted } from './words';

interface IRulesProps {
  client: IProgressClient;
  course: string;
}

/** The rules of the achievements of a course, and a new edition of them. */
export function AchievementRules({ client, course }: IRulesProps): JSX.Element {
  const ask = React.useCallback(() => client.rules(course), [client, course]);
  const [loaded, reload] = useLoaded(ask);
  const [isEdited, setEdited] = React.useState(false);
  const actions = useActions();
  return (
    <>
      <Outcome actions={actions} />
      <Loaded loaded={loaded} onRetry={reload}>
        {edition =>
          isEdited ? (
            <Editor
              client={client}
              course={course}
              edition={edition}
              onClose={said => {
                setEdited(false);
                if (said !== null) {
                  void actions.run(async () => {
                    await reload();
                    return said;
                  });
                }
              }}
            />
          ) : (
            <Rules
              edition={edition}
              onEdit={() => {
                actions.clear();
                setEdited(true);
              }}
            />
          )
        }
      </Loaded>
    </>
  );
}

interface IEditionProps {
  edition: IRuleEdition;
  onEdit: () => void;
}

function Rules({ edition, onEdit }: IEditionProps): JSX.Element {
  const { number, rules, created_at, created_by } = edition;
  return (
    <div className="jp-PPO-rules">
      <div className="jp-PPO-header">
        <h3>
          {number === 0 ? 'Rules that come with the package' : `Edition ${number}`}
          {created_at !== null && (
            <small className="jp-PPO-remark">
              {' '}
              by {created_by}, {timeText(created_at)}
            </small>
          )}
        </h3>
        <button type="button" className="jp-PPO-button jp-PPO-editRules" onClick={onEdit}>
          Edit rules
        </button>
      </div>
      {rules.length === 0 && <Empty>There are no achievements in this course.</Empty>}
      {rules.length > 0 && (
        <div className="jp-PPO-scroll">
          <table className="jp-PPO-table" aria-label="Rules of achievements">
            <thead>
              <tr>
                <th scope="col">Achievement</th>
                <th scope="col">What for</th>
                <th scope="col">All of</th>
                <th scope="col" className="jp-PPO-figure">
                  Version
                </th>
              </tr>
            </thead>
            <tbody>
              {rules.map(rule => (
                <tr key={rule.id} data-rule={rule.id}>
                  <th scope="row">{rule.title}</th>
                  <td className="jp-PPO-words">{rule.description}</td>
                  <td className="jp-PPO-words">
                    {rule.criteria.map((criterion, at) => (
                      <div key={at}>
                        {criterion.kind} <code>{JSON.stringify(criterion.data)}</code>
                      </div>
                    ))}
                  </td>
                  <td className="jp-PPO-figure">{rule.version}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

/** What is wrong with the text, and where, if that is known. */
interface ITextProblem {
  text: string;
  span: ISpan | null;
}

interface IEditorProps extends IRulesProps {
  edition: IRuleEdition;
  /** Called with what was done, or null when nothing was. */
  onClose: (said: string | null) => void;
}

function Editor({ client, course, edition, onClose }: IEditorProps): JSX.Element {
  const [text, setText] = React.useState(() => rulesText(edition.rules));
  const [problem, setProblem] = React.useState<ITextProblem | null>(null);
  const [isSaving, setSaving] = React.useState(false);
  const area = React.useRef<HTMLTextAreaElement>(null);
  const show = ({ start, end }: ISpan): void => {
    const field = area.current;
    if (field !== null) {
      field.focus();
      field.setSelectionRange(start, end);
      // No browser does that by itself. Lines are not broken, so that all are of one height.
      const height = field.scrollHeight / lineOf(text, text.length);
      field.scrollTop = (lineOf(text, start) - 1) * height - field.clientHeight / 2;
    }
  };
  const save = async (): Promise<void> => {
    setSaving(true);
    setProblem(null);
    try {
      placesIn(text, ROOT); // says where it is no JSON, in the same words in every browser
      const rules = JSON.parse(text) as unknown;
      onClose(savedRulesText(await client.saveRules(course, rules, edition.number)));
    } catch (error) {
      setProblem(problemIn(text, error));
      setSaving(false);
    }
  };
  return (
    <form
      className="jp-PPO-form jp-PPO-rulesEditor"
      aria-label="Rules of achievements"
      onSubmit={event => {
        event.preventDefault();
        void save();
      }}
    >
      <p className="jp-PPO-remark">
        Saving makes edition {edition.number + 1}, and everybody is looked at again: who meets a
        rule now gets it; who has an achievement keeps it as they earned it, as long as their grades
        still meet that.
      </p>
      <Field
        label={`Rules as JSON (${counted(edition.rules.length, 'rule', 'rules')} now)`}
        hint={
          'A list of objects with id, title, description and criteria, which all have to be met. ' +
          'Kinds: checks, exercise, chapter, chapters, concepts, weeks.'
        }
      >
        {control => (
          <textarea
            {...control}
            ref={area}
            name="rules"
            className="jp-PPO-rulesText"
            rows={24}
            spellCheck={false}
            wrap="off"
            aria-invalid={problem !== null || undefined}
            value={text}
            onChange={event => {
              setText(event.target.value);
              // The place was one of the text before.
              setProblem(now => now && { ...now, span: null });
            }}
          />
        )}
      </Field>
      <div aria-live="polite">
        {problem !== null && (
          <div className="jp-PPO-notice jp-mod-problem jp-PPO-withButton" role="alert">
            <span>{problem.text}</span>
            {problem.span !== null && (
              <button
                type="button"
                className="jp-PPO-button jp-PPO-showPlace"
                onClick={() => problem.span && show(problem.span)}
              >
                Go to line {lineOf(text, problem.span.start)}
              </button>
            )}
          </div>
        )}
      </div>
      <div className="jp-PPO-actions">
        <button type="submit" className="jp-PPO-button jp-mod-primary" disabled={isSaving}>
          {isSaving ? 'Saving…' : `Save edition ${edition.number + 1}`}
        </button>
        <button type="button" className="jp-PPO-button" onClick={() => onClose(null)}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** What the service calls the list of rules. */
const ROOT = 'rules';

/** What an error says of the text, and where in it that is. */
function problemIn(text: string, error: unknown): ITextProblem {
  if (error instanceof JsonProblem) {
    return {
      text: `Line ${lineOf(text, error.at)} is no JSON. ${error.message}`,
      span: { start: error.at, end: Math.min(error.at + 1, text.length) }
    };
  }
  const conflict = error instanceof RequestError ? error.conflict : null;
  if (conflict !== null) {
    const theirs = conflict.theirs as unknown as IRuleEdition;
    const text =
      `${theirs.created_by || 'Somebody'} saved edition ${theirs.number} meanwhile. Copy your ` +
      'changes, press Cancel and Refresh, and make them again there.';
    return { text, span: null };
  }
  const field = error instanceof RequestError ? error.field : null;
  const isInside = field?.startsWith(ROOT) ?? false;
  return {
    text: messageOf(error),
    span: isInside && field !== null ? nearestPlace(placesIn(text, ROOT), field) : null
  };
}
