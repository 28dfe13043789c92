import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { gradeIdsWanted } from '../course/finding';
import { placesOf } from '../events/places';
import type { IKnownAssignment } from '../events/places';
import type { IPlace } from '../events/types';
import { gradeIdsIn } from '../notebooks';
import type { IAssignment, IMe } from '../types';
import { answerAt, failureOf } from './cells';
import type { ICell } from './cells';
import type { IAnswerCell, Question } from './types';

/** What a code cell has beside the others. */
interface ISharedCodeCell {
  getOutputs(): unknown[];
}

/** What is asked of the course to know what a notebook belongs to. */
export interface ICourses {
  me(): Promise<IMe>;
  assignments(course: string): Promise<IAssignment[]>;
}

/** A question about a cell, and the course that it is asked in. */
export interface IAsked {
  course: string;
  question: Question;
}

/** The notebook in front, as the tutor sees it. Refusals are sentences for the person. */
export class TutorLab {
  constructor(
    private readonly _notebooks: INotebookTracker,
    private readonly _courses: ICourses
  ) {}

  /** The answer that the cell with the cursor is about; throws a sentence if there is none. */
  async answer(): Promise<IAnswerCell> {
    const { panel, cells, index } = this._front();
    const found = answerAt(cells, index);
    if (found === null) {
      throw new Error('Put the cursor into a cell of an exercise: the answer or one of its tests.');
    }
    const place = await this._place(panel);
    if (place === null) {
      throw new Error('This notebook belongs to no assignment of your courses.');
    }
    return { ...place, ...found };
  }

  /** A question about the cell with the cursor: its failure if there is one, else its code. */
  async question(): Promise<IAsked> {
    const { panel, cells, index } = this._front();
    const cell = cells[index];
    if (cell === undefined || cell.source.trim() === '') {
      throw new Error('Put the cursor into a cell with code that is to be explained.');
    }
    const place = await this._place(panel);
    const course = place?.course ?? (await this._known())[0]?.course;
    if (course === undefined) {
      throw new Error('You are in no course on this server.');
    }
    const about = place === null ? {} : { assignment: place.assignment };
    const failure = failureOf(cell);
    if (failure === null) {
      return { course, question: { kind: 'cell', ...about, code: cell.source } };
    }
    const { error_type = 'Error', message = '', traceback = '' } = failure;
    const question: Question = {
      kind: 'error',
      ...about,
      code: cell.source,
      error_type,
      message,
      traceback
    };
    return { course, question };
  }

  private _front(): { panel: NotebookPanel; cells: ICell[]; index: number } {
    const panel = this._notebooks.currentWidget;
    const index = panel?.content.activeCellIndex ?? -1;
    if (panel === null || index < 0) {
      throw new Error('Open a notebook of the course first.');
    }
    return { panel, cells: cellsOf(panel), index };
  }

  private async _place(panel: NotebookPanel): Promise<IPlace | null> {
    const gradeIds = gradeIdsIn(panel);
    const places = placesOf(panel.context.path, gradeIds, await this._known());
    return places[0] ?? null;
  }

  private async _known(): Promise<IKnownAssignment[]> {
    const { courses } = await this._courses.me();
    const each = await Promise.all(
      courses.map(async ({ name: course }) =>
        (await this._courses.assignments(course)).map(assignment => ({
          course,
          assignment: assignment.name,
          gradeIds: gradeIdsWanted(assignment)
        }))
      )
    );
    return each.flat();
  }
}

function cellsOf(panel: NotebookPanel): ICell[] {
  return (panel.model?.sharedModel.cells ?? []).map(cell => ({
    metadata: cell.getMetadata(),
    source: cell.getSource(),
    outputs: cell.cell_type === 'code' ? (cell as ISharedCodeCell).getOutputs() : []
  }));
}
