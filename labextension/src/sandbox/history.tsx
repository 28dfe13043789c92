import * as React from 'react';

import { timeText } from '../format';
import type { SandboxModel } from './model';
import type { IHistory } from './state';
import type { IHistoryItem } from './types';
import { agoText, historyText, signOf, visible } from './words';

interface IHistoryProps {
  history: IHistory;
  now: number;
  model: SandboxModel;
}

/** The person's own executions, newest first. */
export function HistoryList({ history, now, model }: IHistoryProps): JSX.Element {
  const { items, total, problem } = history;
  return (
    <details className="jp-PPO-history">
      <summary>History ({total})</summary>
      {problem !== null && (
        <p className="jp-PPO-notice jp-mod-problem" role="alert">
          {problem}
        </p>
      )}
      {items.length === 0 && problem === null && (
        <p className="jp-PPO-hint">Nothing has run yet.</p>
      )}
      <ol aria-label="History">
        {items.map(item => (
          <li key={item.id}>
            <Entry item={item} now={now} onOpen={() => void model.recall(item.id)} />
          </li>
        ))}
      </ol>
      {items.length < total && (
        <button
          type="button"
          className="jp-PPO-button jp-PPO-more"
          onClick={() => void model.moreHistory()}
        >
          Show older
        </button>
      )}
    </details>
  );
}

interface IEntryProps {
  item: IHistoryItem;
  now: number;
  onOpen: () => void;
}

function Entry({ item, now, onOpen }: IEntryProps): JSX.Element {
  return (
    <button
      type="button"
      className="jp-PPO-entry"
      title={`Bring back the code and the result of ${timeText(item.created_at)}`}
      onClick={onOpen}
    >
      <span className="jp-PPO-entryHead">
        <span>
          {item.state === 'done' && <span aria-hidden="true">{signOf(item.success)} </span>}
          {historyText(item)}
        </span>
        <time dateTime={item.created_at}>{agoText(item.created_at, now)}</time>
      </span>
      <code>{visible(firstLine(item.code_preview))}</code>
    </button>
  );
}

function firstLine(code: string): string {
  return code.trim().split('\n', 1)[0] ?? '';
}
