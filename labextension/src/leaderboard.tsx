import * as React from 'react';

import type { LeaderboardModel } from './leaderboardModel';
import type { ILeaderboardEntry } from './types';

// The service says which names it takes; this only keeps the field from being far too long.
const LONGEST = 40;

interface ISectionProps {
  course: string;
  model: LeaderboardModel;
  /** The name that the person prefers. */
  offered?: string;
}

/** The leaderboard of a course, folded away and fetched when opened. */
export function LeaderboardSection({ course, model, offered }: ISectionProps): JSX.Element {
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const board = state.course === course ? state.board : null;
  const problem = state.course === course ? state.problem : null;
  return (
    <details
      className="jp-PPO-leaderboard"
      aria-busy={state.busy}
      onToggle={event => event.currentTarget.open && void model.load(course)}
    >
      <summary>Leaderboard</summary>
      {problem !== null && (
        <p className="jp-PPO-notice jp-mod-problem" role="alert">
          {problem}
        </p>
      )}
      {board === null && problem === null && <p role="status">Loading…</p>}
      {board !== null && (
        <>
          <Membership
            key={board.pseudonym ?? offered}
            offered={offered}
            course={course}
            pseudonym={board.pseudonym}
            busy={state.busy}
            model={model}
          />
          {board.items.length === 0 && (
            <p className="jp-PPO-empty">No policy of anyone who joined was examined yet.</p>
          )}
          {boardsOf(board.items).map(entries => (
            <Board key={titleOf(entries[0])} entries={entries} />
          ))}
        </>
      )}
    </details>
  );
}

interface IMembershipProps extends ISectionProps {
  pseudonym: string | null;
  busy: boolean;
}

/** Joining under a pseudonym, changing it, leaving. */
function Membership(props: IMembershipProps): JSX.Element {
  const { course, pseudonym, busy, model, offered = '' } = props;
  const [name, setName] = React.useState(pseudonym ?? offered);
  const hint = React.useId();
  return (
    <form
      className="jp-PPO-membership"
      onSubmit={event => {
        event.preventDefault();
        void model.join(course, name.trim());
      }}
    >
      <p id={hint} role="status">
        {pseudonym === null
          ? 'You are not on it. Others see the name that you choose, and your best examined policies.'
          : `You are on it as ${pseudonym}.`}
      </p>
      <label>
        <span>Pseudonym</span>
        <input
          type="text"
          value={name}
          maxLength={LONGEST}
          autoComplete="off"
          aria-describedby={hint}
          onChange={event => setName(event.target.value)}
        />
      </label>
      <div className="jp-PPO-buttons">
        <button type="submit" className="jp-PPO-button jp-PPO-join" disabled={busy}>
          {pseudonym === null ? 'Join' : 'Change'}
        </button>
        {pseudonym !== null && (
          <button
            type="button"
            className="jp-PPO-button jp-PPO-leave"
            disabled={busy}
            onClick={() => void model.leave(course)}
          >
            Leave
          </button>
        )}
      </div>
    </form>
  );
}

/** The ranks in one environment of one assignment. */
function Board({ entries }: { entries: readonly ILeaderboardEntry[] }): JSX.Element {
  return (
    <table className="jp-PPO-board">
      <caption>{titleOf(entries[0])}</caption>
      <thead>
        <tr>
          <th scope="col">Rank</th>
          <th scope="col">Name</th>
          <th scope="col">Mean return</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(entry => (
          <tr key={entry.pseudonym} className={entry.own ? 'jp-mod-own' : undefined}>
            <td>{entry.rank}</td>
            <td className="jp-PPO-name">
              {entry.pseudonym}
              {entry.own && ' (you)'}
            </td>
            <td title={intervalOf(entry)}>{entry.mean.toFixed(1)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Neighbours of the same assignment and environment, together. */
function boardsOf(items: readonly ILeaderboardEntry[]): ILeaderboardEntry[][] {
  const boards = new Map<string, ILeaderboardEntry[]>();
  for (const item of items) {
    const title = titleOf(item);
    boards.set(title, [...(boards.get(title) ?? []), item]);
  }
  return [...boards.values()];
}

function titleOf(entry: ILeaderboardEntry | undefined): string {
  return entry === undefined ? '' : `${entry.assignment}, ${entry.env_id}`;
}

function intervalOf(entry: ILeaderboardEntry): string {
  const episodes = entry.episodes === 1 ? '1 episode' : `${entry.episodes} episodes`;
  const interval = `${entry.low.toFixed(1)} to ${entry.high.toFixed(1)}`;
  return `95 % confidence interval ${interval}, ${episodes}`;
}
