import * as React from 'react';

import { timeText } from '../format';
import { Loaded } from '../instructor/parts';
import { useLoaded } from '../instructor/resource';
import { counted } from '../instructor/words';
import type { ICall, IFeedbackClient } from './types';
import { moneyText } from './words';

interface ICallProps {
  client: IFeedbackClient;
  id: string;
  onBack: () => void;
}

/** What was sent to a model, word for word, and what came back. */
export function CallView({ client, id, onBack }: ICallProps): JSX.Element {
  const ask = React.useCallback(() => client.call(id), [client, id]);
  const [loaded, reload] = useLoaded(ask);
  const back = React.useRef<HTMLButtonElement>(null);
  React.useEffect(() => back.current?.focus(), []);
  return (
    <section className="jp-PPO-call" aria-label="A call of a model">
      <div className="jp-PPO-actions">
        <button ref={back} type="button" className="jp-PPO-button" onClick={onBack}>
          Back
        </button>
      </div>
      <Loaded loaded={loaded} onRetry={reload}>
        {call => (
          <>
            <Facts call={call} />
            {call.purged_at !== null ? (
              <p className="jp-PPO-notice">
                The texts of this call were deleted on {timeText(call.purged_at)}: they are kept
                only for a while.
              </p>
            ) : (
              <Texts call={call} />
            )}
          </>
        )}
      </Loaded>
    </section>
  );
}

function Facts({ call }: { call: ICall }): JSX.Element {
  const rows: readonly (readonly [string, string])[] = [
    ['Time', timeText(call.at)],
    ['Purpose', call.purpose],
    ['State', call.error === '' ? call.state : `${call.state}: ${call.error}`],
    ['Asked by', call.asked_by],
    [
      'Model',
      `${call.model} (${call.provider})${call.model_said ? `, said ${call.model_said}` : ''}`
    ],
    ['Template', `${call.template}, version ${call.template_version}`],
    ['Parameters', JSON.stringify(call.parameters)],
    ['Tokens', `${call.input_tokens ?? '–'} in, ${call.output_tokens ?? '–'} out`],
    ['Cost', moneyText(call.cost, call.currency)],
    ['Took', `${call.latency_ms} ms, ${counted(call.tries, 'try', 'tries')}`],
    ['Flags', call.flags.join(', ') || 'none'],
    ['What the reviewer did', call.reviewer_action ?? 'nothing yet']
  ];
  return (
    <dl className="jp-PPO-facts">
      {rows.map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

function Texts({ call }: { call: ICall }): JSX.Element {
  const removed = Object.entries(call.redactions ?? {});
  return (
    <>
      <h3>What was sent</h3>
      {call.prompt.map(({ role, text }, index) => (
        <React.Fragment key={index}>
          <h4>{role === 'system' ? 'Instructions' : 'Answer as data'}</h4>
          <Text label={`Prompt, ${role}`} text={text} />
        </React.Fragment>
      ))}
      <h3>What was removed before sending</h3>
      {removed.length === 0 ? (
        <p className="jp-PPO-remark">Nothing.</p>
      ) : (
        <dl className="jp-PPO-facts">
          {removed.map(([placeholder, value]) => (
            <React.Fragment key={placeholder}>
              <dt>{placeholder}</dt>
              <dd>{value ?? 'only for instructors'}</dd>
            </React.Fragment>
          ))}
        </dl>
      )}
      <h3>What came back</h3>
      <Text label="Raw answer" text={call.raw_answer} />
      <h3>What was read in it</h3>
      <Text
        label="Parsed answer"
        text={call.parsed === null ? 'Nothing usable.' : JSON.stringify(call.parsed, null, 2)}
      />
    </>
  );
}

/** Text as it is: no link, no picture, nothing that runs. */
function Text({ label, text }: { label: string; text: string }): JSX.Element {
  return (
    <pre className="jp-PPO-answerText" tabIndex={0} role="region" aria-label={label}>
      {text}
    </pre>
  );
}
