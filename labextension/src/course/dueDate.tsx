import * as React from 'react';

import type { IAssignment } from '../types';
import type { IStudentTerms } from './types';
import {
  attemptsLine,
  dueText,
  extensionLine,
  gradingLines,
  isPast,
  lateLine,
  openText
} from './words';

const TICK_MS = 30_000;

interface IDueProps {
  assignment: IAssignment;
  /** What is known of its terms: without them less is said. */
  terms: IStudentTerms | undefined;
  /** How many attempts this person made. */
  made: number;
}

/** When an assignment is due for this person, how often it may be handed in, what lateness costs. */
export function DueDate({ assignment, terms, made }: IDueProps): JSX.Element {
  const isTimed = assignment.due_at !== null || assignment.closes_at !== null;
  const now = useNow(isTimed);
  const own: IAssignment = terms
    ? { ...assignment, due_at: terms.own.due_at, closes_at: terms.own.closes_at }
    : assignment;
  const lines = [
    openText(own, terms, now),
    terms ? extensionLine(terms) : null,
    terms ? lateLine(terms) : null,
    attemptsLine(own, terms, made),
    ...(terms ? gradingLines(terms) : [])
  ].filter((line): line is string => line !== null);
  return (
    <div className="jp-PPO-terms">
      <p className={`jp-PPO-due${isPast(own.due_at, now) ? ' jp-mod-past' : ''}`}>
        {own.due_at === null ? (
          dueText(own, now)
        ) : (
          <time dateTime={own.due_at}>{dueText(own, now)}</time>
        )}
      </p>
      <ul aria-label={`Terms of ${assignment.name}`}>
        {lines.map(line => (
          <li key={line}>{line}.</li>
        ))}
      </ul>
    </div>
  );
}

/** The browser's time in milliseconds, renewed now and then while `isTimed`. */
export function useNow(isTimed: boolean): number {
  const [now, setNow] = React.useState(() => Date.now());
  React.useEffect(() => {
    if (!isTimed) {
      return;
    }
    const timer = window.setInterval(() => setNow(Date.now()), TICK_MS);
    return () => window.clearInterval(timer);
  }, [isTimed]);
  return now;
}
