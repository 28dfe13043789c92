import type { ServerConnection } from '@jupyterlab/services';
import * as React from 'react';

import { Secret } from '../tokens/secret';
import type { ICourse } from '../types';
import { Empty, Loaded, Outcome } from './parts';
import { useActions, useLoaded } from './resource';
import { WebhookDeliveries } from './webhookDeliveries';
import { WebhookForm } from './webhookForm';
import { WebhooksClient } from './webhooksClient';
import type { IMadeWebhook, INewWebhook, IWebhook, IWebhooksClient } from './webhooksClient';
import { WebhookTable } from './webhookTable';
import type { IAsked } from './webhookTable';
import { mayAuthor } from './words';

interface ITabProps {
  course: ICourse;
  settings: ServerConnection.ISettings;
}

/** The addresses that are told of a course, for its instructors. */
export function WebhooksTab({ course, settings }: ITabProps): JSX.Element {
  const client = React.useMemo(() => new WebhooksClient(settings), [settings]);
  return mayAuthor(course.role) ? (
    <Webhooks client={client} course={course.name} />
  ) : (
    <Empty>Webhooks are for instructors of the course.</Empty>
  );
}

interface IWebhooksProps {
  client: IWebhooksClient;
  course: string;
}

/** What `Secret` shows. */
interface IShown {
  token: { name: string };
  secret: string;
}

/** The webhooks of a course: registering, trying, stopping and deleting them. */
export function Webhooks({ client, course }: IWebhooksProps): JSX.Element {
  const ask = React.useCallback(() => client.webhooks(course), [client, course]);
  const [loaded, reload] = useLoaded(ask);
  const [asked, setAsked] = React.useState<IAsked | null>(null);
  const [shown, setShown] = React.useState<IShown | null>(null);
  // A test or a replay is among the messages at once.
  const [round, setRound] = React.useState(0);
  const actions = useActions();

  const act = (what: () => Promise<string | null>): Promise<boolean> =>
    actions.run(async () => {
      const said = await what();
      await reload();
      return said;
    });
  const show = ({ webhook, secret }: IMadeWebhook): void => {
    setAsked(null);
    setShown({ token: { name: webhook.name }, secret });
  };
  const create = (webhook: INewWebhook): Promise<boolean> =>
    act(async () => {
      show(await client.create(course, webhook));
      return `${webhook.name} is registered. Give its secret to the receiver.`;
    });
  const rotate = (webhook: IWebhook): void =>
    void act(async () => {
      show(await client.rotate(course, webhook.id));
      return `${webhook.name} has a new secret; the old one signs as well for a day.`;
    });
  const remove = (webhook: IWebhook): void =>
    void act(async () => {
      await client.remove(course, webhook.id);
      setAsked(null);
      return `${webhook.name} is deleted.`;
    });
  const test = (webhook: IWebhook): void =>
    void act(async () => {
      await client.test(course, webhook.id);
      setAsked({ id: webhook.id, what: 'messages' });
      setRound(now => now + 1);
      return `A test is on its way to ${webhook.name}. What came of it is among its messages.`;
    });
  const setActive = (webhook: IWebhook, isActive: boolean): void =>
    void act(async () => {
      await client.setActive(course, webhook.id, isActive);
      return isActive
        ? `${webhook.name} is told again.`
        : `${webhook.name} is told of nothing until it goes on; what was waiting waits.`;
    });

  const details = (webhook: IWebhook): JSX.Element => {
    switch (asked?.what) {
      case 'rotate':
        return (
          <Sure
            text={`Give ${webhook.name} a new secret? The old one signs as well for a day.`}
            yes="Make a new secret"
            busy={actions.busy}
            onYes={() => rotate(webhook)}
            onNo={() => setAsked(null)}
          />
        );
      case 'delete':
        return (
          <Sure
            text={`Delete ${webhook.name}, with everything that it was and is to be told?`}
            yes="Delete it"
            busy={actions.busy}
            onYes={() => remove(webhook)}
            onNo={() => setAsked(null)}
          />
        );
      default:
        return <WebhookDeliveries key={round} client={client} course={course} webhook={webhook} />;
    }
  };

  return (
    <>
      <Outcome actions={actions} />
      {shown !== null && <Secret made={shown} onDone={() => setShown(null)} />}
      <Loaded loaded={loaded} onRetry={reload}>
        {webhooks => (
          <>
            {webhooks.length === 0 && (
              <Empty>
                No address is told of this course. Register one to tell another program of hand-ins,
                grades and batches: ids and states, no names, answers or grades.
              </Empty>
            )}
            {webhooks.length > 0 && (
              <WebhookTable
                webhooks={webhooks}
                busy={actions.busy}
                asked={asked}
                onAsk={next =>
                  setAsked(now => (now?.id === next.id && now.what === next.what ? null : next))
                }
                onTest={test}
                onActive={setActive}
                details={details}
              />
            )}
          </>
        )}
      </Loaded>
      <WebhookForm busy={actions.busy} onCreate={create} />
    </>
  );
}

interface ISureProps {
  text: string;
  yes: string;
  busy: boolean;
  onYes: () => void;
  onNo: () => void;
}

/** Asks before what cannot be taken back. */
function Sure({ text, yes, busy, onYes, onNo }: ISureProps): JSX.Element {
  const first = React.useRef<HTMLButtonElement>(null);
  React.useEffect(() => first.current?.focus(), []);
  return (
    <div className="jp-PPO-sure" role="group" aria-label={text}>
      <p>{text}</p>
      <div className="jp-PPO-actions">
        <button
          ref={first}
          type="button"
          className="jp-PPO-button jp-mod-primary jp-PPO-yes"
          disabled={busy}
          onClick={onYes}
        >
          {yes}
        </button>
        <button type="button" className="jp-PPO-button" onClick={onNo}>
          Cancel
        </button>
      </div>
    </div>
  );
}
