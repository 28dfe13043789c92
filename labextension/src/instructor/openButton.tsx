import * as React from 'react';

import type { ICourse } from '../types';
import { mayGrade } from './words';

interface IOpenProps {
  /** The course that is shown now. */
  course: ICourse | undefined;
  onOpen: (course: string) => void;
}

/** The way from the course panel to the instructor area, for who may grade in the course. */
export function OpenInstructor({ course, onOpen }: IOpenProps): JSX.Element | null {
  if (course === undefined || !mayGrade(course.role)) {
    return null;
  }
  return (
    <button
      type="button"
      className="jp-PPO-button jp-PPO-openInstructor"
      onClick={() => onOpen(course.name)}
    >
      Instructor
    </button>
  );
}
