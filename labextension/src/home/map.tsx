import * as React from 'react';

import { Outcome } from '../instructor/parts';
import { useActions } from '../instructor/resource';
import type { IActions } from '../instructor/resource';
import { counted } from '../instructor/words';
import { Bar, ModeContext, Section, StateIcon, StateLabel, When } from './parts';
import type { IChapterProgress, IExerciseProgress, IHomeLab, IProgress, WorkState } from './types';
import {
  chapterName,
  exactText,
  isOpenNow,
  minutesText,
  momentOf,
  pointsOf,
  STATE_MEANINGS,
  STATE_WORDS
} from './words';

interface IMapProps {
  course: string;
  progress: IProgress;
  lab: IHomeLab;
  now: number;
}

/** Every chapter in the order of the course; each opens to its exercises. */
export function CourseMap({ course, progress, lab, now }: IMapProps): JSX.Element {
  const mode = React.useContext(ModeContext);
  const actions = useActions();
  const first = progress.next?.assignment;
  // What was not touched follows the recommendation.
  const [touched, setTouched] = React.useState<ReadonlyMap<string, boolean>>(new Map());
  const isOpen = (name: string): boolean =>
    touched.get(name) ?? (mode === 'guided' && name === first);
  const names = progress.chapters.map(({ assignment }) => assignment);
  const areAllOpen = names.length > 0 && names.every(isOpen);
  return (
    <Section
      title="Map of the course"
      className="jp-PPO-homeMap"
      hint="One chapter after the other; open one to see its exercises. You may work in any order."
      aside={
        names.length > 1 && (
          <button
            type="button"
            className="jp-PPO-link"
            onClick={() => setTouched(new Map(names.map(name => [name, !areAllOpen])))}
          >
            {areAllOpen ? 'Close all' : 'Open all'}
          </button>
        )
      }
    >
      {mode === 'guided' && <Legend />}
      <Outcome actions={actions} />
      {progress.chapters.length === 0 && (
        <p className="jp-PPO-empty">No chapters are released yet.</p>
      )}
      <ol className="jp-PPO-homeChapters">
        {progress.chapters.map(chapter => (
          <Chapter
            key={chapter.assignment}
            chapter={chapter}
            isNext={chapter.assignment === first}
            nextExercise={chapter.assignment === first ? (progress.next?.grade_id ?? null) : null}
            isOpen={isOpen(chapter.assignment)}
            actions={actions}
            now={now}
            onToggle={() =>
              setTouched(old => new Map(old).set(chapter.assignment, !isOpen(chapter.assignment)))
            }
            onOpen={gradeId => void actions.run(() => lab.openChapter(course, chapter, gradeId))}
          />
        ))}
      </ol>
    </Section>
  );
}

/** What the icons mean. */
function Legend(): JSX.Element {
  const states = Object.keys(STATE_WORDS) as WorkState[];
  return (
    <details className="jp-PPO-homeDefinition">
      <summary>What the signs mean</summary>
      <ul className="jp-PPO-homeLegend">
        {states.map(state => (
          <li key={state}>
            <StateLabel state={state} />: {STATE_MEANINGS[state]}
          </li>
        ))}
      </ul>
    </details>
  );
}

interface IChapterProps {
  chapter: IChapterProgress;
  isNext: boolean;
  nextExercise: string | null;
  isOpen: boolean;
  actions: IActions;
  now: number;
  onToggle: () => void;
  onOpen: (gradeId: string | null) => void;
}

function Chapter(props: IChapterProps): JSX.Element {
  const { chapter, isNext, isOpen, now } = props;
  const id = React.useId();
  const moment = momentOf(chapter, now);
  const share = chapter.max_points === 0 ? 0 : (chapter.points ?? 0) / chapter.max_points;
  return (
    <li
      className={`jp-PPO-homeChapter${isNext ? ' jp-mod-next' : ''}`}
      data-chapter={chapter.assignment}
      data-state={chapter.state}
    >
      <span className="jp-PPO-homeStop">
        <StateIcon state={chapter.state} share={share} />
      </span>
      <div className="jp-PPO-homeChapterHead">
        <h4>
          <button
            type="button"
            className="jp-PPO-homeToggle"
            aria-expanded={isOpen}
            aria-controls={`${id}-exercises`}
            onClick={props.onToggle}
          >
            <span className="jp-PPO-homeArrow" aria-hidden="true" />
            <span>{chapterName(chapter)}</span>
          </button>
          {isNext && <span className="jp-PPO-homeBadge">Next</span>}
        </h4>
        <div className="jp-PPO-homeChapterFacts">
          <span className="jp-PPO-homeStateWord">{STATE_WORDS[chapter.state]}</span>
          <span className="jp-PPO-homePoints">{pointsOf(chapter)}</span>
          <Bar share={share} state={chapter.state} />
        </div>
        {moment !== null && <When at={moment.at} text={moment.text} exact={exactText(moment.at)} />}
      </div>
      <div id={`${id}-exercises`} hidden={!isOpen} className="jp-PPO-homeInside">
        {isOpen && <ChapterInside {...props} />}
      </div>
    </li>
  );
}

function ChapterInside(props: IChapterProps): JSX.Element {
  const { chapter, actions, now, nextExercise, onOpen } = props;
  const isOpenable = isOpenNow(chapter, now);
  return (
    <>
      <ul className="jp-PPO-homeExercises" aria-label={`Exercises of ${chapter.title}`}>
        {chapter.exercises.map(exercise => (
          <Exercise
            key={exercise.grade_id}
            exercise={exercise}
            isNext={exercise.grade_id === nextExercise}
            disabled={actions.busy || !isOpenable}
            onOpen={() => onOpen(exercise.grade_id)}
          />
        ))}
      </ul>
      <p className="jp-PPO-homeChapterNote">{noteOf(chapter)}</p>
      <button
        type="button"
        className="jp-PPO-button"
        aria-label={`Open chapter ${chapter.title}`}
        disabled={actions.busy || !isOpenable}
        onClick={() => onOpen(null)}
      >
        Open chapter
      </button>
    </>
  );
}

/** Time on task, what is expected of it, attempts and the due date that is past. */
function noteOf(chapter: IChapterProgress): string {
  const parts = [
    chapter.expected_minutes > 0
      ? `${minutesText(chapter.minutes)} on task of about ${minutesText(chapter.expected_minutes)}`
      : `${minutesText(chapter.minutes)} on task`,
    chapter.attempts === 0 ? 'not handed in yet' : counted(chapter.attempts, 'attempt', 'attempts')
  ];
  if (chapter.submitted_at !== null) {
    parts.push(`last handed in ${exactText(chapter.submitted_at)}`);
  }
  return `${parts.join(' · ')}.`;
}

interface IExerciseProps {
  exercise: IExerciseProgress;
  isNext: boolean;
  disabled: boolean;
  onOpen: () => void;
}

function Exercise({ exercise, isNext, disabled, onOpen }: IExerciseProps): JSX.Element {
  const { checks, checks_passed: passed, points } = exercise;
  const share = exercise.max_points === 0 ? 0 : (points ?? 0) / exercise.max_points;
  return (
    <li className="jp-PPO-homeExercise" data-state={exercise.state}>
      <StateIcon state={exercise.state} share={share} />
      <span className="jp-PPO-homeExerciseName">
        <button
          type="button"
          className="jp-PPO-link"
          aria-label={`Open exercise ${exercise.title}`}
          disabled={disabled}
          onClick={onOpen}
        >
          {exercise.title}
        </button>
        {isNext && <span className="jp-PPO-homeBadge">Next</span>}
      </span>
      <span className="jp-PPO-homeExerciseFacts">
        <span>{STATE_WORDS[exercise.state]}</span>
        <span className="jp-PPO-homeChecks">
          {points === null
            ? counted(checks, 'check', 'checks')
            : `${passed} of ${counted(checks, 'check', 'checks')}`}
        </span>
        <span className="jp-PPO-homePoints">{pointsOf(exercise)}</span>
      </span>
    </li>
  );
}
