import type { ServerConnection } from '@jupyterlab/services';
import * as React from 'react';

import { GradingClient } from './gradingClient';
import type { IGradingClient } from './gradingTypes';
import { useLoaded } from './resource';
import { mayAuthor } from './words';

/** What every tab for graders gets. */
export interface IGradingTabProps {
  course: string;
  settings: ServerConnection.ISettings;
  onOpenFeedback: (submissionId: string) => void;
}

/** What is inside of such a tab. */
export interface IGradingProps {
  client: IGradingClient;
  course: string;
  onOpenFeedback: (submissionId: string) => void;
}

/** The course service of these settings. */
export function useGradingClient(settings: ServerConnection.ISettings): IGradingClient {
  return React.useMemo(() => new GradingClient(settings), [settings]);
}

/** Whether the signed-in person may change what only instructors may; false until it is known. */
export function useIsAuthor(client: IGradingClient, course: string): boolean {
  const ask = React.useCallback(() => client.role(course), [client, course]);
  const [role] = useLoaded(ask);
  return role.value !== null && mayAuthor(role.value);
}

/** A value that follows another one once that has rested for a moment. */
export function useRested<T>(value: T, milliseconds = 300): T {
  const [rested, setRested] = React.useState(value);
  React.useEffect(() => {
    if (rested === value) {
      return undefined;
    }
    const timer = window.setTimeout(() => setRested(value), milliseconds);
    return () => window.clearTimeout(timer);
  }, [value, rested, milliseconds]);
  return rested;
}
