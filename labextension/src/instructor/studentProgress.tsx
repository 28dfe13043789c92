import * as React from 'react';

import { timeText } from '../format';
import { StateLabel } from '../home/parts';
import type {
  IAchievement,
  IChapterProgress,
  IConceptProgress,
  IExerciseProgress,
  IProgress
} from '../home/types';
import {
  chapterName,
  dayText,
  inOrder,
  isHeld,
  minutesText,
  pointsOf,
  weeksText
} from '../home/words';
import { Empty, Loaded } from './parts';
import type { IProgressClient } from './progressTypes';
import { useLoaded } from './resource';
import { counted, timeOr } from './words';

interface IStudentProps {
  client: IProgressClient;
  course: string;
  user: string;
  /** Grows when everything was computed anew: it is fetched again. */
  round: number;
  onClose: () => void;
}

/** One student's progress, as they see it themselves. */
export function StudentProgress(props: IStudentProps): JSX.Element {
  const { client, course, user, round, onClose } = props;
  const [progress, reload] = useLoaded(
    React.useCallback(() => {
      void round;
      return client.student(course, user);
    }, [client, course, user, round])
  );
  const [achievements, reloadAchievements] = useLoaded(
    React.useCallback(() => {
      void round;
      return client.achievements(course, user);
    }, [client, course, user, round])
  );
  const heading = React.useRef<HTMLHeadingElement>(null);
  React.useEffect(() => {
    const from = document.activeElement;
    heading.current?.focus();
    return () => {
      if (from instanceof HTMLElement && from.isConnected) {
        from.focus();
      }
    };
  }, []);
  return (
    <aside
      className="jp-PPO-cellDetails jp-PPO-studentProgress"
      aria-label={`Progress of ${user}`}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onClose();
        }
      }}
    >
      <div className="jp-PPO-header">
        <h3 ref={heading} tabIndex={-1}>
          {user}
        </h3>
        <button type="button" className="jp-PPO-button" onClick={onClose}>
          Close
        </button>
      </div>
      <Loaded loaded={progress} onRetry={reload}>
        {found => (
          <>
            <Facts progress={found} />
            <h4>Chapters</h4>
            {found.chapters.length === 0 && <Empty>Nothing is released yet.</Empty>}
            <ul className="jp-PPO-progressChapters">
              {found.chapters.map(chapter => (
                <Chapter key={chapter.assignment} chapter={chapter} />
              ))}
            </ul>
            <Shown title="Details of PPO shown" items={found.concepts} />
            <Shown title="Goals shown" items={found.goals} />
          </>
        )}
      </Loaded>
      <Loaded loaded={achievements} onRetry={reloadAchievements}>
        {({ items }) => <Achievements items={items} />}
      </Loaded>
    </aside>
  );
}

function Facts({ progress }: { progress: IProgress }): JSX.Element {
  const { chapters, next } = progress;
  const done = chapters.filter(({ state }) => state === 'done').length;
  return (
    <dl className="jp-PPO-facts">
      <dt>Points</dt>
      <dd>{pointsOf(progress)}</dd>
      <dt>Chapters done</dt>
      <dd>
        {done} of {chapters.length}
      </dd>
      <dt>Time on task</dt>
      <dd>{minutesText(progress.minutes)}</dd>
      <dt>Weeks with evidence</dt>
      <dd>{weeksText(progress.weeks)}</dd>
      <dt>Last event</dt>
      <dd>{timeOr(progress.last_event_at, 'none yet')}</dd>
      <dt>Recommended next</dt>
      <dd>{next === null ? 'nothing' : `${next.assignment}: ${next.reason}`}</dd>
    </dl>
  );
}

function Chapter({ chapter }: { chapter: IChapterProgress }): JSX.Element {
  const share = chapter.max_points === 0 ? 0 : (chapter.points ?? 0) / chapter.max_points;
  return (
    <li data-chapter={chapter.assignment}>
      <details>
        <summary>
          <span className="jp-PPO-progressName">{chapterName(chapter)}</span>
          <StateLabel state={chapter.state} share={share} />
          <span className="jp-PPO-progressPoints">{pointsOf(chapter)}</span>
        </summary>
        <p className="jp-PPO-remark">{chapterRemark(chapter)}</p>
        <ul className="jp-PPO-progressExercises">
          {chapter.exercises.map(exercise => (
            <Exercise key={exercise.grade_id} exercise={exercise} />
          ))}
        </ul>
      </details>
    </li>
  );
}

function chapterRemark(chapter: IChapterProgress): string {
  const parts = [
    `${minutesText(chapter.minutes)} on task`,
    counted(chapter.attempts, 'attempt', 'attempts'),
    chapter.due_at === null ? 'no due date' : `due ${timeText(chapter.due_at)}`
  ];
  if (chapter.submitted_at !== null) {
    parts.push(`handed in ${timeText(chapter.submitted_at)}`);
  }
  return `${parts.join(' · ')}.`;
}

function Exercise({ exercise }: { exercise: IExerciseProgress }): JSX.Element {
  const share = exercise.max_points === 0 ? 0 : (exercise.points ?? 0) / exercise.max_points;
  return (
    <li data-exercise={exercise.grade_id}>
      <span className="jp-PPO-progressName">{exercise.title}</span>
      <StateLabel state={exercise.state} share={share} />
      <span className="jp-PPO-progressPoints">{pointsOf(exercise)}</span>
    </li>
  );
}

function Shown(props: { title: string; items: readonly IConceptProgress[] }): JSX.Element | null {
  const { title, items } = props;
  if (items.length === 0) {
    return null;
  }
  const all = items.filter(item => item.exercises > 0 && item.shown === item.exercises).length;
  return (
    <details className="jp-PPO-progressShown">
      <summary>
        {title}: {all} of {items.length}
      </summary>
      <ul>
        {items.map(item => (
          <li key={item.key}>
            {item.title}: {item.shown} of {counted(item.exercises, 'exercise', 'exercises')}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Achievements({ items }: { items: readonly IAchievement[] }): JSX.Element {
  const held = items.filter(isHeld).length;
  return (
    <details className="jp-PPO-progressAchievements">
      <summary>
        Achievements: {held} of {items.length}
      </summary>
      <ul>
        {inOrder(items).map(item => (
          <li key={item.id} data-achievement={item.id}>
            {item.title}: {achievementText(item)}
          </li>
        ))}
      </ul>
    </details>
  );
}

function achievementText(item: IAchievement): string {
  if (item.revoked_at !== null) {
    return `taken back on ${dayText(item.revoked_at)}`;
  }
  return item.awarded_at === null
    ? `${item.progress.met} of ${item.progress.of} met`
    : `achieved on ${dayText(item.awarded_at)}, by version ${item.version} of the rule`;
}
