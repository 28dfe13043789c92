import * as React from 'react';

import { pointsLabel, pointsText, timeText } from '../format';
import { ariaSort, cellLabel, cellMarks, cellText, sortedBy } from './gradebookModel';
import type { IColumn, IGradebook, IGradebookQuery, IRow } from './gradingTypes';
import { nameText } from './words';

/** Which cell is shown beside the table. */
export interface IOpenCell {
  user: string;
  column: string;
}

interface ITableProps {
  book: IGradebook;
  query: IGradebookQuery;
  open: IOpenCell | null;
  onSort: (query: IGradebookQuery) => void;
  onOpen: (cell: IOpenCell) => void;
}

/** Students by columns; the headings and the names stay in sight. */
export function GradebookTable(props: ITableProps): JSX.Element {
  const { book, query, open, onSort, onOpen } = props;
  const table = React.useRef<HTMLTableElement>(null);
  React.useEffect(() => {
    // The panel beside the table takes room, and the cell that it is about must stay in sight.
    table.current
      ?.querySelector('.jp-PPO-cell[aria-expanded="true"]')
      ?.scrollIntoView?.({ block: 'nearest', inline: 'center' });
  }, [open]);
  const heading = (sort: string, text: string, more?: string): JSX.Element => (
    <SortHeading
      key={sort}
      sort={ariaSort(query, sort)}
      text={text}
      more={more}
      onSort={() => onSort(sortedBy(query, sort))}
    />
  );
  return (
    <div className="jp-PPO-bookScroll" tabIndex={-1}>
      <table
        ref={table}
        className="jp-PPO-table jp-PPO-book"
        aria-label="Gradebook"
        aria-rowcount={book.total + 1}
        onKeyDown={event => moveFocus(event, table.current)}
      >
        <thead>
          <tr aria-rowindex={1}>
            {heading('user', 'Student')}
            {heading('name', 'Name')}
            {heading('total', 'Total')}
            {book.columns.map(column => heading(column.name, column.name, columnText(column)))}
          </tr>
        </thead>
        <tbody>
          {book.items.map((row, index) => (
            <BookRow
              key={row.user}
              row={row}
              number={book.offset + index + 2}
              isFirst={index === 0}
              columns={book.columns}
              open={open?.user === row.user ? open.column : null}
              onOpen={onOpen}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface IHeadingProps {
  sort: 'ascending' | 'descending' | 'none';
  text: string;
  more?: string | undefined;
  onSort: () => void;
}

function SortHeading({ sort, text, more, onSort }: IHeadingProps): JSX.Element {
  return (
    <th scope="col" aria-sort={sort} title={more}>
      <button type="button" className="jp-PPO-sort" onClick={onSort}>
        <span>{text}</span>
        <span aria-hidden="true">{sort === 'none' ? '' : sort === 'ascending' ? ' ▲' : ' ▼'}</span>
      </button>
    </th>
  );
}

interface IRowProps {
  row: IRow;
  /** The number of the row in the whole class, the headings counted. */
  number: number;
  isFirst: boolean;
  columns: readonly IColumn[];
  open: string | null;
  onOpen: (cell: IOpenCell) => void;
}

/** One student; drawn again only when it changes, so that a large page stays quick. */
const BookRow = React.memo((props: IRowProps): JSX.Element => {
  const { row, number, isFirst, columns, open, onOpen } = props;
  return (
    <tr data-user={row.user} aria-rowindex={number}>
      <th scope="row" title={row.groups.join(', ')}>
        {row.user}
      </th>
      <td className="jp-PPO-bookName">{nameText(row)}</td>
      <td className="jp-PPO-figure">
        {pointsText(row.total)} <small>/ {pointsText(row.max_total)}</small>
      </td>
      {columns.map((column, at) => {
        const cell = row.cells[column.name];
        if (cell === undefined) {
          return <td key={column.name} />;
        }
        const label = cellLabel(row, column, cell);
        return (
          <td key={column.name} className="jp-PPO-figure" data-state={cell.state}>
            <button
              type="button"
              className="jp-PPO-cell"
              data-column={column.name}
              aria-label={label}
              aria-expanded={open === column.name}
              title={label}
              tabIndex={isFirst && at === 0 ? 0 : -1}
              onClick={() => onOpen({ user: row.user, column: column.name })}
            >
              {cellMarks(cell).map(([mark]) => (
                <span key={mark} className="jp-PPO-cellMark" data-mark={mark}>
                  {mark}
                </span>
              ))}
              <span>{cellText(cell)}</span>
            </button>
          </td>
        );
      })}
    </tr>
  );
});

function columnText(column: IColumn): string {
  const due = column.due_at === null ? '' : `, due ${timeText(column.due_at)}`;
  return `${column.name}: ${pointsLabel(column.max_points)}${due}`;
}

const STEPS: Record<string, readonly [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity]
};

/** One cell of the table is in the order of the Tab key; the others are reached with arrows. */
function moveFocus(event: React.KeyboardEvent, table: HTMLTableElement | null): void {
  const step = STEPS[event.key];
  const now = (event.target as HTMLElement).closest<HTMLElement>('.jp-PPO-cell');
  if (table === null || step === undefined || now === null) {
    return;
  }
  const rows = [...(table.tBodies[0]?.rows ?? [])].map(row => [
    ...row.querySelectorAll<HTMLElement>('.jp-PPO-cell')
  ]);
  const line = rows.findIndex(cells => cells.includes(now));
  const at = rows[line]?.indexOf(now) ?? 0;
  const next = rows[clamp(line + step[0], rows.length)];
  const target = next?.[clamp(at + step[1], next.length)];
  event.preventDefault();
  event.stopPropagation();
  if (target !== undefined && target !== now) {
    table.querySelectorAll('.jp-PPO-cell[tabindex="0"]').forEach(cell => {
      cell.setAttribute('tabindex', '-1');
    });
    target.tabIndex = 0;
    target.focus();
  }
}

function clamp(value: number, length: number): number {
  return Math.max(0, Math.min(length - 1, value));
}
