import * as React from 'react';

import { UnsealedMark } from '../exercises';
import { isPending, isShown, receiptText, scoreText, stateText, timeText } from '../format';
import type { INotice } from '../model';
import type { ISubmission } from '../types';
import { latenessText } from './words';

/** The state and the score of the latest attempt, read out when they change. */
export function AttemptState({ submission }: { submission: ISubmission | null }): JSX.Element {
  const score = scoreText(submission);
  const lateness = submission && latenessText(submission);
  return (
    <div className="jp-PPO-latest" role="status" aria-live="polite">
      <span className="jp-PPO-state" data-state={submission?.state ?? 'none'}>
        {submission && isPending(submission) && (
          <span className="jp-PPO-spinner" aria-hidden="true" />
        )}
        {stateText(submission)}
      </span>
      {submission && isShown(submission) && score !== null && (
        <span>
          <UnsealedMark submission={submission} /> <span className="jp-PPO-score">{score}</span>
        </span>
      )}
      {lateness !== null && <span className="jp-PPO-lateness">{lateness}</span>}
      {submission?.attempt_state === 'graded' && submission.points === null && (
        <span className="jp-PPO-unreleased">
          Points and feedback are hidden until your instructor releases them.
        </span>
      )}
    </div>
  );
}

interface IReceiptProps {
  submission: ISubmission;
  path?: string;
  onCopy: (submission: ISubmission) => void;
}

/** The proof that the latest attempt arrived, and what the service warned of; it stays. */
export function Receipt({ submission, path, onCopy }: IReceiptProps): JSX.Element {
  return (
    <div className="jp-PPO-receipt">
      <div role="status">
        {receiptText(submission, path)}
        {submission.warnings.length > 0 && (
          <ul className="jp-PPO-warnings" aria-label="Warnings">
            {submission.warnings.map(warning => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        )}
      </div>
      <ReceiptProof submission={submission} onCopy={onCopy} />
    </div>
  );
}

/** The id and the hash of what arrived, folded away, and a button that copies them. */
function ReceiptProof({ submission, onCopy }: Omit<IReceiptProps, 'path'>): JSX.Element {
  const [copied, setCopied] = React.useState<string | null>(null);
  return (
    <div className="jp-PPO-proof">
      <details>
        <summary>Id and hash</summary>
        <dl>
          <dt>Id</dt>
          <dd>{submission.id}</dd>
          <dt>SHA-256</dt>
          <dd>{submission.digest}</dd>
        </dl>
      </details>
      <button
        type="button"
        className="jp-PPO-link jp-PPO-copy"
        aria-label={`Copy the receipt of attempt ${submission.attempt}`}
        onClick={() => {
          onCopy(submission);
          setCopied(submission.id);
        }}
      >
        Copy receipt
      </button>
      <span role="status">{copied === submission.id && ' Copied'}</span>
    </div>
  );
}

/** The outcome of the last action. */
export function Notice({ notice }: { notice: INotice }): JSX.Element {
  const problem = notice.kind === 'problem';
  return (
    <div
      className={`jp-PPO-notice ${problem ? 'jp-mod-problem' : 'jp-mod-done'}`}
      role={problem ? 'alert' : 'status'}
    >
      {notice.text}
    </div>
  );
}

interface IAttemptListProps {
  attempts: readonly ISubmission[];
  onFeedback: (submission: ISubmission) => void;
  onCopy: (submission: ISubmission) => void;
}

/** Every attempt with its time, state and score, folded away. */
export function AttemptList({ attempts, onFeedback, onCopy }: IAttemptListProps): JSX.Element {
  return (
    <details className="jp-PPO-attempts">
      <summary>Attempts ({attempts.length})</summary>
      <ol>
        {attempts.map(item => (
          <li key={item.id} value={item.attempt}>
            <Attempt attempt={item} onFeedback={onFeedback} onCopy={onCopy} />
          </li>
        ))}
      </ol>
    </details>
  );
}

interface IAttemptProps extends Omit<IAttemptListProps, 'attempts'> {
  attempt: ISubmission;
}

function Attempt({ attempt, onFeedback, onCopy }: IAttemptProps): JSX.Element {
  const lateness = latenessText(attempt);
  return (
    <>
      <time dateTime={attempt.submitted_at}>{timeText(attempt.submitted_at)}</time>
      {isShown(attempt) ? (
        <button
          type="button"
          className="jp-PPO-link jp-PPO-attemptFeedback"
          aria-label={`Feedback on attempt ${attempt.attempt}, ${scoreText(attempt) ?? ''}`}
          onClick={() => onFeedback(attempt)}
        >
          {scoreText(attempt)}
        </button>
      ) : (
        <span>{stateText(attempt)}</span>
      )}
      {lateness !== null && <span className="jp-PPO-lateness"> {lateness}</span>}
      {attempt.counts && <span className="jp-PPO-counts"> counts</span>}
      <ReceiptProof submission={attempt} onCopy={onCopy} />
    </>
  );
}
