import * as React from 'react';

import { CourseSwitcher } from '../components';
import { useNow } from '../course/dueDate';
import { Problem } from '../instructor/parts';
import type { Mode } from '../preferences/types';
import { Achievements } from './achievements';
import { CourseMap } from './map';
import type { HomeModel, IHomeState } from './model';
import { MyData } from './myData';
import { Hint, ModeContext } from './parts';
import { Shown } from './shown';
import { DueDates, LatestFeedback, LatestRuns, LeaderboardPlace } from './side';
import { NextExercise, Summary } from './summary';
import type { IHomeClient, IHomeLab } from './types';
import { summaryText } from './words';

interface IAreaProps {
  model: HomeModel;
  client: IHomeClient;
  lab: IHomeLab;
  mode: Mode;
  /** Whether time on task is recorded, which the person may turn off. */
  isTimed?: boolean;
}

/** The whole page "My course". */
export function HomeArea(props: IAreaProps): JSX.Element {
  const { model, client, lab, mode, isTimed = true } = props;
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const { me, course, progress, problem, phase } = state;
  return (
    <ModeContext.Provider value={mode}>
      <div className={`jp-PPO-homePage jp-mod-${mode}`} aria-busy={phase === 'loading'}>
        <header className="jp-PPO-homeHeader">
          <h2 className="jp-PPO-title">My course</h2>
          {me && course !== null && (
            <CourseSwitcher
              courses={me.courses}
              selected={course}
              onSelect={name => void model.selectCourse(name)}
            />
          )}
          <div className="jp-PPO-headerActions">
            {lab.openPreferences && (
              <button type="button" className="jp-PPO-button" onClick={lab.openPreferences}>
                Preferences
              </button>
            )}
            <button
              type="button"
              className="jp-PPO-button jp-PPO-refresh"
              onClick={() => void model.refresh()}
            >
              Refresh
            </button>
          </div>
        </header>
        {/* Always there, so that screen readers notice what is put into it. */}
        <p className="jp-PPO-hidden" role="status">
          {progress !== null && `Your progress is here: ${summaryText(progress)}`}
        </p>
        {problem !== null && <Problem text={problem} onRetry={() => void model.refresh()} />}
        {progress === null && phase === 'loading' && <Waiting />}
        {phase === 'ready' && course === null && (
          <p className="jp-PPO-empty">
            You are not in a course yet. Ask your instructor to add you.
          </p>
        )}
        {progress !== null && <Parts key={course} {...{ state, client, lab, isTimed }} />}
      </div>
    </ModeContext.Provider>
  );
}

/** What is shown until something is known: no figure, which might be taken for one's own. */
function Waiting(): JSX.Element {
  return (
    <div className="jp-PPO-homeWaiting">
      <p className="jp-PPO-empty" role="status">
        Loading your progress…
      </p>
      <div aria-hidden="true" className="jp-PPO-homeGhosts">
        <span />
        <span />
        <span />
      </div>
    </div>
  );
}

interface IPartsProps {
  isTimed: boolean;
  state: IHomeState;
  client: IHomeClient;
  lab: IHomeLab;
}

function Parts({ isTimed, state, client, lab }: IPartsProps): JSX.Element | null {
  const { me, course, progress, round } = state;
  const now = useNow(true);
  if (me === null || course === null || progress === null) {
    return null;
  }
  const side = { course, user: me.user, client, lab, now, round };
  return (
    <>
      <Hint>
        This is where you stand, from what you handed in and from grades that are released. Only you
        and the people who teach the course see it.
      </Hint>
      <div className="jp-PPO-homeTop">
        <NextExercise course={course} progress={progress} lab={lab} now={now} />
        <Summary progress={progress} isTimed={isTimed} now={now} />
      </div>
      <div className="jp-PPO-homeColumns">
        <div className="jp-PPO-homeMain">
          <CourseMap course={course} progress={progress} lab={lab} now={now} />
          <Shown progress={progress} />
        </div>
        <div className="jp-PPO-homeSide">
          <DueDates progress={progress} now={now} />
          <LatestFeedback {...side} progress={progress} />
          <Achievements {...side} />
          <LatestRuns {...side} />
          <LeaderboardPlace {...side} />
          <MyData client={client} lab={lab} />
        </div>
      </div>
    </>
  );
}
