import * as React from 'react';

import { CaseVerdict } from './cases';
import { caseName } from './form';
import type { ICaseRun, IExecuteLimits, ILimitHit, IRun, ITestRun, Result } from './types';
import {
  dataText,
  hintText,
  limitText,
  memoryText,
  outcomeText,
  passedText,
  secondsText,
  signOf,
  visible
} from './words';

interface IResultProps {
  result: Result | null;
  limits: IExecuteLimits | null;
}

/** What came of the program. The one line that sums it up is read out. */
export function ResultView({ result, limits }: IResultProps): JSX.Element {
  return (
    <>
      <p className="jp-PPO-outcome" role="status" data-success={successOf(result)}>
        {result !== null && <Headline result={result} />}
      </p>
      {result?.kind === 'run' && <RunView run={result.run} limits={limits} />}
      {result?.kind === 'tests' && <TestsView tests={result.tests} limits={limits} />}
    </>
  );
}

function successOf(result: Result | null): boolean | undefined {
  return result === null
    ? undefined
    : result.kind === 'run'
      ? result.run.success
      : result.tests.success;
}

function Headline({ result }: { result: Result }): JSX.Element {
  const success = successOf(result) ?? false;
  const text =
    result.kind === 'run'
      ? outcomeText(result.run.outcome)
      : passedText(result.tests.passed, result.tests.total);
  return (
    <>
      <span aria-hidden="true">{signOf(success)} </span>
      {text}
    </>
  );
}

function RunView({ run, limits }: { run: IRun; limits: IExecuteLimits | null }): JSX.Element {
  // Of a limit the notice says it all, and of a stop the headline.
  const isSaid = run.limit !== null || run.outcome === 'stopped';
  const error = isSaid ? '' : [run.error_type, run.error_message].filter(part => part).join(': ');
  return (
    <>
      <p className="jp-PPO-measures">
        {secondsText(run.execution_time)}, at most {memoryText(run.memory_used_mb)}
      </p>
      <LimitNotice hit={run.limit} limits={limits} />
      {error !== '' && <p className="jp-PPO-error">{visible(error)}</p>}
      <Advice text={hintText(run.error_type, run.error_message, false)} />
      <Stream label="Traceback" text={run.traceback ?? ''} isOpen={run.limit === null} />
      <Stream label="Output" text={run.stdout} isOpen />
      <Stream label="Error output" text={run.stderr} isOpen />
      {run.outcome === 'succeeded' && run.stdout === '' && run.stderr === '' && (
        <p className="jp-PPO-hint">The program printed nothing.</p>
      )}
      {run.locals !== null && <Variables locals={run.locals} omitted={run.omitted} />}
    </>
  );
}

function TestsView({
  tests,
  limits
}: {
  tests: ITestRun;
  limits: IExecuteLimits | null;
}): JSX.Element {
  return (
    <>
      <p className="jp-PPO-measures">{secondsText(tests.execution_time)}</p>
      <ol className="jp-PPO-caseResults" aria-label="Verdicts">
        {tests.cases.map((item, index) => (
          <CaseResult key={index} item={item} index={index} limits={limits} />
        ))}
      </ol>
    </>
  );
}

function CaseResult({
  item,
  index,
  limits
}: {
  item: ICaseRun;
  index: number;
  limits: IExecuteLimits | null;
}): JSX.Element {
  return (
    <li>
      <span className="jp-PPO-caseLine">
        {visible(item.name || caseName(index))} <CaseVerdict run={item} />
      </span>
      {item.limit === null && <p className="jp-PPO-detail">{visible(item.detail)}</p>}
      <Advice text={hintText(item.error_type, item.error_message, true)} />
      <LimitNotice hit={item.limit} limits={limits} />
      {item.verdict === 'failed' && item.has_value && (
        <Stream label="Value" text={dataText(item.value)} isOpen />
      )}
      <Stream label="Traceback" text={item.traceback ?? ''} isOpen={false} />
      <Stream label="Output" text={item.stdout} isOpen={item.verdict === 'failed'} />
      <Stream label="Error output" text={item.stderr} isOpen={false} />
    </li>
  );
}

function LimitNotice(props: {
  hit: ILimitHit | null;
  limits: IExecuteLimits | null;
}): JSX.Element | null {
  return props.hit === null ? null : (
    <p className="jp-PPO-notice jp-PPO-limit">{limitText(props.hit, props.limits)}</p>
  );
}

/** What to do about an error. */
function Advice({ text }: { text: string | null }): JSX.Element | null {
  return text === null ? null : <p className="jp-PPO-notice jp-PPO-advice">{text}</p>;
}

/** A program's text as it is: never as HTML, and with control characters made visible. */
function Stream(props: { label: string; text: string; isOpen: boolean }): JSX.Element | null {
  const { label, text, isOpen } = props;
  if (text === '') {
    return null;
  }
  return (
    <details className="jp-PPO-stream" open={isOpen}>
      <summary>{label}</summary>
      <pre tabIndex={0} aria-label={label}>
        {visible(text)}
      </pre>
    </details>
  );
}

interface IVariablesProps {
  locals: Record<string, unknown>;
  omitted: Record<string, string>;
}

function Variables({ locals, omitted }: IVariablesProps): JSX.Element {
  const names = Object.keys(locals).sort();
  const left = Object.keys(omitted).sort();
  return (
    <details className="jp-PPO-variables" open>
      <summary>Variables ({names.length})</summary>
      {names.length === 0 && <p className="jp-PPO-hint">No variable holds plain data.</p>}
      {names.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Value</th>
            </tr>
          </thead>
          <tbody>
            {names.map(name => (
              <tr key={name}>
                <th scope="row">{visible(name)}</th>
                <td>
                  <pre>{visible(dataText(locals[name]))}</pre>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {left.length > 0 && (
        <p className="jp-PPO-hint">
          Left out:{' '}
          {left.map(name => `${visible(name)}, ${visible(omitted[name] ?? '')}`).join('; ')}.
        </p>
      )}
    </details>
  );
}
