import * as React from 'react';

import { pointsText, timeText } from '../format';
import { StateIcon } from '../home/parts';
import { dayText, minutesText, STATE_WORDS } from '../home/words';
import type { IPage } from '../types';
import { chaptersOf, chapterText, shareOf, STATES } from './progressModel';
import type { IProgressRow, ProgressSort } from './progressTypes';
import { nameText } from './words';

interface ITableProps {
  page: IPage<IProgressRow>;
  sort: ProgressSort;
  /** Whose details are shown beside the table. */
  open: string | null;
  onSort: (sort: ProgressSort) => void;
  onOpen: (user: string) => void;
}

/** Students by chapters; the headings and the usernames stay in sight. */
export function ClassProgressTable(props: ITableProps): JSX.Element {
  const { page, sort, open, onSort, onOpen } = props;
  const chapters = chaptersOf(page.items);
  const heading = (column: ProgressSort, text: string, hint: string): JSX.Element => (
    <th scope="col" aria-sort={sort === column ? 'ascending' : 'none'} title={hint}>
      <button type="button" className="jp-PPO-sort" onClick={() => onSort(column)}>
        <span>{text}</span>
        <span aria-hidden="true">{sort === column ? ' ▲' : ''}</span>
      </button>
    </th>
  );
  return (
    <div className="jp-PPO-bookPart">
      <div className="jp-PPO-bookScroll" tabIndex={-1}>
        <table
          className="jp-PPO-table jp-PPO-book jp-PPO-progressBook"
          aria-label="Progress of the class"
          aria-rowcount={page.total + 1}
        >
          <thead>
            <tr aria-rowindex={1}>
              {heading('user', 'Student', 'In the order of the usernames')}
              {heading('name', 'Name', 'In the order of the last names')}
              {heading('points', 'Points', 'Fewest points first')}
              <th scope="col" title="Chapters with all points">
                Done
              </th>
              {heading('minutes', 'Time', 'Least time on task first')}
              {heading('last_event_at', 'Last event', 'Longest ago first')}
              {chapters.map((name, at) => (
                <th key={name} scope="col" className="jp-PPO-chapterHead" title={name}>
                  <span aria-hidden="true">{at + 1}</span>
                  <span className="jp-PPO-hidden">{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {page.items.map((row, index) => (
              <StudentRow
                key={row.user}
                row={row}
                number={page.offset + index + 2}
                chapters={chapters}
                isOpen={row.user === open}
                onOpen={onOpen}
              />
            ))}
          </tbody>
        </table>
      </div>
      <Legend chapters={chapters} />
    </div>
  );
}

interface IRowProps {
  row: IProgressRow;
  /** The number of the row in the whole class, the headings counted. */
  number: number;
  chapters: readonly string[];
  isOpen: boolean;
  onOpen: (user: string) => void;
}

/** One student; drawn again only when it changes, so that a large page stays quick. */
const StudentRow = React.memo((props: IRowProps): JSX.Element => {
  const { row, number, chapters, isOpen, onOpen } = props;
  const states = new Map(row.chapters.map(chapter => [chapter.assignment, chapter]));
  return (
    <tr data-user={row.user} aria-rowindex={number}>
      <th scope="row">
        <button
          type="button"
          className="jp-PPO-link"
          aria-expanded={isOpen}
          onClick={() => onOpen(row.user)}
        >
          {row.user}
        </button>
      </th>
      <td className="jp-PPO-bookName">{nameText(row)}</td>
      <td className="jp-PPO-figure">
        {pointsText(row.points)} <small>/ {pointsText(row.max_points)}</small>
      </td>
      <td className="jp-PPO-figure">
        {row.chapters_done} <small>/ {row.chapters.length}</small>
      </td>
      <td className="jp-PPO-figure">{minutesText(row.minutes)}</td>
      <td className="jp-PPO-figure">
        {row.last_event_at === null ? (
          '–'
        ) : (
          <time dateTime={row.last_event_at} title={timeText(row.last_event_at)}>
            {dayText(row.last_event_at)}
          </time>
        )}
      </td>
      {chapters.map(name => {
        const chapter = states.get(name);
        return chapter === undefined ? (
          <td key={name} />
        ) : (
          <td
            key={name}
            className="jp-PPO-chapterCell"
            data-chapter={name}
            data-state={chapter.state}
            title={chapterText(chapter)}
          >
            <StateIcon state={chapter.state} share={shareOf(chapter)} />
            <span className="jp-PPO-hidden">{chapterText(chapter)}</span>
          </td>
        );
      })}
    </tr>
  );
});

/** What the symbols and the numbers of the chapters stand for. */
function Legend({ chapters }: { chapters: readonly string[] }): JSX.Element {
  return (
    <div className="jp-PPO-progressLegend">
      <ul aria-label="Symbols">
        {STATES.map(state => (
          <li key={state}>
            <StateIcon state={state} /> {STATE_WORDS[state]}
          </li>
        ))}
      </ul>
      {chapters.length > 0 && (
        <p className="jp-PPO-remark">
          Chapters: {chapters.map((name, at) => `${at + 1} ${name}`).join(', ')}.
        </p>
      )}
    </div>
  );
}
