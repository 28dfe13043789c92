import * as React from 'react';

import { AuthorModel } from '../author/model';
import { AuthorPanel } from '../author/panel';
import type { IAuthorClient } from '../author/types';
import { NotebookFile } from './notebookFile';

interface IReleaseProps {
  client: IAuthorClient;
  /** Called when a version was released. */
  onReleased: () => void;
}

/** Checks, previews and releases a source notebook from the person's computer. */
export function ReleasePart({ client, onReleased }: IReleaseProps): JSX.Element {
  const [file] = React.useState(() => new NotebookFile());
  const [model] = React.useState(() => new AuthorModel(client, file));
  const chooser = React.useRef<HTMLInputElement>(null);
  const [problem, setProblem] = React.useState<string | null>(null);
  const { path, release } = React.useSyncExternalStore(model.subscribe, model.snapshot);
  React.useEffect(() => {
    void model.load();
    return () => model.dispose();
  }, [model]);
  React.useEffect(() => {
    if (release !== null) {
      onReleased();
    }
  }, [release, onReleased]);

  const choose = async (chosen: File): Promise<void> => {
    try {
      file.choose(chosen.name, await chosen.text());
      setProblem(null);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <section className="jp-PPO-author jp-PPO-releasePart" aria-label="Release a notebook">
      <div>
        <button type="button" className="jp-PPO-button" onClick={() => chooser.current?.click()}>
          {path === null ? 'Choose a source notebook…' : 'Choose again…'}
        </button>
        <input
          ref={chooser}
          type="file"
          hidden
          aria-label="Source notebook"
          accept=".ipynb"
          onChange={event => {
            const chosen = event.target.files?.[0];
            // Chosen again after it was mended, it is read again.
            event.target.value = '';
            if (chosen) {
              void choose(chosen);
            }
          }}
        />
      </div>
      <div role="alert">
        {problem !== null && <p className="jp-PPO-notice jp-mod-problem">{problem}</p>}
      </div>
      {path === null ? (
        <p className="jp-PPO-empty">
          It is the notebook with the solutions and the hidden tests. Students never get it: a
          release makes their copy.
        </p>
      ) : (
        <AuthorPanel model={model} />
      )}
    </section>
  );
}
