import * as React from 'react';

import { Loaded, Outcome } from '../instructor/parts';
import { useActions, useLoaded } from '../instructor/resource';
import { Section } from './parts';
import type { IHomeClient, IHomeLab } from './types';

/** What is stored about the person: a copy of it, how long it stays, and who erases it. */
export function MyData(props: { client: IHomeClient; lab: IHomeLab }): JSX.Element {
  const { client, lab } = props;
  const actions = useActions();
  const [isOpen, setOpen] = React.useState(false);
  return (
    <Section title="My data" className="jp-PPO-homeData">
      <p>
        All that is stored about you is on this server. Nothing is sent anywhere else, unless a
        language model is set up: it gets what you ask about, without your name, and the file
        <code>model_calls.jsonl</code> of your data says what. To have it erased, ask whoever runs
        this server.
      </p>
      <div className="jp-PPO-homeActions">
        <button
          type="button"
          className="jp-PPO-button jp-PPO-homeExport"
          disabled={actions.busy}
          onClick={() =>
            void actions.run(async () => {
              const file = await client.myData();
              lab.save(file);
              return `${file.name} is downloaded.`;
            })
          }
        >
          Download my data
        </button>
      </div>
      <Outcome actions={actions} />
      <details
        className="jp-PPO-homeDefinition"
        onToggle={event => setOpen(event.currentTarget.open)}
      >
        <summary>What is kept, and for how long</summary>
        {isOpen && <Kept client={client} />}
      </details>
    </Section>
  );
}

function Kept({ client }: { client: IHomeClient }): JSX.Element {
  const [loaded, reload] = useLoaded(React.useCallback(() => client.privacy(), [client]));
  return (
    <Loaded loaded={loaded} onRetry={reload}>
      {({ kept }) => (
        <dl className="jp-PPO-homeKept">
          {kept.map(({ what, how_long, why, who }) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>How long: {how_long}</dd>
              <dd>Why: {why}</dd>
              <dd>Who sees it: {who}</dd>
            </div>
          ))}
        </dl>
      )}
    </Loaded>
  );
}
