import * as React from 'react';

import { pointsText, timeText } from '../format';
import { save } from './download';
import { BatchForm } from './gradeTasks';
import { Empty, Field, Loaded, Outcome } from './parts';
import { useActions, useLoaded } from './resource';
import type { IInstructorClient, IVersion, NotebookKind } from './types';

interface IVersionsProps {
  client: IInstructorClient;
  course: string;
  assignment: string;
  /** Whether versions are notebooks, which can be downloaded. */
  isNotebook: boolean;
  mayEdit: boolean;
  onPublished: () => void;
  onBatch: (batch: string) => void;
}

/** Every version of an assignment, what was handed in on it, and what can be done with it. */
export function Versions(props: IVersionsProps): JSX.Element {
  const { client, course, assignment, isNotebook, mayEdit, onPublished, onBatch } = props;
  const ask = React.useCallback(
    () => client.versions(course, assignment),
    [client, course, assignment]
  );
  const [loaded, reload] = useLoaded(ask);
  const actions = useActions();
  const [again, setAgain] = React.useState<number | null>(null);
  const download = (number: number, kind: NotebookKind): void =>
    void actions.run(async () => {
      const file = await client.versionNotebook(course, assignment, number, kind);
      save(file);
      return `${file.name} is in your browser's downloads.`;
    });
  const publish = async (number: number, note: string): Promise<void> => {
    const done = await actions.run(async () => {
      await client.publishAgain(course, assignment, number, note);
      await reload();
      onPublished();
      return `Version ${number} is published again as the newest.`;
    });
    if (done) {
      setAgain(null);
    }
  };
  return (
    <>
      <p className="jp-PPO-remark">
        Versions never change. What was handed in stays on the version that it was made on until it
        is graded on the newest.
      </p>
      <Outcome actions={actions} />
      <Loaded loaded={loaded} onRetry={reload}>
        {versions =>
          versions.length === 0 ? (
            <Empty>There is no version yet.</Empty>
          ) : (
            <VersionTable
              versions={versions}
              busy={actions.busy}
              again={again}
              onAgain={mayEdit ? setAgain : null}
              onDownload={isNotebook && mayEdit ? download : null}
            />
          )
        }
      </Loaded>
      {again !== null && (
        <PublishForm
          key={again}
          number={again}
          busy={actions.busy}
          onPublish={note => void publish(again, note)}
          onCancel={() => setAgain(null)}
        />
      )}
      {isNotebook && (
        <BatchForm
          client={client}
          course={course}
          assignment={assignment}
          title="Grade again on the newest version"
          scope="all"
          onNewest
          onBatch={onBatch}
        />
      )}
    </>
  );
}

interface ITableProps {
  versions: readonly IVersion[];
  busy: boolean;
  again: number | null;
  onAgain: ((number: number) => void) | null;
  onDownload: ((number: number, kind: NotebookKind) => void) | null;
}

function VersionTable(props: ITableProps): JSX.Element {
  const { versions, busy, again, onAgain, onDownload } = props;
  const newest = Math.max(...versions.map(version => version.number));
  return (
    <div className="jp-PPO-scroll">
      <table className="jp-PPO-table jp-PPO-versions">
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">Released</th>
            <th scope="col">Note</th>
            <th scope="col" className="jp-PPO-figure">
              Points
            </th>
            <th scope="col" className="jp-PPO-figure">
              Submitted on it
            </th>
            <th scope="col" className="jp-PPO-figure">
              Graded on it
            </th>
            <th scope="col">
              <span className="jp-PPO-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {versions.map(version => (
            <tr key={version.number} data-version={version.number}>
              <th scope="row">
                {version.number}
                {version.number === newest && <span className="jp-PPO-badge">newest</span>}
              </th>
              <td>
                {timeText(version.released_at)}
                {version.released_by !== '' && ` by ${version.released_by}`}
              </td>
              <td className="jp-PPO-words">{version.note}</td>
              <td className="jp-PPO-figure">{pointsText(version.points)}</td>
              <td className="jp-PPO-figure">{version.submissions}</td>
              <td className="jp-PPO-figure">{version.graded}</td>
              <td>
                <div className="jp-PPO-rowActions">
                  {onDownload && (
                    <>
                      <button
                        type="button"
                        className="jp-PPO-button"
                        aria-label={`Download the source of version ${version.number}`}
                        disabled={busy}
                        onClick={() => onDownload(version.number, 'source')}
                      >
                        Source
                      </button>
                      <button
                        type="button"
                        className="jp-PPO-button"
                        aria-label={`Download the students' copy of version ${version.number}`}
                        disabled={busy}
                        onClick={() => onDownload(version.number, 'release')}
                      >
                        Students’ copy
                      </button>
                    </>
                  )}
                  {onAgain && version.number !== newest && (
                    <button
                      type="button"
                      className="jp-PPO-button"
                      aria-label={`Publish version ${version.number} again`}
                      aria-expanded={again === version.number}
                      disabled={busy}
                      onClick={() => onAgain(version.number)}
                    >
                      Publish again
                    </button>
                  )}
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface IPublishProps {
  number: number;
  busy: boolean;
  onPublish: (note: string) => void;
  onCancel: () => void;
}

function PublishForm({ number, busy, onPublish, onCancel }: IPublishProps): JSX.Element {
  const [note, setNote] = React.useState('');
  return (
    <form
      className="jp-PPO-form"
      aria-label={`Publish version ${number} again`}
      onSubmit={event => {
        event.preventDefault();
        onPublish(note.trim());
      }}
    >
      <Field label={`What is new, now that version ${number} is published again?`}>
        {control => (
          <input
            {...control}
            type="text"
            name="note"
            autoComplete="off"
            autoFocus
            value={note}
            onChange={event => setNote(event.target.value)}
          />
        )}
      </Field>
      <div className="jp-PPO-actions">
        <button type="submit" className="jp-PPO-button jp-mod-primary" disabled={busy}>
          Publish
        </button>
        <button type="button" className="jp-PPO-button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
