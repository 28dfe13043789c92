import type { ServerConnection } from '@jupyterlab/services';
import * as React from 'react';

import type { IAuthorClient } from '../author/types';
import { InstructorArea } from '../instructor/area';
import type { InstructorModel } from '../instructor/model';
import type { IInstructorClient } from '../instructor/types';
import { mayAuthor, roleText } from '../instructor/words';
import { TokensSection } from '../tokens/section';
import type { ITokensClient } from '../tokens/types';
import type { IMe } from '../types';
import type { IStaffConfig } from './config';
import { placeHash } from './place';
import type { Part } from './place';
import { ReleasePart } from './release';
import type { Session } from './session';

interface IPageProps {
  config: IStaffConfig;
  client: IInstructorClient;
  author: IAuthorClient;
  tokens: ITokensClient;
  model: InstructorModel;
  session: Session;
  settings: ServerConnection.ISettings;
  /** What it begins with. */
  part: Part;
  /** Show the feedback page of a submission. */
  onOpenFeedback: (submissionId: string) => void;
  /** Keep what the address of the page is to name. */
  onPlace: (hash: string) => void;
}

/** The page of the service: the panels of those who run courses, and one's API tokens. */
export function StaffPage(props: IPageProps): JSX.Element {
  const { config, client, author, tokens, model, session, settings, onOpenFeedback, onPlace } =
    props;
  const state = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const [part, setPart] = React.useState(props.part);
  const hash = placeHash(model.place, part);
  React.useEffect(() => void onPlace(hash), [hash, onPlace]);
  const isStudent = state.me !== null && state.courses.length === 0;
  const isAuthor = state.courses.some(({ role }) => mayAuthor(role));
  const refresh = React.useCallback(() => void model.refresh(), [model]);
  return (
    <>
      <header className="jp-PPO-staffHeader">
        <h1>jupyter_ppo</h1>
        <nav aria-label="Parts of this page">
          <PartButton isShown={part === 'courses'} onShow={() => setPart('courses')}>
            {isStudent ? 'Your courses' : 'Run a course'}
          </PartButton>
          {isAuthor && (
            <PartButton isShown={part === 'release'} onShow={() => setPart('release')}>
              Release a notebook
            </PartButton>
          )}
          <PartButton isShown={part === 'tokens'} onShow={() => setPart('tokens')}>
            API tokens
          </PartButton>
        </nav>
        <p className="jp-PPO-staffWho">
          <span>
            Signed in as <strong>{config.user}</strong>
          </span>
          <a href={config.hubHome}>Home of the hub</a>
          <a href={config.signOut}>Sign out</a>
        </p>
      </header>
      <SessionBanner session={session} address={config.page} />
      <main className="jp-PPO-panel jp-PPO-instructor jp-PPO-staff">
        {/* Hidden, not taken away: what was typed there stays. */}
        <div hidden={part !== 'courses'}>
          {isStudent && state.me !== null ? (
            <MyCourses me={state.me} hubHome={config.hubHome} />
          ) : (
            <InstructorArea
              model={model}
              client={client}
              settings={settings}
              onOpenFeedback={onOpenFeedback}
            />
          )}
        </div>
        {isAuthor && (
          <div hidden={part !== 'release'}>
            <ReleasePart client={author} onReleased={refresh} />
          </div>
        )}
        {part === 'tokens' && (
          <section aria-label="API tokens">
            <h2 className="jp-PPO-title">API tokens</h2>
            <TokensSection client={tokens} />
          </section>
        )}
      </main>
    </>
  );
}

interface IPartProps {
  isShown: boolean;
  onShow: () => void;
  children: React.ReactNode;
}

function PartButton({ isShown, onShow, children }: IPartProps): JSX.Element {
  return (
    <button
      type="button"
      className="jp-PPO-button"
      aria-current={isShown ? 'page' : undefined}
      onClick={onShow}
    >
      {children}
    </button>
  );
}

/** Says that the service does not know one any more, and how to go on without losing anything. */
function SessionBanner(props: { session: Session; address: string }): JSX.Element | null {
  const { session, address } = props;
  const hasEnded = React.useSyncExternalStore(session.subscribe, session.snapshot);
  return (
    <div role="alert">
      {hasEnded && (
        <div className="jp-PPO-sessionEnded">
          <p>
            <strong>The service does not know you any more.</strong> Your sign-in has ended, or you
            are in no course now. What you typed here stays:{' '}
            <a href={address} target="_blank" rel="noopener noreferrer">
              sign in again in another tab
            </a>
            , and then go on.
          </p>
          <button type="button" className="jp-PPO-button" onClick={() => void session.check()}>
            I have signed in
          </button>
        </div>
      )}
    </div>
  );
}

/** The courses of somebody who runs none. */
function MyCourses({ me, hubHome }: { me: IMe; hubHome: string }): JSX.Element {
  return (
    <section className="jp-PPO-myCourses" aria-label="Your courses">
      <h2 className="jp-PPO-title">Your courses</h2>
      <div className="jp-PPO-scroll">
        <table className="jp-PPO-table">
          <thead>
            <tr>
              <th scope="col">Course</th>
              <th scope="col">Name</th>
              <th scope="col">Your role</th>
            </tr>
          </thead>
          <tbody>
            {me.courses.map(course => (
              <tr key={course.name}>
                <th scope="row">{course.title}</th>
                <td>{course.name}</td>
                <td>{roleText(course.role)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p>
        To work on a course open your own JupyterLab from the <a href={hubHome}>hub’s home page</a>.
        This page is where those who teach run their courses.
      </p>
    </section>
  );
}
