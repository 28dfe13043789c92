import * as React from 'react';

import { isShown, scoreText } from '../format';
import { Empty, Loaded, Outcome } from '../instructor/parts';
import { useActions, useLoaded } from '../instructor/resource';
import { STATE_WORDS } from '../live/runTable';
import type { ISubmission } from '../types';
import { relativeText } from '../course/words';
import { Section, When } from './parts';
import type { IHomeClient, IHomeLab, IProgress } from './types';
import { chapterName, dueNext, exactText, placeText, runText } from './words';

const MOST_DUE = 4;
const MOST_RUNS = 5;
const MOST_FEEDBACK = 3;

/** What every part beside the map is given. */
export interface ISideProps {
  course: string;
  user: string;
  client: IHomeClient;
  lab: IHomeLab;
  now: number;
  /** Grows when everything is to be fetched anew. */
  round: number;
}

/** What is due from now on. */
export function DueDates(props: { progress: IProgress; now: number }): JSX.Element {
  const { progress, now } = props;
  const due = dueNext(progress.chapters, now);
  return (
    <Section
      title="Due dates"
      hint="Yours, with any extension that you were given, in your time zone."
    >
      {due.length === 0 && <Empty>Nothing that you have not handed in has a due date ahead.</Empty>}
      <ul className="jp-PPO-homeList">
        {due.slice(0, MOST_DUE).map(chapter => (
          <li key={chapter.assignment}>
            <span className="jp-PPO-homeItem">{chapterName(chapter)}</span>
            <When
              at={chapter.due_at ?? ''}
              text={`Due ${relativeText(chapter.due_at ?? '', now)}`}
              exact={exactText(chapter.due_at ?? '')}
            />
          </li>
        ))}
      </ul>
      {due.length > MOST_DUE && (
        <p className="jp-PPO-homeMore">and {due.length - MOST_DUE} more on the map</p>
      )}
    </Section>
  );
}

/** The newest training runs. */
export function LatestRuns({ user, client, lab, now, round }: ISideProps): JSX.Element {
  const [loaded, reload] = useLoaded(
    React.useCallback(() => {
      void round;
      return client.latestRuns(user, MOST_RUNS);
    }, [client, user, round])
  );
  return (
    <Section
      title="My training runs"
      aside={
        <button type="button" className="jp-PPO-link" onClick={() => lab.openRuns()}>
          All training runs
        </button>
      }
    >
      <Loaded loaded={loaded} onRetry={reload}>
        {runs =>
          runs.length === 0 ? (
            <Empty>No runs on this server yet.</Empty>
          ) : (
            <ul className="jp-PPO-homeList">
              {runs.map(run => (
                <li key={run.id}>
                  <span className="jp-PPO-homeItem">
                    <button
                      type="button"
                      className="jp-PPO-link"
                      onClick={() => lab.openRuns(run.id)}
                    >
                      {run.name === '' ? run.env_id : run.name}
                    </button>{' '}
                    <span className="jp-PPO-homeCount">{STATE_WORDS[run.state]}</span>
                  </span>
                  <span className="jp-PPO-homeSub">
                    {run.name === '' ? '' : `${run.env_id}, `}
                    {runText(run)}, {relativeText(run.created_at, now)}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}

/** The feedback that was released last. */
export function LatestFeedback(props: ISideProps & { progress: IProgress }): JSX.Element {
  const { course, user, client, lab, now, round, progress } = props;
  const actions = useActions();
  const [loaded, reload] = useLoaded(
    React.useCallback(() => {
      void round;
      return client.submissions(course, user).then(latestReleased);
    }, [client, course, user, round])
  );
  const titleOf = (name: string): string =>
    progress.chapters.find(({ assignment }) => assignment === name)?.title ?? name;
  return (
    <Section title="My feedback">
      <Outcome actions={actions} />
      <Loaded loaded={loaded} onRetry={reload}>
        {attempts =>
          attempts.length === 0 ? (
            <Empty>No feedback is released yet.</Empty>
          ) : (
            <ul className="jp-PPO-homeList">
              {attempts.map(attempt => (
                <li key={attempt.id}>
                  <span className="jp-PPO-homeItem">
                    <button
                      type="button"
                      className="jp-PPO-link jp-PPO-homeFeedback"
                      aria-label={`Feedback on ${titleOf(attempt.assignment)}, attempt ${attempt.attempt}`}
                      disabled={actions.busy}
                      onClick={() =>
                        void actions.run(async () => {
                          await lab.openFeedback(attempt);
                          return null;
                        })
                      }
                    >
                      {titleOf(attempt.assignment)}
                    </button>{' '}
                    <span className="jp-PPO-homePoints">{scoreText(attempt)}</span>
                  </span>
                  <span className="jp-PPO-homeSub">
                    Attempt {attempt.attempt}
                    {attempt.released_at === null
                      ? ''
                      : `, released ${relativeText(attempt.released_at, now)}`}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}

/** Released attempts, the one that was released last first. */
function latestReleased(attempts: readonly ISubmission[]): ISubmission[] {
  const timeOf = (attempt: ISubmission): string => attempt.released_at ?? attempt.submitted_at;
  return attempts
    .filter(isShown)
    .sort((one, other) => timeOf(other).localeCompare(timeOf(one)))
    .slice(0, MOST_FEEDBACK);
}

/** The person's own places, if they joined. */
export function LeaderboardPlace({ course, client, lab, round }: ISideProps): JSX.Element {
  const [loaded, reload] = useLoaded(
    React.useCallback(() => {
      void round;
      return client.leaderboard(course);
    }, [client, course, round])
  );
  return (
    <Section
      title="Leaderboard"
      aside={
        <button type="button" className="jp-PPO-link" onClick={() => lab.openPanel()}>
          Show it
        </button>
      }
    >
      <Loaded loaded={loaded} onRetry={reload}>
        {({ items, pseudonym }) => {
          const own = items.filter(item => item.own);
          if (pseudonym === null) {
            return <Empty>You are not on it. It is for those who join, under a pseudonym.</Empty>;
          }
          return own.length === 0 ? (
            <Empty>You joined as {pseudonym}. No policy of yours was examined yet.</Empty>
          ) : (
            <ul className="jp-PPO-homeList">
              {own.map(entry => {
                const { assignment, env_id } = entry;
                const of = items.filter(
                  item => item.assignment === assignment && item.env_id === env_id
                ).length;
                return (
                  <li key={`${assignment} ${env_id}`}>
                    <span className="jp-PPO-homeItem">{env_id}</span>
                    <span className="jp-PPO-homeSub">
                      {placeText(entry, of)}, as {pseudonym}
                    </span>
                  </li>
                );
              })}
            </ul>
          );
        }}
      </Loaded>
    </Section>
  );
}
