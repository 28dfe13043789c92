import * as React from 'react';

import { pointsText } from '../format';
import { Outcome } from '../instructor/parts';
import { useActions } from '../instructor/resource';
import { Bar, Hint, Section } from './parts';
import type { IHomeLab, IProgress } from './types';
import {
  chapterName,
  EVIDENCE_WEEKS,
  isOpenNow,
  minutesText,
  REASON_WORDS,
  recentMinutes,
  TIME_ON_TASK,
  weeksText
} from './words';

interface ISummaryProps {
  progress: IProgress;
  /** Whether time on task is recorded. */
  isTimed: boolean;
  now: number;
}

/** The figures of the whole course. */
export function Summary(props: ISummaryProps): JSX.Element {
  const { progress, isTimed, now } = props;
  const { points, max_points: most, chapters, weeks, minutes } = progress;
  const done = chapters.filter(({ state }) => state === 'done').length;
  const isGraded = chapters.some(chapter => chapter.points !== null);
  return (
    <Section title="Where you stand" className="jp-PPO-homeSummary">
      <dl className="jp-PPO-homeFigures">
        <Figure
          term="Points"
          value={isGraded ? `${pointsText(points)} of ${pointsText(most)}` : 'None graded yet'}
        >
          <Bar share={most === 0 ? 0 : points / most} state="done" />
          <Hint>Of released grades only; each attempt that counts is in it once.</Hint>
        </Figure>
        <Figure term="Chapters done" value={`${done} of ${chapters.length}`}>
          <Bar share={chapters.length === 0 ? 0 : done / chapters.length} state="done" />
        </Figure>
        <Figure term="Weeks with evidence" value={weeksText(weeks)}>
          <Details summary="What counts?">{EVIDENCE_WEEKS}</Details>
        </Figure>
        <Figure
          term="Time on task"
          value={isTimed || minutes > 0 ? minutesText(minutes) : 'Not recorded'}
        >
          <p className="jp-PPO-homeSub">
            {isTimed
              ? `${minutesText(recentMinutes(progress.minutes_by_day, now))} in the last 7 days`
              : 'It is turned off in your preferences.'}
          </p>
          <Details summary="What is counted?">{TIME_ON_TASK}</Details>
        </Figure>
      </dl>
    </Section>
  );
}

interface IFigureProps {
  term: string;
  value: string;
  children?: React.ReactNode;
}

function Figure({ term, value, children }: IFigureProps): JSX.Element {
  return (
    <div className="jp-PPO-homeFigure">
      <dt>{term}</dt>
      <dd>
        <span className="jp-PPO-homeValue">{value}</span>
        {children}
      </dd>
    </div>
  );
}

function Details(props: { summary: string; children: string }): JSX.Element {
  return (
    <details className="jp-PPO-homeDefinition">
      <summary>{props.summary}</summary>
      <p>{props.children}</p>
    </details>
  );
}

interface INextProps {
  course: string;
  progress: IProgress;
  lab: IHomeLab;
  now: number;
}

/** The exercise that is recommended next, why, and the way to it. */
export function NextExercise({ course, progress, lab, now }: INextProps): JSX.Element {
  const actions = useActions();
  const { next, chapters } = progress;
  const chapter = chapters.find(({ assignment }) => assignment === next?.assignment);
  if (next === null || chapter === undefined) {
    const isAll = chapters.length > 0 && chapters.every(({ state }) => state === 'done');
    return (
      <Section title="Next" className="jp-PPO-homeNext">
        <p className="jp-PPO-empty">
          {isAll
            ? 'Every chapter is done. Any of them can be opened again from the map.'
            : 'Nothing waits for you now. Every chapter can be opened from the map.'}
        </p>
      </Section>
    );
  }
  const exercise = chapter.exercises.find(({ grade_id }) => grade_id === next.grade_id);
  const title = exercise?.title ?? chapter.title;
  return (
    <Section title="Next" className="jp-PPO-homeNext">
      <p className="jp-PPO-homeKind">{REASON_WORDS[next.kind]}</p>
      <p className="jp-PPO-homeNextTitle">{title}</p>
      {exercise !== undefined && <p className="jp-PPO-homeNextChapter">{chapterName(chapter)}</p>}
      <p className="jp-PPO-homeReason">{next.reason}</p>
      <div className="jp-PPO-homeActions">
        <button
          type="button"
          className="jp-PPO-button jp-mod-primary jp-PPO-homeOpenNext"
          aria-label={`Open ${title}`}
          disabled={actions.busy || !isOpenNow(chapter, now)}
          onClick={() =>
            void actions.run(() => lab.openChapter(course, chapter, exercise?.grade_id ?? null))
          }
        >
          Open
        </button>
      </div>
      <Outcome actions={actions} />
    </Section>
  );
}
