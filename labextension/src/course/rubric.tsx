import * as React from 'react';

import { pointsLabel, pointsText } from '../format';
import { HtmlFrame } from '../instructor/frame';
import type { ICriterion, IDefinition, IResult } from '../instructor/gradingTypes';
import type { ISubmission } from '../types';
import type { EntryModel } from './entryModel';
import type { IJudged } from './types';

interface IRubricProps {
  definition: IDefinition;
  /** What was decided, once it is released. */
  results?: readonly IResult[];
}

/** Every criterion with its levels and their points, and which level was chosen. */
export function Rubric({ definition, results }: IRubricProps): JSX.Element {
  return (
    <ul className="jp-PPO-ownRubric" aria-label="Rubric">
      {definition.rubric.map(criterion => (
        <CriterionItem
          key={criterion.name}
          criterion={criterion}
          most={criterion.max_points}
          result={results?.find(({ criterion: name }) => name === criterion.name)}
        />
      ))}
    </ul>
  );
}

interface ICriterionProps {
  criterion: ICriterion;
  most: number;
  result: IResult | undefined;
}

function CriterionItem({ criterion, most, result }: ICriterionProps): JSX.Element {
  const points = result ? `${pointsText(result.points)} / ${pointsText(most)}` : pointsLabel(most);
  return (
    <li className="jp-PPO-ownCriterion" data-criterion={criterion.name}>
      <div className="jp-PPO-row">
        <strong className="jp-PPO-name">{criterion.title}</strong>
        <span className="jp-PPO-number">{points}</span>
      </div>
      {criterion.description !== '' && <p>{criterion.description}</p>}
      <ul aria-label={`Levels of ${criterion.title}`}>
        {criterion.levels.map(level => {
          const isChosen = level.name === result?.level;
          return (
            <li
              key={level.name}
              className={`jp-PPO-row${isChosen ? ' jp-mod-chosen' : ''}`}
              aria-current={isChosen ? 'true' : undefined}
            >
              <span className="jp-PPO-name">
                {isChosen && <span aria-hidden="true">✓ </span>}
                {level.description === '' ? level.name : `${level.name}: ${level.description}`}
              </span>
              <span className="jp-PPO-number">{pointsText(level.points)}</span>
            </li>
          );
        })}
      </ul>
      {result && result.comment !== '' && <p className="jp-PPO-comment">{result.comment}</p>}
    </li>
  );
}

interface IOutcomeProps {
  submission: ISubmission;
  model: EntryModel;
}

/** What was decided on an entry, folded away and fetched when opened. */
export function OutcomeSection({ submission, model }: IOutcomeProps): JSX.Element {
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const judged = state.outcomes.get(submission.id) ?? null;
  return (
    <details
      className="jp-PPO-exercises jp-PPO-ownOutcome"
      onToggle={event => event.currentTarget.open && void model.loadOutcome(submission.id)}
    >
      <summary aria-label={`Outcome of attempt ${submission.attempt}`}>Outcome</summary>
      {judged === null && <p role="status">Loading…</p>}
      {typeof judged === 'string' && (
        <p className="jp-PPO-notice jp-mod-problem" role="alert">
          {judged}
        </p>
      )}
      {judged !== null && typeof judged !== 'string' && <Judged judged={judged} />}
    </details>
  );
}

function Judged({ judged: { outcome, definition } }: { judged: IJudged }): JSX.Element {
  return (
    <>
      <Rubric definition={definition} results={outcome.results} />
      {outcome.summary_html !== '' && <HtmlFrame title="Summary" html={outcome.summary_html} />}
      {outcome.author_kind === 'program' && (
        <p className="jp-PPO-validationNote">
          A program drafted these words; a person approved them.
        </p>
      )}
    </>
  );
}
