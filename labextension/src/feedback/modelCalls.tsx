import * as React from 'react';

import { timeText } from '../format';
import { Choice, Empty, Field, Loaded, Pager } from '../instructor/parts';
import { useLoaded } from '../instructor/resource';
import type { ICallItem, ICallQuery, IFeedbackClient } from './types';
import { moneyText } from './words';

interface ICallsProps {
  client: IFeedbackClient;
  course: string;
  onOpenCall: (id: string) => void;
}

const PURPOSES = [
  ['', 'Every purpose'],
  ['draft', 'Drafts'],
  ['repair', 'Second tries of drafts'],
  ['hint', 'Hints'],
  ['explanation', 'Explanations'],
  ['check', 'Checks']
] as const;

const PER_PAGE = 50;

/** Every call of a model for this course, the newest first. */
export function ModelCalls({ client, course, onOpenCall }: ICallsProps): JSX.Element {
  const [query, setQuery] = React.useState<ICallQuery>({ purpose: '', offset: 0, limit: PER_PAGE });
  const ask = React.useCallback(() => client.calls(course, query), [client, course, query]);
  const [loaded, reload] = useLoaded(ask);
  return (
    <>
      <div className="jp-PPO-formFields">
        <Field label="Purpose">
          {control => (
            <Choice
              {...control}
              value={query.purpose as (typeof PURPOSES)[number][0]}
              options={PURPOSES}
              onChange={purpose => setQuery({ ...query, purpose, offset: 0 })}
            />
          )}
        </Field>
      </div>
      <Loaded loaded={loaded} onRetry={reload}>
        {page =>
          page.items.length === 0 ? (
            <Empty>No model was asked.</Empty>
          ) : (
            <>
              <CallTable items={page.items} onOpenCall={onOpenCall} />
              <Pager
                offset={page.offset}
                limit={page.limit}
                total={page.total}
                what="the calls"
                onMove={offset => setQuery({ ...query, offset })}
              />
            </>
          )
        }
      </Loaded>
    </>
  );
}

interface ITableProps {
  items: readonly ICallItem[];
  onOpenCall: (id: string) => void;
}

function CallTable({ items, onOpenCall }: ITableProps): JSX.Element {
  return (
    <div className="jp-PPO-tableScroll" tabIndex={0} role="region" aria-label="Calls of models">
      <table className="jp-PPO-table">
        <caption>Calls of models, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Purpose</th>
            <th scope="col">Assignment</th>
            <th scope="col">Model</th>
            <th scope="col">Tokens in, out</th>
            <th scope="col">Cost</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {items.map(call => (
            <tr key={call.id}>
              <th scope="row">
                <button
                  type="button"
                  className="jp-PPO-link"
                  data-call={call.id}
                  onClick={() => onOpenCall(call.id)}
                >
                  {timeText(call.at)}
                </button>
              </th>
              <td>{call.purpose}</td>
              <td>
                {call.assignment ?? ''} {call.grade_id}
              </td>
              <td>{call.model}</td>
              <td>
                {call.input_tokens ?? '–'}, {call.output_tokens ?? '–'}
              </td>
              <td>{moneyText(call.cost, call.currency)}</td>
              <td>{call.error === '' ? call.state : `${call.state}: ${call.error}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
