import * as React from 'react';

import { timeText } from '../format';
import { roleText } from '../instructor/words';
import type { IApiToken } from './types';
import { ACCESS, canRotate, endText } from './words';

/** What is asked about one token. */
export interface IAsked {
  id: string;
  what: 'rotate' | 'revoke';
}

interface ITableProps {
  /** What the table is, for screen readers. */
  label: string;
  tokens: readonly IApiToken[];
  /** All that are known: a token in whose place another one came is not rotated again. */
  all: readonly IApiToken[];
  isMine: boolean;
  now: Date;
  asked: IAsked | null;
  onAsk: (asked: IAsked) => void;
  details: (token: IApiToken) => React.ReactNode;
}

const COLUMNS = 8;

/** Tokens with what they may do and how they are used. */
export function TokenTable(props: ITableProps): JSX.Element {
  const { label, tokens, all, isMine, now, asked, onAsk, details } = props;
  return (
    <div className="jp-PPO-scroll">
      <table className="jp-PPO-table jp-PPO-tokenTable" aria-label={label}>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">{isMine ? 'Course' : 'Person'}</th>
            <th scope="col">Acts as</th>
            <th scope="col">May</th>
            <th scope="col">Last used</th>
            <th scope="col" className="jp-PPO-figure">
              Uses
            </th>
            <th scope="col">Good until</th>
            <th scope="col">
              <span className="jp-PPO-hidden">What to do</span>
            </th>
          </tr>
        </thead>
        {tokens.map(token => {
          const end = endText(token, now);
          const open = asked?.id === token.id ? asked.what : null;
          return (
            <tbody key={token.id} data-token={token.name}>
              <tr className={end === null ? undefined : 'jp-mod-ended'}>
                <th scope="row" className="jp-PPO-words">
                  {token.name}
                </th>
                <td>{isMine ? token.course : token.user}</td>
                <td>{roleText(token.role)}</td>
                <td>{ACCESS.find(([access]) => access === token.access)?.[1]}</td>
                <td>{token.last_used_at === null ? 'never' : timeText(token.last_used_at)}</td>
                <td className="jp-PPO-figure">{token.uses}</td>
                <td>
                  {timeText(token.expires_at)}
                  {end !== null && <span className="jp-PPO-badge">{end}</span>}
                </td>
                <td>
                  <div className="jp-PPO-rowActions">
                    {isMine && canRotate(token, all, now) && (
                      <button
                        type="button"
                        className="jp-PPO-button jp-PPO-askRotate"
                        aria-label={`Rotate ${token.name}`}
                        aria-expanded={open === 'rotate'}
                        onClick={() => onAsk({ id: token.id, what: 'rotate' })}
                      >
                        Rotate
                      </button>
                    )}
                    {end === null && (
                      <button
                        type="button"
                        className="jp-PPO-button jp-PPO-askRevoke"
                        aria-label={`Revoke ${token.name}`}
                        aria-expanded={open === 'revoke'}
                        onClick={() => onAsk({ id: token.id, what: 'revoke' })}
                      >
                        Revoke
                      </button>
                    )}
                  </div>
                </td>
              </tr>
              {open !== null && (
                <tr>
                  <td colSpan={COLUMNS} className="jp-PPO-details">
                    {details(token)}
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
