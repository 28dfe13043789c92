import * as React from 'react';

import type { Mode } from '../preferences/types';
import type { WorkState } from './types';
import { STATE_WORDS } from './words';

/** How much is explained: `guided` says what everything means, `expert` only shows it. */
export const ModeContext = React.createContext<Mode>('guided');

/** An explanation, for those who want to be guided. */
export function Hint({ children }: { children: React.ReactNode }): JSX.Element | null {
  return React.useContext(ModeContext) === 'guided' ? (
    <p className="jp-PPO-homeHint">{children}</p>
  ) : null;
}

interface ISectionProps {
  title: string;
  /** What is to be known of it, for those who want to be guided. */
  hint?: string;
  /** Beside the heading. */
  aside?: React.ReactNode;
  className?: string;
  children: React.ReactNode;
}

/** A part of the page under a heading of its own, found by screen readers as a region. */
export function Section(props: ISectionProps): JSX.Element {
  const id = React.useId();
  return (
    <section className={`jp-PPO-homeCard ${props.className ?? ''}`} aria-labelledby={id}>
      <div className="jp-PPO-homeCardHead">
        <h3 id={id}>{props.title}</h3>
        {props.aside}
      </div>
      {props.hint !== undefined && <Hint>{props.hint}</Hint>}
      {props.children}
    </section>
  );
}

/** The share of something, drawn; the figures stand beside it in words. */
export function Bar({ share, state }: { share: number; state?: WorkState }): JSX.Element {
  const width = `${100 * Math.min(1, Math.max(0, share))}%`;
  return (
    <span className="jp-PPO-homeBar" data-state={state} aria-hidden="true">
      <span style={{ width }} />
    </span>
  );
}

/** Icon and word of a state: the shape and the word say it, the colour only helps. */
export function StateLabel(props: { state: WorkState; share?: number }): JSX.Element {
  return (
    <span className="jp-PPO-homeState" data-state={props.state}>
      <StateIcon {...props} />
      {STATE_WORDS[props.state]}
    </span>
  );
}

const CENTRE = 8;
const RADIUS = 6.5;
/** A circle whose stroke fills it, so that dashes make slices of it. */
const SLICE = 3.25;

/** A ring, a dotted ring, an arrow, a slice as large as what was reached, or a tick. */
export function StateIcon(props: { state: WorkState; share?: number }): JSX.Element {
  const { state, share = 0.5 } = props;
  const around = 2 * Math.PI * SLICE;
  return (
    <svg
      className="jp-PPO-homeIcon"
      data-state={state}
      viewBox="0 0 16 16"
      width="16"
      height="16"
      aria-hidden="true"
      focusable="false"
    >
      <circle
        className="jp-PPO-iconRing"
        cx={CENTRE}
        cy={CENTRE}
        r={RADIUS}
        strokeDasharray={state === 'started' ? '3.1 2' : undefined}
      />
      {state === 'started' && <circle className="jp-PPO-iconFill" cx="8" cy="8" r="2.2" />}
      {state === 'handed_in' && <path className="jp-PPO-iconLine" d="M8 11.5v-7M5 7.3l3-3 3 3" />}
      {state === 'partly' && (
        <circle
          className="jp-PPO-iconSlice"
          cx={CENTRE}
          cy={CENTRE}
          r={SLICE}
          strokeDasharray={`${Math.min(0.95, Math.max(0.08, share)) * around} ${around}`}
          transform="rotate(-90 8 8)"
        />
      )}
      {state === 'done' && <path className="jp-PPO-iconTick" d="m4.8 8.3 2.3 2.3 4.3-4.8" />}
    </svg>
  );
}

/** A time: relative in sight, and to the minute beside it. */
export function When(props: { at: string; text: string; exact: string }): JSX.Element {
  return (
    <time className="jp-PPO-homeWhen" dateTime={props.at}>
      <span>{props.text}</span> <span className="jp-PPO-homeExact">{props.exact}</span>
    </time>
  );
}
