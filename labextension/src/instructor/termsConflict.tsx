import * as React from 'react';

import { differences } from './termsModel';
import type { ITerms } from './types';

/** What was to be saved, and what somebody else saved in between. */
export interface ITermsConflict {
  yours: ITerms;
  theirs: ITerms;
}

interface IConflictProps {
  conflict: ITermsConflict;
  busy: boolean;
  onYours: () => void;
  onTheirs: () => void;
}

/** What somebody else saved in between beside what was to be saved, and the choice. */
export function TermsConflict({ conflict, busy, onYours, onTheirs }: IConflictProps): JSX.Element {
  const rows = differences(conflict.yours, conflict.theirs);
  return (
    <div className="jp-PPO-conflict" role="alertdialog" aria-label="Somebody else saved meanwhile">
      <p>
        <strong>Somebody else saved these terms meanwhile.</strong>{' '}
        {rows.length === 0 ? 'They say the same as yours.' : 'Nothing of yours is saved yet.'}
      </p>
      {rows.length > 0 && (
        <table className="jp-PPO-table">
          <thead>
            <tr>
              <th scope="col">Term</th>
              <th scope="col">Yours</th>
              <th scope="col">Stored now</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(row => (
              <tr key={row.label}>
                <th scope="row">{row.label}</th>
                <td>{row.yours}</td>
                <td>{row.theirs}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div className="jp-PPO-actions">
        <button
          type="button"
          className="jp-PPO-button jp-PPO-takeYours"
          disabled={busy}
          onClick={onYours}
        >
          Save mine
        </button>
        <button
          type="button"
          className="jp-PPO-button jp-PPO-takeTheirs"
          disabled={busy}
          onClick={onTheirs}
        >
          Take theirs
        </button>
      </div>
    </div>
  );
}
