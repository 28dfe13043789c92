import * as React from 'react';

import { pointsText, scoreText, unsealedText } from './format';
import type { CourseModel } from './model';
import type { IExerciseGrade, IGrade, ISubmission } from './types';

interface IListProps {
  submission: ISubmission;
  /** What the service said of it; a text is a problem, null that it was not asked yet. */
  grade: IGrade | string | null;
  model: CourseModel;
}

/** The points of a graded attempt by exercise and check, folded away and fetched when opened. */
export function ExerciseList({ submission, grade, model }: IListProps): JSX.Element {
  return (
    <details
      className="jp-PPO-exercises"
      onToggle={event => event.currentTarget.open && void model.loadGrade(submission)}
    >
      <summary aria-label={`Points by exercise of attempt ${submission.attempt}`}>
        Points by exercise
      </summary>
      {grade === null && <p role="status">Loading…</p>}
      {typeof grade === 'string' && (
        <p className="jp-PPO-notice jp-mod-problem" role="alert">
          {grade}
        </p>
      )}
      {grade !== null && typeof grade !== 'string' && (
        <ul>
          {grade.exercises.map(exercise => (
            <ExerciseRow key={exercise.grade_id} exercise={exercise} />
          ))}
        </ul>
      )}
    </details>
  );
}

/** `1.5 / 2`, or `2.5 / 2, 0.5 of it extra credit`. */
function earnedText(exercise: IExerciseGrade): string {
  const { score, max_points, extra_credit: extra } = exercise;
  const earned = `${pointsText(score)} / ${pointsText(max_points)}`;
  return extra > 0 ? `${earned}, ${pointsText(extra)} of it extra credit` : earned;
}

function ExerciseRow({ exercise }: { exercise: IExerciseGrade }): JSX.Element {
  return (
    <li className="jp-PPO-exercise" data-exercise={exercise.grade_id}>
      <div className="jp-PPO-row">
        <span className="jp-PPO-name">{exercise.grade_id}</span>
        {!exercise.sealed && <Unsealed text="unsealed" />}
        {exercise.mark !== null && exercise.mark.points !== null && (
          <span className="jp-PPO-byHand">marked by hand</span>
        )}
        <span className="jp-PPO-number">
          {exercise.waits ? 'not marked yet' : earnedText(exercise)}
        </span>
      </div>
      {exercise.comment !== '' && <p className="jp-PPO-comment">{exercise.comment}</p>}
      {exercise.mark?.drafted === true && (
        <p className="jp-PPO-validationNote">
          A program drafted these words; a person approved them.
        </p>
      )}
      {exercise.checks.length > 0 && (
        <ul aria-label={`Checks of ${exercise.grade_id}`}>
          {exercise.checks.map((check, index) => (
            <li key={index} className="jp-PPO-row">
              <span className="jp-PPO-name">
                <span aria-hidden="true">{check.points >= check.max_points ? '✓' : '✗'} </span>
                {check.message === '' ? check.name : `${check.name}: ${check.message}`}
              </span>
              <span className="jp-PPO-number">{scoreText(check)}</span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

/** Marks points that tests in the student's own process gave. */
export function Unsealed({ text }: { text: string }): JSX.Element {
  return (
    <span
      className="jp-PPO-unsealed"
      title="The tests of these points ran in the same process as the answers."
    >
      {text}
    </span>
  );
}

/** The mark beside the score of an attempt, or nothing when all its points are sealed. */
export function UnsealedMark({ submission }: { submission: ISubmission }): JSX.Element | null {
  const text = unsealedText(submission);
  return text === null ? null : <Unsealed text={text} />;
}
