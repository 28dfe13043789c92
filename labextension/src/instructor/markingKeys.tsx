import * as React from 'react';

/** Keys and what they do. */
export type Keys = readonly (readonly [string, string])[];

const KEYS: Keys = [
  ['0 … 9', 'Give these points; two keys at once make one number'],
  ['f', 'Full points'],
  ['z', 'Zero points'],
  ['Enter', 'Save and go on'],
  ['c', 'Write a comment'],
  ['Ctrl + Enter', 'Save and go on, from the comment as well'],
  ['Esc', 'Leave a text field'],
  ['j, ↓ or →', 'Next answer'],
  ['k, ↑ or ←', 'Previous answer'],
  ['u', 'Only what waits, or everything'],
  ['?', 'This help']
];

interface IHelpProps {
  /** Those of the marking desk if none are given. */
  keys?: Keys;
  onClose: () => void;
}

/** What the keys of a desk do. */
export function KeyHelp({ keys: all = KEYS, onClose }: IHelpProps): JSX.Element {
  const close = React.useRef<HTMLButtonElement>(null);
  React.useEffect(() => close.current?.focus(), []);
  return (
    <div
      className="jp-PPO-keys"
      role="dialog"
      aria-label="Keys"
      onKeyDown={event => {
        if (event.key === 'Escape' || event.key === '?') {
          event.preventDefault();
          event.stopPropagation();
          onClose();
        }
      }}
    >
      <dl>
        {all.map(([keys, meaning]) => (
          <React.Fragment key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </React.Fragment>
        ))}
      </dl>
      <p className="jp-PPO-remark">Keys do nothing while you type in a text field.</p>
      <button ref={close} type="button" className="jp-PPO-button" onClick={onClose}>
        Close
      </button>
    </div>
  );
}

const NO_TEXT = new Set(['checkbox', 'radio', 'button', 'submit', 'file']);

/** Whether keys go into a text or a list there. */
export function isTyping(target: EventTarget): boolean {
  if (target instanceof HTMLInputElement) {
    return !NO_TEXT.has(target.type);
  }
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLElement && target.isContentEditable)
  );
}
