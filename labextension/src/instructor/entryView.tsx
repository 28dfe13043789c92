import * as React from 'react';

import { pointsText } from '../format';
import { HtmlFrame, saveFile } from './frame';
import type {
  IEntryContent,
  IEvaluationEvidence,
  IGradingClient,
  IRunEvidence
} from './gradingTypes';
import { sizeText } from './outcomeModel';
import { Empty, Outcome } from './parts';
import { useActions } from './resource';

interface IEntryProps {
  client: IGradingClient;
  content: IEntryContent;
}

/** What a student handed in, part by part. */
export function EntryView({ client, content }: IEntryProps): JSX.Element {
  const { definition } = content;
  const actions = useActions();
  const isEmpty =
    content.text === '' &&
    content.code === '' &&
    content.files.length === 0 &&
    content.run === null;
  return (
    <div className="jp-PPO-entry">
      <h4>
        {content.title || definition.title} <small>rubric of version {content.version}</small>
      </h4>
      <details>
        <summary>What was asked</summary>
        <HtmlFrame title="What was asked" html={definition.instructions_html} />
      </details>
      {isEmpty && <Empty>It is empty.</Empty>}
      {content.text !== '' && <HtmlFrame title="Text" html={content.text_html} />}
      {content.code !== '' && (
        <>
          <h4>Code</h4>
          <HtmlFrame title="Code" html={content.code_html} />
        </>
      )}
      {content.files.length > 0 && (
        <>
          <h4>Files</h4>
          <ul className="jp-PPO-entryFiles">
            {content.files.map(file => (
              <li key={file.name}>
                <button
                  type="button"
                  className="jp-PPO-button"
                  aria-label={`Download ${file.name}`}
                  disabled={actions.busy}
                  onClick={() =>
                    void actions.run(async () => {
                      saveFile(await client.entryFile(content.submission_id, file.name));
                      return null;
                    })
                  }
                >
                  Download
                </button>
                <span>{file.name}</span>
                <span className="jp-PPO-remark">{sizeText(file.size)}</span>
              </li>
            ))}
          </ul>
          <Outcome actions={actions} />
        </>
      )}
      {content.run !== null && <RunEvidence run={content.run} />}
    </div>
  );
}

const COLUMNS = ['first', 'last', 'min', 'max', 'count'] as const;

/** A training run as the student's machine says it. */
function RunEvidence({ run }: { run: IRunEvidence }): JSX.Element {
  const spec = Object.entries(run.spec ?? {}).filter(([, value]) => value !== null);
  const metrics = Object.entries(run.metrics ?? {});
  const returns: readonly (readonly [string, readonly (number | null)[]])[] = [
    ['Last training episodes', run.training_returns ?? []],
    ['Evaluation', run.evaluation_returns ?? []]
  ];
  return (
    <>
      <h4>
        Training run <small>what the student’s machine says; it was not run again</small>
      </h4>
      <p>
        {run.state ?? 'unknown state'}, {run.step ?? '?'} steps
        {typeof run.seconds === 'number' && `, ${pointsText(run.seconds)} s`}
      </p>
      {returns.map(
        ([name, values]) =>
          values.length > 0 && (
            <p key={name}>
              {name}: {returnsText(values)}
            </p>
          )
      )}
      {(run.evaluations ?? []).length > 0 && (
        <p>Mean returns while it trained: {evaluationsText(run.evaluations ?? [])}</p>
      )}
      {metrics.length > 0 && (
        <div className="jp-PPO-scroll">
          <table className="jp-PPO-table jp-PPO-metrics">
            <thead>
              <tr>
                <th scope="col">Metric</th>
                {COLUMNS.map(column => (
                  <th key={column} scope="col" className="jp-PPO-figure">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {metrics.map(([name, values]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  {COLUMNS.map(column => (
                    <td key={column} className="jp-PPO-figure">
                      {valueText(values[column])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <details>
        <summary>Hyperparameters</summary>
        <dl className="jp-PPO-facts">
          {spec.map(([name, value]) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</dd>
            </React.Fragment>
          ))}
        </dl>
      </details>
    </>
  );
}

/** `mean 12.5 of 20 episodes, from 3 to 40`. */
function returnsText(values: readonly (number | null)[]): string {
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) {
    return `${values.length} episodes, none of them with a number`;
  }
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const least = known.reduce((one, other) => Math.min(one, other));
  const most = known.reduce((one, other) => Math.max(one, other));
  const ends = `from ${valueText(least)} to ${valueText(most)}`;
  return `mean return ${valueText(mean)} of ${known.length} episodes, ${ends}`;
}

/** `12.5 after 1024 steps, 40 after 2048 steps`; the last ten. */
function evaluationsText(evaluations: readonly IEvaluationEvidence[]): string {
  return evaluations
    .slice(-10)
    .map(one => `${valueText(one.mean)} after ${one.step} steps`)
    .join(', ');
}

function valueText(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return '–';
  }
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
}
