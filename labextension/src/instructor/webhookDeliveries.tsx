import * as React from 'react';

import { timeText } from '../format';
import { Empty, Loaded, Outcome, Pager } from './parts';
import { useActions, useLoaded } from './resource';
import { DELIVERIES_PER_PAGE } from './webhooksClient';
import type { DeliveryState, IDelivery, IWebhook, IWebhooksClient } from './webhooksClient';
import { counted } from './words';

const STATES: Record<DeliveryState, string> = {
  waiting: 'waiting',
  sending: 'being sent',
  delivered: 'delivered',
  given_up: 'given up'
};

interface IDeliveriesProps {
  client: IWebhooksClient;
  course: string;
  webhook: IWebhook;
}

/** What a webhook was and is to be told, how that went, and sending it again. */
export function WebhookDeliveries({ client, course, webhook }: IDeliveriesProps): JSX.Element {
  const [offset, setOffset] = React.useState(0);
  const ask = React.useCallback(
    () => client.deliveries(course, webhook.id, offset),
    [client, course, webhook.id, offset]
  );
  const [loaded, reload] = useLoaded(ask);
  const actions = useActions();
  const replay = (delivery: IDelivery): void =>
    void actions.run(async () => {
      await client.replay(course, delivery.id);
      await reload();
      return 'The message is sent again, with the same id.';
    });
  return (
    <section className="jp-PPO-deliveries" aria-label={`Messages to ${webhook.name}`}>
      <Outcome actions={actions} />
      <div className="jp-PPO-actions">
        <button type="button" className="jp-PPO-button" onClick={() => void reload()}>
          Look again
        </button>
      </div>
      <Loaded loaded={loaded} onRetry={reload}>
        {page => (
          <>
            {page.total === 0 && <Empty>It was told of nothing so far.</Empty>}
            {page.items.length > 0 && (
              <div className="jp-PPO-scroll">
                <table className="jp-PPO-table" aria-label={`Messages to ${webhook.name}`}>
                  <thead>
                    <tr>
                      <th scope="col">Event</th>
                      <th scope="col">When</th>
                      <th scope="col">State</th>
                      <th scope="col">Last try</th>
                      <th scope="col">
                        <span className="jp-PPO-hidden">Actions</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {page.items.map(delivery => (
                      <tr key={delivery.id} data-delivery={delivery.id}>
                        <th scope="row">{delivery.event}</th>
                        <td>{timeText(delivery.created_at)}</td>
                        <td>{stateText(delivery)}</td>
                        <td className="jp-PPO-words">{lastText(delivery)}</td>
                        <td>
                          <button
                            type="button"
                            className="jp-PPO-button jp-PPO-replay"
                            aria-label={`Send ${delivery.event} of ${timeText(delivery.created_at)} again`}
                            disabled={actions.busy || delivery.state === 'sending'}
                            onClick={() => replay(delivery)}
                          >
                            Send again
                          </button>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            <Pager
              offset={offset}
              limit={DELIVERIES_PER_PAGE}
              total={page.total}
              what="messages"
              onMove={setOffset}
            />
          </>
        )}
      </Loaded>
    </section>
  );
}

function stateText({ state, tries }: IDelivery): string {
  return tries === 0 ? STATES[state] : `${STATES[state]}, ${counted(tries, 'try', 'tries')}`;
}

function lastText({ status, reason }: IDelivery): string {
  if (reason !== '') {
    return reason;
  }
  return status === null ? '' : `It answered ${status}.`;
}
