import * as React from 'react';

import { timeText } from '../format';
import type { IWebhook } from './webhooksClient';
import { eventsText } from './webhookWords';

/** What is open below a webhook. */
export interface IAsked {
  id: string;
  what: 'messages' | 'rotate' | 'delete';
}

interface ITableProps {
  webhooks: readonly IWebhook[];
  busy: boolean;
  asked: IAsked | null;
  onAsk: (asked: IAsked) => void;
  onTest: (webhook: IWebhook) => void;
  onActive: (webhook: IWebhook, isActive: boolean) => void;
  details: (webhook: IWebhook) => React.ReactNode;
}

const COLUMNS = 5;
const ASKS: readonly (readonly [IAsked['what'], string])[] = [
  ['messages', 'Messages'],
  ['rotate', 'New secret'],
  ['delete', 'Delete']
];

/** Webhooks with what they are told of; what is asked about one opens below it. */
export function WebhookTable(props: ITableProps): JSX.Element {
  const { webhooks, busy, asked, onAsk, onTest, onActive, details } = props;
  return (
    <div className="jp-PPO-scroll">
      <table className="jp-PPO-table jp-PPO-webhooks" aria-label="Webhooks">
        <thead>
          <tr>
            <th scope="col">Who is told</th>
            <th scope="col">Address</th>
            <th scope="col">Of what</th>
            <th scope="col">State</th>
            <th scope="col">
              <span className="jp-PPO-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        {webhooks.map(webhook => {
          const { id, name, is_active } = webhook;
          const open = asked?.id === id ? asked.what : null;
          return (
            <tbody key={id} data-webhook={name}>
              <tr>
                <th scope="row" className="jp-PPO-words">
                  {name}
                </th>
                <td className="jp-PPO-words">{webhook.url}</td>
                <td className="jp-PPO-words">{eventsText(webhook.events)}</td>
                <td>
                  {is_active ? 'told' : 'stopped'}
                  {webhook.overlap_until !== null && (
                    <small className="jp-PPO-remark">
                      {' '}
                      two secrets until {timeText(webhook.overlap_until)}
                    </small>
                  )}
                </td>
                <td>
                  <div className="jp-PPO-rowActions">
                    <button
                      type="button"
                      className="jp-PPO-button jp-PPO-testWebhook"
                      aria-label={`Send a test to ${name}`}
                      disabled={busy || !is_active}
                      onClick={() => onTest(webhook)}
                    >
                      Test
                    </button>
                    <button
                      type="button"
                      className="jp-PPO-button jp-PPO-stopWebhook"
                      aria-label={`${is_active ? 'Stop' : 'Go on with'} ${name}`}
                      disabled={busy}
                      onClick={() => onActive(webhook, !is_active)}
                    >
                      {is_active ? 'Stop' : 'Go on'}
                    </button>
                    {ASKS.map(([what, text]) => (
                      <button
                        key={what}
                        type="button"
                        className="jp-PPO-button"
                        data-ask={what}
                        aria-label={`${text}: ${name}`}
                        aria-expanded={open === what}
                        onClick={() => onAsk({ id, what })}
                      >
                        {text}
                      </button>
                    ))}
                  </div>
                </td>
              </tr>
              {open !== null && (
                <tr>
                  <td colSpan={COLUMNS} className="jp-PPO-details">
                    {details(webhook)}
                  </td>
                </tr>
              )}
            </tbody>
          );
        })}
      </table>
    </div>
  );
}
