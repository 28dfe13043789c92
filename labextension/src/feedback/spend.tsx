import * as React from 'react';

import { Choice, Empty, Field, Loaded } from '../instructor/parts';
import { useLoaded } from '../instructor/resource';
import { SpendChart } from './spendChart';
import type { IFeedbackClient, ISpend } from './types';
import { moneyText } from './words';

interface ISpendProps {
  client: IFeedbackClient;
  course: string;
  /** Without a model nobody misses its price. */
  hasModel: boolean;
}

const SPANS = [
  ['7', '7 days'],
  ['30', '30 days'],
  ['90', '90 days']
] as const;

type Span = (typeof SPANS)[number][0];

/** What models cost, per day and per assignment, and the caps. */
export function Spend({ client, course, hasModel }: ISpendProps): JSX.Element {
  const [days, setDays] = React.useState<Span>('30');
  const ask = React.useCallback(() => client.spend(course, Number(days)), [client, course, days]);
  const [loaded, reload] = useLoaded(ask);
  return (
    <>
      <div className="jp-PPO-formFields">
        <Field label="Time">
          {control => <Choice {...control} value={days} options={SPANS} onChange={setDays} />}
        </Field>
      </div>
      <Loaded loaded={loaded} onRetry={reload}>
        {spend => (
          <>
            {hasModel && !spend.has_price && (
              <p className="jp-PPO-notice">
                The server’s configuration has no price for the model: the calls are counted, their
                cost is not.
              </p>
            )}
            <Caps spend={spend} />
            {spend.days.every(({ calls }) => calls === 0) ? (
              <Empty>No model was asked in this time.</Empty>
            ) : (
              <>
                <SpendChart spend={spend} />
                <ByAssignment spend={spend} />
              </>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function Caps({ spend }: { spend: ISpend }): JSX.Element {
  const { currency, spent } = spend;
  const cap = spend.caps.course;
  return (
    <dl className="jp-PPO-facts jp-PPO-caps">
      <dt>Spent by the course</dt>
      <dd>
        {moneyText(spent.course, currency)}
        {cap !== null && (
          <>
            {' '}
            of {moneyText(cap, currency)}{' '}
            <meter aria-label="Share of the course’s cap" min={0} max={cap} value={spent.course} />
          </>
        )}
      </dd>
      <dt>Spent today (UTC)</dt>
      <dd>{moneyText(spent.today, currency)}</dd>
      <dt>Cap of an assignment</dt>
      <dd>{capText(spend.caps.assignment, currency)}</dd>
      <dt>Cap of a person and day</dt>
      <dd>{capText(spend.caps.user_day, currency)}</dd>
    </dl>
  );
}

function capText(cap: number | null, currency: string): string {
  return cap === null ? 'none' : moneyText(cap, currency);
}

function ByAssignment({ spend }: { spend: ISpend }): JSX.Element | null {
  if (spend.by_assignment.length === 0) {
    return null;
  }
  return (
    <table className="jp-PPO-table">
      <caption>By assignment</caption>
      <thead>
        <tr>
          <th scope="col">Assignment</th>
          <th scope="col">Calls</th>
          <th scope="col">Cost</th>
        </tr>
      </thead>
      <tbody>
        {spend.by_assignment.map(({ assignment, calls, cost }) => (
          <tr key={assignment ?? ''}>
            <th scope="row">{assignment ?? 'none'}</th>
            <td>{calls}</td>
            <td>{moneyText(cost, spend.currency)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
