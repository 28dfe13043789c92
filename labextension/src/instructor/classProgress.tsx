import type { ServerConnection } from '@jupyterlab/services';
import * as React from 'react';

import type { ICourse } from '../types';
import { AchievementRules } from './achievementRules';
import { ClassProgressTable } from './classProgressTable';
import { PAGE_SIZES } from './gradebookModel';
import { useRested } from './grading';
import { Choice, Empty, Field, Loaded, Outcome, Pager } from './parts';
import { ProgressClient } from './progressClient';
import { FIRST_PROGRESS, recomputedText } from './progressModel';
import type { IProgressClient, IProgressQuery } from './progressTypes';
import { useActions, useLoaded } from './resource';
import { StudentProgress } from './studentProgress';
import { Tabs } from './tabs';
import { mayAuthor } from './words';

interface ITabProps {
  course: ICourse;
  settings: ServerConnection.ISettings;
}

/** Where the class stands; instructors see the rules of the achievements, too. */
export function ClassProgressTab({ course, settings }: ITabProps): JSX.Element {
  const client = React.useMemo(() => new ProgressClient(settings), [settings]);
  return <ClassProgress client={client} course={course} />;
}

interface IProgressProps {
  client: IProgressClient;
  course: ICourse;
}

const VIEWS = [
  ['students', 'Students'],
  ['rules', 'Achievements']
] as const;

export function ClassProgress({ client, course }: IProgressProps): JSX.Element {
  const [view, setView] = React.useState<'students' | 'rules'>('students');
  if (!mayAuthor(course.role)) {
    return <Students client={client} course={course} />;
  }
  return (
    <Tabs label="What to see of the progress" tabs={VIEWS} selected={view} onSelect={setView}>
      {view === 'students' ? (
        <Students client={client} course={course} />
      ) : (
        <AchievementRules client={client} course={course.name} />
      )}
    </Tabs>
  );
}

function Students({ client, course }: IProgressProps): JSX.Element {
  const [query, setQuery] = React.useState<IProgressQuery>(FIRST_PROGRESS);
  const [open, setOpen] = React.useState<string | null>(null);
  const [round, setRound] = React.useState(0);
  const search = useRested(query.search).trim();
  const { sort, offset, limit } = query;
  const ask = React.useCallback(
    () => client.students(course.name, { search, sort, offset, limit }),
    [client, course.name, search, sort, offset, limit]
  );
  const [loaded, reload] = useLoaded(ask);
  const actions = useActions();
  const change = (edit: Partial<IProgressQuery>): void =>
    setQuery(now => ({ ...now, offset: 0, ...edit }));
  const close = React.useCallback(() => setOpen(null), []);
  const recompute = (): void =>
    void actions.run(async () => {
      const made = await client.recompute(course.name);
      await reload();
      setRound(now => now + 1);
      return recomputedText(made);
    });
  return (
    <div className="jp-PPO-classProgress">
      <div className="jp-PPO-toolbar" role="search" aria-label="Progress of the class">
        <div className="jp-PPO-formFields">
          <Field label="Search">
            {control => (
              <input
                {...control}
                type="search"
                name="search"
                maxLength={200}
                placeholder="Username or name"
                value={query.search}
                onChange={event => change({ search: event.target.value })}
              />
            )}
          </Field>
          <Field label="Rows">
            {control => (
              <Choice
                {...control}
                value={String(limit)}
                options={PAGE_SIZES.map(size => [String(size), `${size} on a page`] as const)}
                onChange={size => change({ limit: Number(size) })}
              />
            )}
          </Field>
        </div>
        {mayAuthor(course.role) && (
          <div className="jp-PPO-actions">
            <button
              type="button"
              className="jp-PPO-button jp-PPO-recompute"
              title="Make everybody’s progress anew from the log of events; nothing is lost by it"
              disabled={actions.busy}
              onClick={recompute}
            >
              {actions.busy ? 'Recomputing…' : 'Recompute'}
            </button>
          </div>
        )}
      </div>
      <Outcome actions={actions} />
      <Loaded loaded={loaded} onRetry={reload}>
        {page =>
          page.items.length === 0 ? (
            <Empty>
              {search === ''
                ? 'There are no students yet. Enrol them under “People”.'
                : 'No student has such a name. Change the search.'}
            </Empty>
          ) : (
            <>
              <div className="jp-PPO-split" data-open={open !== null}>
                <ClassProgressTable
                  page={page}
                  sort={sort}
                  open={open}
                  onSort={sorted => change({ sort: sorted })}
                  onOpen={setOpen}
                />
                {open !== null && (
                  <StudentProgress
                    key={open}
                    client={client}
                    course={course.name}
                    user={open}
                    round={round}
                    onClose={close}
                  />
                )}
              </div>
              <Pager
                offset={page.offset}
                limit={page.limit}
                total={page.total}
                what="the class"
                onMove={moved => change({ offset: moved })}
              />
            </>
          )
        }
      </Loaded>
      <p className="jp-PPO-remark">
        Only released grades count here. Time on task is the number of minutes in which the student
        pressed a key, clicked or scrolled in a notebook of the course: presence, not thought, and
        no part of any grade. Who does not want to report it has none.
      </p>
    </div>
  );
}
