import * as React from 'react';

import { Empty, Loaded, Outcome } from '../instructor/parts';
import { useActions, useLoaded } from '../instructor/resource';
import type { IActions } from '../instructor/resource';
import { Bar, Section } from './parts';
import type { ISideProps } from './side';
import type { IAchievement } from './types';
import { dayText, inOrder, isHeld, needsText } from './words';

/** How many are shown at first: of those that are held, and of the others. */
const MOST_HELD = 4;
const MOST_OPEN = 3;

/** What was achieved, with a record to take along, and what the others need. */
export function Achievements({ course, client, lab, round }: ISideProps): JSX.Element {
  const actions = useActions();
  const [isAll, setAll] = React.useState(false);
  const [loaded, reload] = useLoaded(
    React.useCallback(() => {
      void round;
      return client.achievements(course);
    }, [client, course, round])
  );
  const download = (award: string): void =>
    void actions.run(async () => {
      const file = await client.credential(award);
      lab.save(file);
      return `${file.name} is downloaded.`;
    });
  const items = loaded.value?.items ?? null;
  return (
    <Section
      title="Achievements"
      className="jp-PPO-homeAchievements"
      hint={
        'Each rests on released grades. A badge is a signed file: anyone can check it without ' +
        'this server, with "jupyter ppo achievements verify".'
      }
      aside={
        items !== null &&
        items.length > 0 && (
          <span className="jp-PPO-homeCount">
            {items.filter(isHeld).length} of {items.length}
          </span>
        )
      }
    >
      <Outcome actions={actions} />
      <Loaded loaded={loaded} onRetry={reload}>
        {value => {
          const sorted = inOrder(value.items);
          const first = [
            ...sorted.filter(isHeld).slice(0, MOST_HELD),
            ...sorted.filter(item => !isHeld(item)).slice(0, MOST_OPEN)
          ];
          const more = sorted.length - first.length;
          return (
            <>
              {sorted.length === 0 && <Empty>This course has no achievements.</Empty>}
              <ul className="jp-PPO-homeList">
                {(isAll ? sorted : first).map(item => (
                  <Achievement key={item.id} item={item} actions={actions} onDownload={download} />
                ))}
              </ul>
              {more > 0 && (
                <button
                  type="button"
                  className="jp-PPO-link"
                  aria-expanded={isAll}
                  onClick={() => setAll(!isAll)}
                >
                  {isAll ? 'Show fewer' : `Show ${more} more`}
                </button>
              )}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}

interface IAchievementProps {
  item: IAchievement;
  actions: IActions;
  onDownload: (award: string) => void;
}

function Achievement({ item, actions, onDownload }: IAchievementProps): JSX.Element {
  const held = isHeld(item);
  const { met, of } = item.progress;
  const award = held ? item.award_id : null;
  return (
    <li
      className={`jp-PPO-homeAchievement${held ? ' jp-mod-held' : ''}`}
      data-achievement={item.id}
    >
      <Medal held={held} />
      <div>
        <h4>{item.title}</h4>
        <p className="jp-PPO-homeSub">{item.description}</p>
        {held && item.awarded_at !== null ? (
          <p className="jp-PPO-homeSub">
            Achieved on <time dateTime={item.awarded_at}>{dayText(item.awarded_at)}</time>
          </p>
        ) : (
          <p className="jp-PPO-homeNeeds">
            <Bar share={of === 0 ? 0 : met / of} />
            <span>{needsText(item.progress)}</span>
          </p>
        )}
        {item.revoked_at !== null && (
          <p className="jp-PPO-homeSub">
            Taken back on {dayText(item.revoked_at)}
            {item.revoked_because === '' ? '' : `: ${item.revoked_because}`}
          </p>
        )}
        {award !== null && (
          <button
            type="button"
            className="jp-PPO-button jp-PPO-homeDownload"
            aria-label={`Download badge ${item.title}`}
            disabled={actions.busy}
            onClick={() => onDownload(award)}
          >
            Download badge
          </button>
        )}
      </div>
    </li>
  );
}

/** A medal: with a tick for one that is held, empty for one that is not. */
function Medal({ held }: { held: boolean }): JSX.Element {
  return (
    <svg
      className="jp-PPO-homeMedal"
      viewBox="0 0 24 24"
      width="28"
      height="28"
      aria-hidden="true"
      focusable="false"
    >
      <path className="jp-PPO-medalRibbon" d="M8 14.5 6.5 22l5.5-3 5.5 3-1.5-7.5" />
      <circle
        className="jp-PPO-medalDisc"
        cx="12"
        cy="9"
        r="7"
        strokeDasharray={held ? undefined : '3 2.5'}
      />
      {held && <path className="jp-PPO-medalTick" d="m8.8 9.2 2.3 2.3 4.2-4.6" />}
    </svg>
  );
}
