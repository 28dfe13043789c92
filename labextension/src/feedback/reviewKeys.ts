import type * as React from 'react';

import { isTyping } from '../instructor/markingKeys';
import type { Keys } from '../instructor/markingKeys';
import type { ReviewModel } from './reviewModel';

export const REVIEW_KEYS: Keys = [
  ['a', 'Approve the draft as it is, and go on'],
  ['e', 'Edit it'],
  ['r', 'Reject it'],
  ['j', 'Next draft'],
  ['k', 'Previous draft'],
  ['↑ ↓', 'Another level of the criterion that has the keyboard'],
  ['Ctrl + Enter', 'Save what was typed, and go on'],
  ['Esc', 'Leave a text field; then leave the edit, which keeps what was typed'],
  ['?', 'This help']
];

/** A key of the desk; answers whether it means something here. */
export function pressReview(
  event: React.KeyboardEvent,
  model: ReviewModel,
  focus: () => void,
  onHelp: () => void
): boolean {
  const { mode } = model.snapshot();
  if (event.ctrlKey || event.metaKey || event.altKey) {
    if (event.key !== 'Enter' || event.altKey || mode === 'read') {
      return false;
    }
    void (mode === 'edit' ? model.save() : model.reject());
    return true;
  }
  if (isTyping(event.target)) {
    if (event.key === 'Escape') {
      focus();
      return true;
    }
    return false;
  }
  switch (event.key) {
    case 'a':
      // With something typed it would approve other words than those in front.
      if (mode === 'read') {
        void model.approve();
      }
      return true;
    case 'e':
      model.setMode('edit');
      return true;
    case 'r':
      model.setMode('reject');
      return true;
    case 'j':
      void model.move(1);
      return true;
    case 'k':
      void model.move(-1);
      return true;
    case 'Escape':
      if (mode === 'read') {
        return false;
      }
      model.setMode('read');
      focus();
      return true;
    case '?':
      onHelp();
      return true;
    default:
      return false;
  }
}
