import * as React from 'react';

import { Check, Field } from './parts';
import type { INewWebhook, WebhookEvent } from './webhooksClient';
import { EVENTS } from './webhookWords';

interface IFormProps {
  busy: boolean;
  /** Answers whether it went well. */
  onCreate: (webhook: INewWebhook) => Promise<boolean>;
}

/** Registers an address. */
export function WebhookForm({ busy, onCreate }: IFormProps): JSX.Element {
  const [name, setName] = React.useState('');
  const [url, setUrl] = React.useState('');
  const [events, setEvents] = React.useState<readonly WebhookEvent[]>([]);
  const [problem, setProblem] = React.useState<string | null>(null);
  const create = async (): Promise<void> => {
    if (events.length === 0) {
      setProblem('Choose what it is told of.');
      return;
    }
    setProblem(null);
    const chosen = EVENTS.map(([event]) => event).filter(event => events.includes(event));
    if (await onCreate({ name: name.trim(), url: url.trim(), events: chosen })) {
      setName('');
      setUrl('');
      setEvents([]);
    }
  };
  return (
    <form
      className="jp-PPO-form jp-PPO-webhookForm"
      aria-label="New webhook"
      onSubmit={event => {
        event.preventDefault();
        void create();
      }}
    >
      <h4>New webhook</h4>
      <div className="jp-PPO-formFields">
        <Field label="Who is told">
          {control => (
            <input
              {...control}
              name="webhook"
              type="text"
              required
              maxLength={100}
              autoComplete="off"
              value={name}
              onChange={event => setName(event.target.value)}
            />
          )}
        </Field>
        <Field
          label="Address"
          hint="https://…, on the public internet or where an admin allows it."
        >
          {control => (
            <input
              {...control}
              name="url"
              type="url"
              required
              maxLength={2000}
              autoComplete="off"
              spellCheck={false}
              value={url}
              onChange={event => setUrl(event.target.value)}
            />
          )}
        </Field>
        <fieldset className="jp-PPO-webhookEvents">
          <legend>Of what</legend>
          {EVENTS.map(([event, text]) => (
            <Check
              key={event}
              label={text}
              checked={events.includes(event)}
              onChange={isChosen =>
                setEvents(now =>
                  isChosen ? [...now, event] : now.filter(other => other !== event)
                )
              }
            />
          ))}
        </fieldset>
      </div>
      <div aria-live="polite">
        {problem !== null && (
          <p className="jp-PPO-formProblem" role="alert">
            {problem}
          </p>
        )}
      </div>
      <div className="jp-PPO-actions">
        <button type="submit" className="jp-PPO-button jp-mod-primary" disabled={busy}>
          Register
        </button>
      </div>
    </form>
  );
}
