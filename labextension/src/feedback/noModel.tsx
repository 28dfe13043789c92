import * as React from 'react';

import type { IModelStatus } from './types';

interface INoModelProps {
  status: IModelStatus;
  onMarking: () => void;
}

/** What the service says without a model is said here already, more fully. */
const SAID = 'No language model is set up';

/** That no model is set up, and that nobody needs one. */
export function NoModel({ status, onMarking }: INoModelProps): JSX.Element {
  return (
    <div className="jp-PPO-notice jp-PPO-noModel" role="note">
      <p>
        <strong>No language model is set up on this server.</strong> Nothing is missing for the
        course: written answers wait under “Marking” for a person, code is marked by tests, and
        hints come from the course’s author and from rules. The settings for hints can be changed
        here all the same.
      </p>
      {!status.message.startsWith(SAID) && <p className="jp-PPO-remark">{status.message}</p>}
      <button type="button" className="jp-PPO-button" onClick={onMarking}>
        Go to Marking
      </button>
    </div>
  );
}

/** Which model drafts, and that people decide. */
export function ModelLine({ status }: { status: IModelStatus }): JSX.Element {
  return (
    <p className="jp-PPO-remark">
      Drafts are written by the language model {status.model ?? ''} at {status.host ?? ''}; it may
      be wrong. It chooses levels, never points. Only people approve drafts and release marks.
    </p>
  );
}
