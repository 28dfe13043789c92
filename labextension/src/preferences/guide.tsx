import * as React from 'react';

interface IGuideProps {
  /** Begin the tour; without it the way there is not shown. */
  onTour?: () => void;
}

/** How the panel is used; for who wants things explained. */
export function Guide({ onTour }: IGuideProps): JSX.Element {
  return (
    <section className="jp-PPO-guide" aria-label="How it works">
      <ol>
        <li>Get the notebook of a chapter, and answer where a cell says so.</li>
        <li>Validate as often as you like: it only tries the tests that you can read.</li>
        <li>Submit. Points and feedback come on the same card.</li>
      </ol>
      {onTour && (
        <button type="button" className="jp-PPO-button jp-PPO-startTour" onClick={onTour}>
          Take the tour (3 minutes)
        </button>
      )}
    </section>
  );
}
