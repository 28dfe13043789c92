/**
 * What an author marks a cell as: nbgrader's metadata, version 3, written as nbgrader's own "Create
 * Assignment" panel writes it. Nothing here knows JupyterLab.
 */

/** What a cell is to grading; `ordinary` cells carry no metadata. */
export type Kind = 'ordinary' | 'tests' | 'solution' | 'manual' | 'task' | 'readonly';

export type CellType = 'code' | 'markdown' | 'raw';

/** The tag of a test cell that runs in the student's own kernel. */
export const UNSEALED_TAG = 'unsealed';

/** The words for each kind. */
export const KIND_LABELS: Readonly<Record<Kind, string>> = {
  ordinary: 'Ordinary',
  tests: 'Autograder tests',
  solution: 'Autograded answer',
  manual: 'Manually graded answer',
  task: 'Manually graded task',
  readonly: 'Read-only'
};

/** A cell as an author sees it; `points` is null when they are missing or no number. */
export interface IMarkedCell {
  index: number;
  type: CellType;
  kind: Kind;
  gradeId: string;
  points: number | null;
  unsealed: boolean;
  /** Whether this is a cell of a students' copy: a release leaves a checksum. */
  released: boolean;
}

/** Something wrong with a cell that can be seen without the server. */
export interface ILocalProblem {
  index: number;
  message: string;
}

export type Metadata = Readonly<Record<string, unknown>>;

const GRADE_ID = /^[a-zA-Z0-9_-]{1,200}$/;
const MOST_POINTS = 1e6;

/** The kinds that a cell of this type may be. */
export function kindsOf(type: CellType): Kind[] {
  switch (type) {
    case 'code':
      return ['ordinary', 'tests', 'solution', 'manual', 'readonly'];
    case 'markdown':
      return ['ordinary', 'manual', 'task', 'readonly'];
    default:
      return ['ordinary', 'readonly'];
  }
}

/** Whether cells of this kind have points. */
export function hasPoints(kind: Kind): boolean {
  return kind === 'tests' || kind === 'manual' || kind === 'task';
}

/** Whether students cannot change cells of this kind. */
export function isLocked(kind: Kind): boolean {
  return kind === 'tests' || kind === 'task' || kind === 'readonly';
}

/** A cell's metadata as an author reads it. */
export function markedCell(index: number, type: CellType, metadata: Metadata): IMarkedCell {
  const found = nbgraderOf(metadata);
  const kind = kindOf(found);
  const points = found['points'];
  return {
    index,
    type,
    kind,
    gradeId: typeof found['grade_id'] === 'string' ? found['grade_id'] : '',
    points: typeof points === 'number' && Number.isFinite(points) ? points : null,
    unsealed: tagsOf(metadata).includes(UNSEALED_TAG),
    released: typeof found['checksum'] === 'string'
  };
}

/** nbgrader's metadata for a cell, or null for an ordinary one. What a release wrote stays. */
export function nbgraderMetadata(
  kind: Kind,
  gradeId: string,
  points: number,
  before: Metadata = {}
): Record<string, unknown> | null {
  if (kind === 'ordinary') {
    return null;
  }
  const { checksum, cell_type } = nbgraderOf(before);
  return {
    ...(checksum === undefined ? {} : { checksum }),
    ...(cell_type === undefined ? {} : { cell_type }),
    grade: kind === 'tests' || kind === 'manual',
    grade_id: gradeId,
    locked: isLocked(kind),
    ...(hasPoints(kind) ? { points: points >= 0 ? points : 0 } : {}),
    schema_version: 3,
    solution: kind === 'solution' || kind === 'manual',
    task: kind === 'task'
  };
}

/** The tags of a cell with the one for unsealed tests added or taken away. */
export function withUnsealed(metadata: Metadata, unsealed: boolean): string[] {
  const others = tagsOf(metadata).filter(tag => tag !== UNSEALED_TAG);
  return unsealed ? [...others, UNSEALED_TAG] : others;
}

/** A grade_id that no other cell has: after the answer above for tests, else after the kind. */
export function suggestedId(kind: Kind, index: number, cells: readonly IMarkedCell[]): string {
  const taken = new Set(cells.filter(cell => cell.index !== index).map(cell => cell.gradeId));
  const answer = [...cells]
    .reverse()
    .find(cell => cell.index < index && cell.kind === 'solution' && cell.gradeId !== '');
  const stems: Record<Kind, string> = {
    ordinary: 'cell',
    tests: answer === undefined ? 'tests' : `${answer.gradeId}-tests`,
    solution: 'answer',
    manual: 'question',
    task: 'task',
    readonly: 'given'
  };
  const stem = stems[kind];
  let name = kind === 'tests' ? stem : `${stem}-1`;
  for (let count = 2; taken.has(name); count += 1) {
    name = `${stem}-${count}`;
  }
  return name;
}

/** What is wrong with a grade_id, or null. */
export function gradeIdProblem(
  gradeId: string,
  index: number,
  cells: readonly IMarkedCell[]
): string | null {
  if (gradeId === '') {
    return 'Give this cell a grade_id.';
  }
  if (!GRADE_ID.test(gradeId)) {
    return 'Use 1 to 200 letters, digits, - or _ in a grade_id.';
  }
  const other = cells.find(
    cell => cell.index !== index && cell.kind !== 'ordinary' && cell.gradeId === gradeId
  );
  return other === undefined
    ? null
    : `Cell ${other.index + 1} has the grade_id ${gradeId} too. Give one of them another one.`;
}

/** What is wrong with points, or null. */
export function pointsProblem(points: number | null): string | null {
  if (points === null) {
    return 'Enter a number of points.';
  }
  return points >= 0 && points <= MOST_POINTS ? null : 'Use 0 to a million points.';
}

/** Everything wrong with the marked cells that can be seen without the server. */
export function localProblems(cells: readonly IMarkedCell[]): ILocalProblem[] {
  const found: ILocalProblem[] = [];
  for (const cell of cells.filter(({ kind }) => kind !== 'ordinary')) {
    const messages = [
      gradeIdProblem(cell.gradeId, cell.index, cells),
      hasPoints(cell.kind) ? pointsProblem(cell.points) : null,
      cell.kind === 'tests' && cell.type !== 'code' ? 'Tests have to be a code cell.' : null,
      cell.kind === 'task' && cell.type !== 'markdown' ? 'A task has to be a Markdown cell.' : null
    ];
    for (const message of messages) {
      if (message !== null) {
        found.push({ index: cell.index, message });
      }
    }
  }
  if (!cells.some(({ kind }) => hasPoints(kind))) {
    found.push({ index: -1, message: 'No cell has points yet. Mark one as autograder tests.' });
  }
  return found;
}

/** The points of all cells together. */
export function totalPoints(cells: readonly IMarkedCell[]): number {
  return cells
    .filter(({ kind }) => hasPoints(kind))
    .reduce((sum, { points }) => sum + (points ?? 0), 0);
}

/** Whether the notebook is an author's: it has marked cells, and none of a students' copy. */
export function isSource(cells: readonly IMarkedCell[]): boolean {
  const marked = cells.filter(({ kind }) => kind !== 'ordinary');
  return marked.length > 0 && marked.every(({ released }) => !released);
}

/** The words on a cell's badge, or null for an ordinary cell. */
export function badgeText(cell: IMarkedCell): string | null {
  if (cell.kind === 'ordinary') {
    return null;
  }
  const points = hasPoints(cell.kind)
    ? [cell.points === null ? 'no points' : `${cell.points} ${cell.points === 1 ? 'pt' : 'pts'}`]
    : [];
  const words = [KIND_LABELS[cell.kind], ...points, ...(cell.unsealed ? ['unsealed'] : [])];
  return words.join(' · ');
}

/** The name of an assignment for a notebook's file: what a name may hold, and no blanks. */
export function assignmentName(path: string): string {
  const stem = (path.split('/').pop() ?? '').replace(/\.ipynb$/, '');
  return stem
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 100);
}

/** Where a notebook's preview goes. */
export function previewPath(path: string): string {
  return `${path.replace(/\.ipynb$/, '')}.preview.ipynb`;
}

function kindOf(found: Metadata): Kind {
  if (found['task'] === true) {
    return 'task';
  }
  if (found['solution'] === true) {
    return found['grade'] === true ? 'manual' : 'solution';
  }
  if (found['grade'] === true) {
    return 'tests';
  }
  return found['locked'] === true ? 'readonly' : 'ordinary';
}

function nbgraderOf(metadata: Metadata): Metadata {
  const found = metadata['nbgrader'];
  return typeof found === 'object' && found !== null ? (found as Metadata) : {};
}

function tagsOf(metadata: Metadata): string[] {
  const tags = metadata['tags'];
  return Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [];
}
