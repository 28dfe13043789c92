import * as React from 'react';

import { GradebookDetails } from './gradebookDetails';
import { GradebookFiles } from './gradebookFiles';
import { FILTERS, FIRST_QUERY, PAGE_SIZES } from './gradebookModel';
import { GradebookTable } from './gradebookTable';
import type { IOpenCell } from './gradebookTable';
import { useGradingClient, useIsAuthor, useRested } from './grading';
import type { IGradingProps, IGradingTabProps } from './grading';
import type { IGradebookQuery } from './gradingTypes';
import { Choice, Empty, Field, Loaded, Pager, Problem } from './parts';
import { useLoaded } from './resource';

/** What every student has, in pages. */
export function GradebookTab(props: IGradingTabProps): JSX.Element {
  const client = useGradingClient(props.settings);
  return <Gradebook client={client} course={props.course} onOpenFeedback={props.onOpenFeedback} />;
}

export function Gradebook({ client, course, onOpenFeedback }: IGradingProps): JSX.Element {
  const isAuthor = useIsAuthor(client, course);
  const [query, setQuery] = React.useState<IGradebookQuery>(FIRST_QUERY);
  const [open, setOpen] = React.useState<IOpenCell | null>(null);
  const search = useRested(query.search);
  const asked = React.useMemo(() => ({ ...query, search }), [query, search]);
  const key = JSON.stringify(asked);
  const ask = React.useCallback(
    () => client.gradebook(course, JSON.parse(key) as IGradebookQuery),
    [client, course, key]
  );
  const [loaded, reload] = useLoaded(ask);
  const askNames = React.useCallback(
    async () => ({
      assignments: await client.assignments(course),
      groups: await client.groupNames(course)
    }),
    [client, course]
  );
  const [names, reloadNames] = useLoaded(askNames);
  const change = React.useCallback((edit: Partial<IGradebookQuery>) => {
    setQuery(now => ({ ...now, offset: 0, ...edit }));
  }, []);
  const close = React.useCallback(() => setOpen(null), []);
  return (
    <div className="jp-PPO-gradebook">
      <div className="jp-PPO-toolbar" role="search" aria-label="Gradebook">
        <div className="jp-PPO-formFields">
          <Field label="Columns">
            {control => (
              <select
                {...control}
                name="assignment"
                value={query.assignment}
                onChange={event => {
                  setOpen(null);
                  change({ assignment: event.target.value, sort: 'user', order: 'asc' });
                }}
              >
                <option value="">All assignments</option>
                {names.value?.assignments.map(({ name }) => (
                  <option key={name} value={name}>
                    Exercises of {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label="Search">
            {control => (
              <input
                {...control}
                type="search"
                name="search"
                maxLength={200}
                value={query.search}
                onChange={event => change({ search: event.target.value })}
              />
            )}
          </Field>
          <Field label="Group">
            {control => (
              <select
                {...control}
                name="group"
                value={query.group}
                onChange={event => change({ group: event.target.value })}
              >
                <option value="">Any group</option>
                {names.value?.groups.map(name => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label="State">
            {control => (
              <Choice
                {...control}
                value={query.state}
                options={FILTERS}
                onChange={state => change({ state })}
              />
            )}
          </Field>
          <Field label="Rows">
            {control => (
              <Choice
                {...control}
                value={String(query.limit)}
                options={PAGE_SIZES.map(size => [String(size), `${size} on a page`] as const)}
                onChange={size => change({ limit: Number(size) })}
              />
            )}
          </Field>
        </div>
      </div>
      {names.problem !== null && (
        <Problem text={names.problem} onRetry={() => void reloadNames()} />
      )}
      <GradebookFiles
        client={client}
        course={course}
        query={asked}
        isAuthor={isAuthor}
        onImported={() => void reload()}
      />
      <Loaded loaded={loaded} onRetry={reload}>
        {book => (
          <>
            {book.items.length === 0 ? (
              <Empty>
                {book.total === 0 && isNarrowed(asked)
                  ? 'No student is like that. Change the search or the filters.'
                  : 'There are no students yet. Enrol them under “People”.'}
              </Empty>
            ) : (
              <div className="jp-PPO-split" data-open={open !== null}>
                <GradebookTable
                  book={book}
                  query={query}
                  open={open}
                  onSort={sorted => setQuery(sorted)}
                  onOpen={setOpen}
                />
                {open !== null && (
                  <GradebookDetails
                    key={`${open.user} ${open.column}`}
                    client={client}
                    course={course}
                    user={open.user}
                    assignment={query.assignment || open.column}
                    exercise={query.assignment === '' ? null : open.column}
                    isAuthor={isAuthor}
                    onChanged={() => void reload()}
                    onClose={close}
                    onOpenFeedback={onOpenFeedback}
                  />
                )}
              </div>
            )}
            <Pager
              offset={book.offset}
              limit={book.limit}
              total={book.total}
              what="the gradebook"
              onMove={offset => change({ offset })}
            />
            <p className="jp-PPO-remark">
              L late, R waits for a person, U points of tests in the student’s own process, H not
              released to the student. The total counts what is released. Arrow keys move from cell
              to cell.
            </p>
          </>
        )}
      </Loaded>
    </div>
  );
}

function isNarrowed(query: IGradebookQuery): boolean {
  return query.search !== '' || query.group !== '' || query.state !== '';
}
