import * as React from 'react';

import { saveFile } from './frame';
import type { IFile, IGradebookQuery, IGradingClient, INbgraderImport } from './gradingTypes';
import { Outcome } from './parts';
import { useActions } from './resource';
import { counted } from './words';

interface IFilesProps {
  client: IGradingClient;
  course: string;
  query: IGradebookQuery;
  isAuthor: boolean;
  onImported: () => void;
}

/** The gradebook as files: CSV and JSON of what is asked for, and nbgrader's database. */
export function GradebookFiles(props: IFilesProps): JSX.Element {
  const { client, course, query, isAuthor, onImported } = props;
  const actions = useActions();
  const chooser = React.useRef<HTMLInputElement>(null);
  const [warnings, setWarnings] = React.useState<readonly string[]>([]);
  const download = (ask: () => Promise<IFile>): void =>
    void actions.run(async () => {
      const file = await ask();
      saveFile(file);
      return `${file.name} is downloaded.`;
    });
  const bringIn = (file: File): void =>
    void actions.run(async () => {
      setWarnings([]);
      const report = await client.nbgraderImport(course, file);
      setWarnings(report.warnings);
      onImported();
      return importText(report);
    });
  const button = (text: string, act: () => void): JSX.Element => (
    <button type="button" className="jp-PPO-button" disabled={actions.busy} onClick={act}>
      {text}
    </button>
  );
  return (
    <>
      <div className="jp-PPO-actions jp-PPO-bookFiles">
        {button('Export CSV', () => download(() => client.gradebookCsv(course, query)))}
        {button('Export JSON', () => download(() => client.gradebookJson(course, query)))}
        {isAuthor && (
          <>
            {button('Export to nbgrader', () => download(() => client.nbgraderExport(course)))}
            {button('Import from nbgrader', () => chooser.current?.click())}
            <input
              ref={chooser}
              type="file"
              name="nbgrader"
              hidden
              aria-label="nbgrader gradebook.db"
              accept=".db,.sqlite"
              onChange={event => {
                const file = event.target.files?.[0];
                if (file) {
                  bringIn(file);
                }
                // The same file can be chosen again.
                event.target.value = '';
              }}
            />
          </>
        )}
      </div>
      <Outcome actions={actions} />
      {warnings.length > 0 && (
        <ul className="jp-PPO-warnings" aria-label="What was left out">
          {warnings.map((warning, index) => (
            <li key={index}>{warning}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function importText(report: INbgraderImport): string {
  const parts = [
    counted(report.students, 'student', 'students'),
    counted(report.assignments, 'assignment', 'assignments'),
    counted(report.submissions, 'submission', 'submissions'),
    counted(report.grades, 'grade', 'grades')
  ];
  return `Added: ${parts.join(', ')}.`;
}
