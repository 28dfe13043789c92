/** The page of the JupyterHub service: what instructors have in JupyterLab, without JupyterLab. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import * as React from 'react';
import { createRoot } from 'react-dom/client';

import { AuthorClient } from '../author/client';
import { InstructorClient } from '../instructor/client';
import { InstructorModel } from '../instructor/model';
import { TokensClient } from '../tokens/client';
import { readConfig } from './config';
import { StaffPage } from './page';
import { readPlace } from './place';
import { Session } from './session';
import { followSystemTheme } from './theme';

const API = 'jupyter-ppo/api/v1';

function start(body: HTMLElement): void {
  const plain = ServerConnection.makeSettings();
  const { baseUrl } = plain;
  const me = URLExt.join(baseUrl, API, 'me');
  const session = new Session(() => ServerConnection.makeRequest(me, { cache: 'no-store' }, plain));
  const settings = ServerConnection.makeSettings({ fetch: session.fetch });
  const client = new InstructorClient(settings);
  const { part, ...place } = readPlace(window.location.hash);
  const model = new InstructorModel(client, place);
  const follow = (): void => model.setVisible(document.visibilityState === 'visible');
  document.addEventListener('visibilitychange', follow);

  body.className = 'jp-PPO-staffPage';
  followSystemTheme(body);
  createRoot(body).render(
    <StaffPage
      config={readConfig()}
      client={client}
      author={new AuthorClient(settings)}
      tokens={new TokensClient(settings)}
      model={model}
      session={session}
      settings={settings}
      part={part}
      onOpenFeedback={id => {
        const address = URLExt.join(
          baseUrl,
          API,
          'submissions',
          encodeURIComponent(id),
          'feedback'
        );
        window.open(address, '_blank', 'noopener');
      }}
      onPlace={showPlace}
    />
  );
  follow();
}

function showPlace(hash: string): void {
  if (hash !== window.location.hash) {
    const { pathname, search } = window.location;
    window.history.replaceState(null, '', `${pathname}${search}${hash}`);
  }
}

start(document.body);
