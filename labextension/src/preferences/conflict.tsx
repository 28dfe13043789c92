import * as React from 'react';

import { differing, flat, patched } from './model';
import type { IPreferencesConflict } from './model';
import { labelOf, valueText } from './words';

interface IConflictProps {
  conflict: IPreferencesConflict;
  busy: boolean;
  onMine: () => void;
  onTheirs: () => void;
}

/** What another device saved beside what was to be saved here, and the choice. */
export function Conflict({ conflict, busy, onMine, onTheirs }: IConflictProps): JSX.Element {
  const { theirs, patch } = conflict;
  const mine = patched(theirs, patch);
  const [now, wanted] = [flat(theirs), flat(mine)];
  return (
    <div
      className="jp-PPO-conflict"
      role="alertdialog"
      aria-label="Another device changed this, too"
    >
      <p>
        <strong>Another device or tab changed this meanwhile.</strong> Your change is not saved yet.
      </p>
      <table className="jp-PPO-table">
        <thead>
          <tr>
            <th scope="col">Preference</th>
            <th scope="col">Here</th>
            <th scope="col">Stored now</th>
          </tr>
        </thead>
        <tbody>
          {differing(theirs, mine).map(name => (
            <tr key={name}>
              <th scope="row">{labelOf(name)}</th>
              <td>{valueText(name, wanted.get(name))}</td>
              <td>{valueText(name, now.get(name))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="jp-PPO-actions">
        <button
          type="button"
          className="jp-PPO-button jp-PPO-takeYours"
          disabled={busy}
          onClick={onMine}
        >
          Save mine
        </button>
        <button
          type="button"
          className="jp-PPO-button jp-PPO-takeTheirs"
          disabled={busy}
          onClick={onTheirs}
        >
          Keep what is stored
        </button>
      </div>
    </div>
  );
}
