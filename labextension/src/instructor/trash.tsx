import * as React from 'react';

import { timeText } from '../format';
import { Empty, Loaded, Outcome } from './parts';
import { useActions, useLoaded } from './resource';
import type { IInstructorClient, ITrashed } from './types';
import { trashedText } from './words';

interface ITrashProps {
  client: IInstructorClient;
  course: string;
}

/** What was deleted in a course, and bringing it back. */
export function Trash({ client, course }: ITrashProps): JSX.Element {
  const ask = React.useCallback(() => client.trash(course), [client, course]);
  const [loaded, reload] = useLoaded(ask);
  const actions = useActions();
  const restore = (item: ITrashed): void =>
    void actions.run(async () => {
      await client.restore(course, item.id);
      await reload();
      return `The ${trashedText(item)} is back.`;
    });
  return (
    <>
      <p className="jp-PPO-remark">
        What is deleted is kept whole. People who were unenrolled are in the tab Members, with “Who
        was unenrolled”.
      </p>
      <Outcome actions={actions} />
      <Loaded loaded={loaded} onRetry={reload}>
        {items =>
          items.length === 0 ? (
            <Empty>The trash is empty.</Empty>
          ) : (
            <div className="jp-PPO-scroll">
              <table className="jp-PPO-table jp-PPO-trash">
                <thead>
                  <tr>
                    <th scope="col">Kind</th>
                    <th scope="col">Name</th>
                    <th scope="col">Deleted</th>
                    <th scope="col">
                      <span className="jp-PPO-hidden">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items.map(item => (
                    <tr key={item.id} data-item={item.id}>
                      <td>{item.kind}</td>
                      <th scope="row">{item.name}</th>
                      <td>
                        {timeText(item.deleted_at)} by {item.deleted_by}
                      </td>
                      <td>
                        <button
                          type="button"
                          className="jp-PPO-button jp-PPO-restore"
                          aria-label={`Restore the ${trashedText(item)}`}
                          disabled={actions.busy}
                          onClick={() => restore(item)}
                        >
                          Restore
                        </button>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </>
  );
}
