import * as React from 'react';

import { ModeContext, Section } from './parts';
import type { IConceptProgress, IProgress } from './types';

/** Details of PPO and goals of chapters, each with the exercises that show it. */
export function Shown({ progress }: { progress: IProgress }): JSX.Element | null {
  const { concepts, goals } = progress;
  const mode = React.useContext(ModeContext);
  if (concepts.length === 0 && goals.length === 0) {
    return null;
  }
  return (
    <Section
      title="What you have shown"
      className="jp-PPO-homeShown"
      hint="Something is shown once every exercise that practises it has all its points."
    >
      <Group title="Details of PPO" items={concepts} isOpen={mode !== 'expert'} />
      <Group title="Goals of the chapters" items={goals} isOpen={false} />
    </Section>
  );
}

interface IGroupProps {
  title: string;
  items: readonly IConceptProgress[];
  isOpen: boolean;
}

function Group({ title, items, isOpen }: IGroupProps): JSX.Element | null {
  if (items.length === 0) {
    return null;
  }
  const shown = items.filter(isShown).length;
  return (
    <details className="jp-PPO-homeGroup" open={isOpen}>
      <summary>
        {title}{' '}
        <span className="jp-PPO-homeCount">
          {shown} of {items.length} shown
        </span>
      </summary>
      <ul className="jp-PPO-homeConcepts">
        {items.map(item => (
          <li key={item.key} className={isShown(item) ? 'jp-mod-shown' : undefined}>
            <span className="jp-PPO-homeMark" aria-hidden="true">
              {isShown(item) ? '✓' : '○'}
            </span>
            <span>{item.title}</span>
            <span className="jp-PPO-homeCount">
              {isShown(item) ? 'shown' : `${item.shown} of ${item.exercises}`}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function isShown({ shown, exercises }: IConceptProgress): boolean {
  return exercises > 0 && shown === exercises;
}
