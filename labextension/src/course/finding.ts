/** Finds the notebook of an assignment among the person's own. */

import { passedOverText } from '../format';
import { chooseNotebook, isUnanswered } from '../notebooks';
import type { ICandidate } from '../notebooks';
import type { IAssignment, IDownload } from '../types';

/** The notebooks of this JupyterLab. */
export interface INotebooks {
  openNotebooks(): ICandidate[];
  folderNotebooks(): Promise<ICandidate[]>;
}

/** The released notebooks. */
export interface IReleased {
  notebook(course: string, assignment: string): Promise<IDownload>;
}

/** The exercises that a notebook of this assignment holds. */
export function gradeIdsWanted(assignment: IAssignment): Set<string> {
  return new Set(assignment.exercises.map(exercise => exercise.grade_id));
}

/**
 * The notebook that holds this assignment's exercises.
 *
 * Throws an Error when there is none or several; `button` is what to press again.
 */
export async function findNotebook(
  notebooks: INotebooks,
  assignment: IAssignment,
  button: string
): Promise<string> {
  const wanted = gradeIdsWanted(assignment);
  let choice = chooseNotebook(notebooks.openNotebooks(), wanted);
  const reason = choice.passedOver === null ? '' : ` ${passedOverText(choice.passedOver)}`;
  if (choice.kind === 'none') {
    choice = chooseNotebook(await notebooks.folderNotebooks(), wanted);
  }
  switch (choice.kind) {
    case 'found':
      return choice.path;
    case 'several':
      throw new Error(
        `Several notebooks belong to ${assignment.name}: ${choice.paths.join(', ')}.${reason} ` +
          `Open the one you mean, so that it is in front, and press ${button} again.`
      );
    case 'none':
      throw new Error(
        `No notebook of ${assignment.name} is open or in this folder.${reason} ` +
          `Press "Get notebook", or open yours and press ${button} again.`
      );
  }
}

/** Whether the text is the released notebook without an answer. A question, never an obstacle. */
export async function isUnansweredIn(
  released: IReleased,
  course: string,
  assignment: string,
  text: string
): Promise<boolean> {
  try {
    const notebook = await released.notebook(course, assignment);
    return isUnanswered(JSON.parse(text), JSON.parse(notebook.text));
  } catch {
    return false; // the service says what is wrong when it gets the notebook
  }
}
