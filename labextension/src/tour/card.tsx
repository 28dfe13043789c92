import * as React from 'react';

import type { TourModel } from './model';
import { placeBeside } from './place';
import type { IBox } from './place';
import { thingOf } from './steps';
import type { ITourStep } from './steps';

/** Milliseconds between two looks at where the thing is: panels open, notebooks scroll. */
export const LOOK_MS = 250;

interface ITourProps {
  model: TourModel;
  /** What gets the focus back when the tour ends. */
  before: Element | null;
}

/** The card of the step that the tour is at, and a ring around what it is about. */
export function Tour({ model, before }: ITourProps): JSX.Element | null {
  const at = React.useSyncExternalStore(model.subscribe, model.snapshot);
  const step = at === null ? undefined : model.steps[at];
  return at === null || step === undefined ? null : (
    <TourStep model={model} step={step} at={at} before={before} />
  );
}

interface IStepProps extends ITourProps {
  step: ITourStep;
  at: number;
}

function TourStep({ model, before, step, at }: IStepProps): JSX.Element {
  const id = React.useId();
  const card = React.useRef<HTMLDivElement>(null);
  const title = React.useRef<HTMLHeadingElement>(null);
  const { thing, place } = usePlace(step, card);
  React.useEffect(() => title.current?.focus(), [at]);
  useFocusBack(card, before);
  return (
    <>
      {thing !== null && <div className="jp-PPO-tourRing" aria-hidden="true" style={thing} />}
      <div
        ref={card}
        className="jp-PPO-tourCard"
        role="dialog"
        aria-labelledby={`${id}-title`}
        aria-describedby={`${id}-text`}
        // Until it was measured it is not seen, but it can have the focus.
        style={place === null ? { opacity: 0 } : { left: place.left, top: place.top }}
        // JupyterLab must not take the keys for its own.
        data-lm-suppress-shortcuts="true"
        onKeyDown={event => onKey(event, model)}
      >
        <p className="jp-PPO-tourCount">
          Step {at + 1} of {model.steps.length}
        </p>
        {/* It gets the focus, so that the keys work and screen readers read the step. */}
        <h2 ref={title} id={`${id}-title`} tabIndex={-1}>
          {step.title}
        </h2>
        <div id={`${id}-text`} aria-live="polite">
          <p>{step.text}</p>
          <p className="jp-PPO-tourAct">{thing === null ? step.missing : step.act}</p>
        </div>
        <div className="jp-PPO-tourButtons">
          <button
            type="button"
            className="jp-PPO-button jp-PPO-tourEnd"
            onClick={() => model.leave()}
          >
            End
          </button>
          <button
            type="button"
            className="jp-PPO-button jp-PPO-tourBack"
            disabled={at === 0}
            onClick={() => model.back()}
          >
            Back
          </button>
          <button
            type="button"
            className="jp-PPO-button jp-PPO-tourNext jp-mod-primary"
            onClick={() => model.next()}
          >
            {model.isLast ? 'Finish' : 'Next'}
          </button>
        </div>
        <p className="jp-PPO-tourKeys">Keys: left and right arrow, Escape to end.</p>
      </div>
    </>
  );
}

/** Give the focus back at the end, unless the person went on to work elsewhere. */
function useFocusBack(card: React.RefObject<HTMLElement>, before: Element | null): void {
  React.useLayoutEffect(() => {
    const node = card.current;
    return () => {
      const hadFocus = node !== null && node.contains(document.activeElement);
      if (hadFocus && before instanceof HTMLElement && before.isConnected) {
        before.focus();
      }
    };
  }, [card, before]);
}

function onKey(event: React.KeyboardEvent, model: TourModel): void {
  const does: Readonly<Record<string, () => void>> = {
    Escape: () => model.leave(),
    ArrowRight: () => model.next(),
    ArrowLeft: () => model.back()
  };
  const act = does[event.key];
  if (act !== undefined && !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    event.stopPropagation();
    // A key that is held must not run through all of it.
    if (!event.repeat) {
      act();
    }
  }
}

interface IPlaces {
  thing: IBox | null;
  /** Null until the card was measured. */
  place: IBox | null;
}

/** Where the thing and the card are; looked at again and again, as things move. */
function usePlace(step: ITourStep, card: React.RefObject<HTMLElement>): IPlaces {
  const [places, setPlaces] = React.useState<IPlaces>({ thing: null, place: null });
  React.useLayoutEffect(() => {
    let isShown = false;
    const look = (): void => {
      const found = thingOf(step);
      if (found !== null && !isShown) {
        isShown = true;
        // Not every browser engine has it.
        found.scrollIntoView?.({ block: 'nearest' });
      }
      const thing = found === null ? null : boxOf(found);
      const view = { width: window.innerWidth, height: window.innerHeight };
      const size = card.current === null ? null : boxOf(card.current);
      const place = size === null ? null : placeBeside(thing, size, view);
      setPlaces(before => {
        const now = { thing, place };
        return JSON.stringify(before) === JSON.stringify(now) ? before : now;
      });
    };
    look();
    const timer = setInterval(look, LOOK_MS);
    window.addEventListener('resize', look);
    document.addEventListener('scroll', look, true);
    return () => {
      clearInterval(timer);
      window.removeEventListener('resize', look);
      document.removeEventListener('scroll', look, true);
    };
  }, [step, card]);
  return places;
}

function boxOf(element: HTMLElement): IBox {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { left, top, width, height };
}
