import * as React from 'react';

import { Check, Choice, Empty, Field, Loaded, Outcome } from '../instructor/parts';
import { useActions, useLoaded } from '../instructor/resource';
import type { ICourse } from '../types';
import { NewTokenForm, RevokeForm, RotateForm } from './forms';
import { Secret } from './secret';
import { TokenTable } from './table';
import type { IAsked } from './table';
import type { IApiToken, IMadeToken, ITokensClient } from './types';
import { endText, lists } from './words';

interface ISectionProps {
  client: ITokensClient;
}

/** API tokens: one's own, made, rotated and revoked; and those for courses that one teaches. */
export function TokensSection({ client }: ISectionProps): JSX.Element {
  const ask = React.useCallback(() => client.me(), [client]);
  const [me, reload] = useLoaded(ask);
  return (
    <div className="jp-PPO-tokens">
      <p className="jp-PPO-remark">
        With a token a program uses the course in your name, such as a nightly export of grades. It
        is for one course and never does more than you may do now.
      </p>
      <Loaded loaded={me} onRetry={reload}>
        {({ courses }) =>
          courses.length === 0 ? (
            <Empty>You are in no course, so there is nothing that a token could open.</Empty>
          ) : (
            <Tokens client={client} courses={courses} />
          )
        }
      </Loaded>
    </div>
  );
}

function Tokens({ client, courses }: ISectionProps & { courses: readonly ICourse[] }): JSX.Element {
  const [whose, setWhose] = React.useState('');
  const [isMaking, setMaking] = React.useState(false);
  const [withEnded, setWithEnded] = React.useState(false);
  const [asked, setAsked] = React.useState<IAsked | null>(null);
  const [made, setMade] = React.useState<IMadeToken | null>(null);
  const actions = useActions();
  const isMine = whose === '';
  const ask = React.useCallback(
    () => (whose === '' ? client.mine() : client.ofCourse(whose)),
    [client, whose]
  );
  const [loaded, reload] = useLoaded(ask);
  const now = new Date();
  const choices = lists(courses);

  const make = (act: () => Promise<IMadeToken>): void =>
    void actions.run(async () => {
      const token = await act();
      setMade(token);
      setMaking(false);
      setAsked(null);
      await reload();
      return null;
    });
  const revoke = (token: IApiToken): void =>
    void actions.run(async () => {
      await (isMine ? client.revoke(token.id) : client.revokeInCourse(whose, token.id));
      setAsked(null);
      setMade(shown => (shown?.token.id === token.id ? null : shown));
      await reload();
      return `“${token.name}” is revoked.`;
    });
  const details = (token: IApiToken): React.ReactNode =>
    asked?.what === 'rotate' ? (
      <RotateForm
        token={token}
        busy={actions.busy}
        onRotate={hours => make(() => client.rotate(token.id, hours))}
        onCancel={() => setAsked(null)}
      />
    ) : (
      <RevokeForm
        token={token}
        busy={actions.busy}
        onRevoke={() => revoke(token)}
        onCancel={() => setAsked(null)}
      />
    );
  return (
    <>
      {made !== null && <Secret made={made} onDone={() => setMade(null)} />}
      <Outcome actions={actions} />
      {isMaking ? (
        <NewTokenForm
          courses={courses}
          busy={actions.busy}
          onMake={token => make(() => client.create(token))}
          onCancel={() => setMaking(false)}
        />
      ) : (
        <div className="jp-PPO-tokenBar">
          <button
            type="button"
            className="jp-PPO-button jp-PPO-askToken"
            onClick={() => {
              actions.clear();
              setMaking(true);
            }}
          >
            New token…
          </button>
          {choices.length > 1 && (
            <Field label="Whose">
              {control => (
                <Choice
                  {...control}
                  value={whose}
                  options={choices}
                  onChange={chosen => {
                    setWhose(chosen);
                    setAsked(null);
                  }}
                />
              )}
            </Field>
          )}
        </div>
      )}
      <Loaded key={whose} loaded={loaded} onRetry={reload}>
        {tokens => {
          const good = tokens.filter(token => endText(token, now) === null);
          const shown = withEnded ? tokens : good;
          return (
            <>
              {tokens.length > good.length && (
                <Check
                  label={`Show those that have ended (${tokens.length - good.length})`}
                  checked={withEnded}
                  onChange={setWithEnded}
                />
              )}
              {shown.length === 0 ? (
                <Empty>
                  {isMine ? 'You have no API token.' : 'Nobody has one for this course.'}
                </Empty>
              ) : (
                <TokenTable
                  label={isMine ? 'Your API tokens' : `API tokens for ${whose}`}
                  tokens={shown}
                  all={tokens}
                  isMine={isMine}
                  now={now}
                  asked={asked}
                  onAsk={next =>
                    setAsked(asked?.id === next.id && asked.what === next.what ? null : next)
                  }
                  details={details}
                />
              )}
            </>
          );
        }}
      </Loaded>
    </>
  );
}
