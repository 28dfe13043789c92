import * as React from 'react';

import { Field } from '../instructor/parts';

interface ISecretProps {
  /** What it is the secret of, and the secret. */
  made: { token: { name: string }; secret: string };
  onDone: () => void;
}

/** The secret of a new token: shown this once, to be copied. */
export function Secret({ made, onDone }: ISecretProps): JSX.Element {
  const [said, setSaid] = React.useState('');
  const field = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, [made]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(made.secret);
      setSaid('Copied.');
    } catch {
      // Not every page may write there: one that came by plain HTTP may not.
      field.current?.focus();
      field.current?.select();
      setSaid('Press Ctrl+C to copy it.');
    }
  };
  return (
    <section className="jp-PPO-secret" aria-label={`Secret of ${made.token.name}`}>
      <Field
        label={`Secret of “${made.token.name}”`}
        hint="It is shown only now. Keep it as you keep a password, never in a notebook."
      >
        {control => (
          <input
            {...control}
            ref={field}
            type="text"
            className="jp-PPO-secretText"
            readOnly
            spellCheck={false}
            autoComplete="off"
            value={made.secret}
          />
        )}
      </Field>
      <div className="jp-PPO-actions">
        <button
          type="button"
          className="jp-PPO-button jp-mod-primary jp-PPO-copySecret"
          onClick={() => void copy()}
        >
          Copy
        </button>
        <button type="button" className="jp-PPO-button jp-PPO-secretDone" onClick={onDone}>
          I have it
        </button>
        <span role="status">{said}</span>
      </div>
    </section>
  );
}
