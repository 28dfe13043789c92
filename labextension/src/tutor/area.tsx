import * as React from 'react';

import { Problem } from '../instructor/parts';
import { Explanation } from './explanation';
import { Hints } from './hints';
import type { TutorModel } from './model';
import { SelfCheck } from './selfCheck';
import { statusText } from './words';

interface IAreaProps {
  model: TutorModel;
  /** Be about the cell that the cursor is in. */
  onLook: () => void;
  /** Have the failure of that cell explained. */
  onExplain: () => void;
}

/** The panel "PPO Tutor". */
export function TutorArea({ model, onLook, onExplain }: IAreaProps): JSX.Element {
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const { answer, ladder, selfCheck, status, explaining } = state;
  return (
    <div className="jp-PPO-tutor">
      <h2 className="jp-PPO-title">PPO Tutor</h2>
      <div className="jp-PPO-buttons">
        <button type="button" className="jp-PPO-button jp-PPO-look" onClick={onLook}>
          Help with this cell
        </button>
        <button type="button" className="jp-PPO-button jp-PPO-explain" onClick={onExplain}>
          Explain this cell
        </button>
      </div>
      {state.problem !== null && <Problem text={state.problem} />}
      {explaining !== null && (
        <Explanation
          explaining={explaining}
          onClose={() => model.closeExplanation()}
          onRetry={onExplain}
        />
      )}
      {answer === null ? (
        <p className="jp-PPO-empty">
          Put the cursor into a cell of an exercise, then press “Help with this cell”.
        </p>
      ) : (
        <section aria-label={answer.isByHand ? 'Self-check' : 'Hints'}>
          <h3 className="jp-PPO-tutorExercise">
            {answer.isByHand ? 'Check your answer' : 'Hints'}: <code>{answer.gradeId}</code>
          </h3>
          {ladder !== null && (
            <Hints
              ladder={ladder}
              words={state.words}
              isAsking={state.isAsking}
              onAsk={() => void model.ask()}
            />
          )}
          {selfCheck !== null && (
            <SelfCheck
              check={selfCheck}
              busy={state.isAsking}
              onChange={levels => void model.check(levels)}
            />
          )}
          {ladder === null && selfCheck === null && state.problem === null && (
            <p role="status">Loading…</p>
          )}
        </section>
      )}
      <p className="jp-PPO-said" role="status">
        {state.said}
      </p>
      {status !== null && <p className="jp-PPO-remark jp-PPO-tutorStatus">{statusText(status)}</p>}
    </div>
  );
}
