import * as React from 'react';

import { pointsText } from '../format';
import { useGradingClient } from './grading';
import type { IGradingProps, IGradingTabProps } from './grading';
import type { IMarkingTotal } from './gradingTypes';
import { MarkingDesk } from './markingDesk';
import { Empty, Loaded } from './parts';
import { useLoaded } from './resource';

/** What waits for a person, and the desk where it is marked. */
export function MarkingTab(props: IGradingTabProps): JSX.Element {
  const client = useGradingClient(props.settings);
  return <Marking client={client} course={props.course} onOpenFeedback={props.onOpenFeedback} />;
}

export function Marking({ client, course, onOpenFeedback }: IGradingProps): JSX.Element {
  const ask = React.useCallback(() => client.markingTotals(course), [client, course]);
  const [totals, reload] = useLoaded(ask);
  const [chosen, setChosen] = React.useState<string | null>(null);
  const [clicks, setClicks] = React.useState(0);
  const refresh = React.useCallback(() => void reload(), [reload]);
  return (
    <Loaded loaded={totals} onRetry={reload}>
      {items => {
        if (items.length === 0) {
          return (
            <Empty>
              Nothing waits for a person. Written answers and tasks are listed here once they are
              handed in and graded.
            </Empty>
          );
        }
        const shown =
          items.find(item => keyOf(item) === chosen) ??
          items.find(item => item.waiting > 0) ??
          items[0];
        return (
          <div className="jp-PPO-marking">
            <nav className="jp-PPO-markingList" aria-label="Exercises that people mark">
              <ul>
                {items.map(item => (
                  <li key={keyOf(item)}>
                    <button
                      type="button"
                      aria-current={item === shown}
                      data-exercise={item.grade_id}
                      onClick={() => {
                        setChosen(keyOf(item));
                        setClicks(clicks + 1);
                      }}
                    >
                      <TotalText item={item} />
                    </button>
                  </li>
                ))}
              </ul>
            </nav>
            {shown && (
              <MarkingDesk
                key={keyOf(shown)}
                client={client}
                course={course}
                exercise={shown}
                clicks={clicks}
                onSaved={() => {
                  // It stays where it is when the last answer of it is marked.
                  setChosen(keyOf(shown));
                  refresh();
                }}
                onOpenFeedback={onOpenFeedback}
              />
            )}
          </div>
        );
      }}
    </Loaded>
  );
}

function TotalText({ item }: { item: IMarkingTotal }): JSX.Element {
  return (
    <>
      <strong>{item.grade_id}</strong>
      <span>{item.assignment}</span>
      <span className="jp-PPO-remark">
        {item.waiting} waiting, {item.marked} of {item.total} marked, {pointsText(item.max_points)}{' '}
        points
      </span>
    </>
  );
}

function keyOf(item: IMarkingTotal): string {
  return `${item.assignment}/${item.grade_id}`;
}
