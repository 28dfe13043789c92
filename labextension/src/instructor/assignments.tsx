import * as React from 'react';

import { pointsText } from '../format';
import type { ICourse } from '../types';
import { Extensions } from './extensions';
import { GradeTasks } from './gradeTasks';
import { Empty, Loaded, Outcome } from './parts';
import { useActions, useLoaded } from './resource';
import { Tabs } from './tabs';
import { TermsForm } from './termsForm';
import type { ICourseAssignment, IInstructorClient } from './types';
import { attemptsText, kindText, mayAuthor, timeOr } from './words';
import { Versions } from './versions';

interface IAssignmentsProps {
  client: IInstructorClient;
  course: ICourse;
  onBatch: (batch: string) => void;
}

/** An assignment and what was handed in and graded; null until that is known. */
interface IRow {
  assignment: ICourseAssignment;
  submissions: number | null;
  graded: number | null;
}

/** The assignments of a course; one of them can be opened. */
export function AssignmentsTab({ client, course, onBatch }: IAssignmentsProps): JSX.Element {
  const ask = React.useCallback(() => client.assignments(course.name), [client, course.name]);
  const [loaded, reload] = useLoaded(ask);
  const names = loaded.value?.map(assignment => assignment.name).join('/') ?? '';
  const askCounts = React.useCallback(
    () => counts(client, course.name, names === '' ? [] : names.split('/')),
    [client, course.name, names]
  );
  const [known] = useLoaded(askCounts);
  const [open, setOpen] = React.useState<string | null>(null);
  const actions = useActions();
  const remove = (name: string): void =>
    void actions.run(async () => {
      const item = await client.deleteAssignment(course.name, name);
      setOpen(null);
      await reload();
      return {
        kind: 'done',
        text: `${name} is in the trash, with all that was handed in.`,
        undo: async () => {
          await client.restore(course.name, item.id);
          await reload();
          return `${name} is back.`;
        }
      };
    });
  return (
    <>
      <Outcome actions={actions} />
      <Loaded loaded={loaded} onRetry={reload}>
        {assignments =>
          assignments.length === 0 ? (
            <Empty>
              There is no assignment yet. Release one: in JupyterLab with “PPO Author” beside its
              notebook, at a JupyterHub with “Release a notebook” on the page of the service, in a
              terminal with “jupyter ppo release”. Or make an entry in the tab Outcomes.
            </Empty>
          ) : (
            <AssignmentTable
              rows={assignments.map(assignment => ({
                assignment,
                submissions: known.value?.get(assignment.name)?.submissions ?? null,
                graded: known.value?.get(assignment.name)?.graded ?? null
              }))}
              open={open}
              onOpen={setOpen}
              details={assignment => (
                <Details
                  client={client}
                  course={course}
                  assignment={assignment}
                  busy={actions.busy}
                  onBatch={onBatch}
                  onChanged={() => void reload()}
                  onDelete={() => remove(assignment.name)}
                />
              )}
            />
          )
        }
      </Loaded>
    </>
  );
}

interface ITableProps {
  rows: readonly IRow[];
  open: string | null;
  onOpen: (name: string | null) => void;
  details: (assignment: ICourseAssignment) => React.ReactNode;
}

const COLUMNS = 8;

function AssignmentTable({ rows, open, onOpen, details }: ITableProps): JSX.Element {
  return (
    <div className="jp-PPO-scroll">
      <table className="jp-PPO-table jp-PPO-assignmentTable">
        <thead>
          <tr>
            <th scope="col">Assignment</th>
            <th scope="col">Kind</th>
            <th scope="col" className="jp-PPO-figure">
              Version
            </th>
            <th scope="col" className="jp-PPO-figure">
              Points
            </th>
            <th scope="col">Due</th>
            <th scope="col">Attempts</th>
            <th scope="col" className="jp-PPO-figure">
              Submitted
            </th>
            <th scope="col" className="jp-PPO-figure">
              Graded
            </th>
          </tr>
        </thead>
        {rows.map(({ assignment, submissions, graded }) => {
          const { name } = assignment;
          const isOpen = name === open;
          return (
            <tbody key={name} data-assignment={name}>
              <tr className={isOpen ? 'jp-mod-open' : undefined}>
                <th scope="row">
                  <button
                    type="button"
                    className="jp-PPO-link jp-PPO-opens"
                    aria-expanded={isOpen}
                    onClick={() => onOpen(isOpen ? null : name)}
                  >
                    {name}
                  </button>
                </th>
                <td>{kindText(assignment.kind)}</td>
                <td className="jp-PPO-figure">{assignment.version}</td>
                <td className="jp-PPO-figure">{pointsText(assignment.points)}</td>
                <td>{timeOr(assignment.due_at, 'no due date')}</td>
                <td>{attemptsText(assignment.max_attempts)}</td>
                <td className="jp-PPO-figure">{submissions ?? '–'}</td>
                <td className="jp-PPO-figure">{graded ?? '–'}</td>
              </tr>
              {isOpen && (
                <tr>
                  <td colSpan={COLUMNS} className="jp-PPO-details">
                    {details(assignment)}
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

type Section = 'terms' | 'extensions' | 'versions' | 'grading' | 'delete';

const SECTIONS: readonly (readonly [Section, string])[] = [
  ['terms', 'Terms'],
  ['extensions', 'Extensions'],
  ['versions', 'Versions'],
  ['grading', 'Grading'],
  ['delete', 'Delete']
];

interface IDetailsProps {
  client: IInstructorClient;
  course: ICourse;
  assignment: ICourseAssignment;
  busy: boolean;
  onBatch: (batch: string) => void;
  onChanged: () => void;
  onDelete: () => void;
}

/** All about one assignment. */
function Details(props: IDetailsProps): JSX.Element {
  const { client, course, assignment, busy, onBatch, onChanged, onDelete } = props;
  const [section, setSection] = React.useState<Section>('terms');
  const isNotebook = assignment.kind !== 'entry';
  const mayEdit = mayAuthor(course.role);
  const place = { client, course: course.name, assignment: assignment.name };
  return (
    <Tabs
      label={`What to see of ${assignment.name}`}
      tabs={mayEdit ? SECTIONS : SECTIONS.filter(([name]) => name !== 'delete')}
      selected={section}
      onSelect={setSection}
    >
      {section === 'terms' && <TermsSection {...place} mayEdit={mayEdit} onSaved={onChanged} />}
      {section === 'extensions' && <Extensions {...place} mayEdit={mayEdit} />}
      {section === 'versions' && (
        <Versions
          {...place}
          isNotebook={isNotebook}
          mayEdit={mayEdit}
          onPublished={onChanged}
          onBatch={onBatch}
        />
      )}
      {section === 'grading' && (
        <GradeTasks {...place} isNotebook={isNotebook} mayRelease={mayEdit} onBatch={onBatch} />
      )}
      {section === 'delete' && (
        <>
          <p>
            The assignment goes to the trash with all that was handed in. Nobody sees it there, and
            it can be restored in the tab People.
          </p>
          <div className="jp-PPO-actions">
            <button
              type="button"
              className="jp-PPO-button jp-mod-warn jp-PPO-delete"
              disabled={busy}
              onClick={onDelete}
            >
              Delete {assignment.name}
            </button>
          </div>
        </>
      )}
    </Tabs>
  );
}

interface ITermsProps {
  client: IInstructorClient;
  course: string;
  assignment: string;
  mayEdit: boolean;
  onSaved: () => void;
}

function TermsSection(props: ITermsProps): JSX.Element {
  const { client, course, assignment } = props;
  const ask = React.useCallback(
    () => client.terms(course, assignment),
    [client, course, assignment]
  );
  const [loaded, reload] = useLoaded(ask);
  return (
    <Loaded loaded={loaded} onRetry={reload}>
      {terms => <TermsForm {...props} terms={terms} />}
    </Loaded>
  );
}

interface ICounts {
  submissions: number;
  graded: number;
}

/** How much was handed in and graded, by assignment; an assignment that fails is left out. */
async function counts(
  client: IInstructorClient,
  course: string,
  names: readonly string[]
): Promise<Map<string, ICounts>> {
  const found = await Promise.all(
    names.map(name =>
      client.versions(course, name).then(
        versions => {
          const sum = (of: (version: (typeof versions)[number]) => number): number =>
            versions.reduce((total, version) => total + of(version), 0);
          const all = {
            submissions: sum(each => each.submissions),
            graded: sum(each => each.graded)
          };
          return [name, all] as const;
        },
        () => null
      )
    )
  );
  return new Map(found.filter(each => each !== null));
}
