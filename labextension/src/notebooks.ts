/** Which notebook belongs to an assignment, decided by the grade_ids in its cells. */

/** Less than this share of an assignment's exercises is few. */
const FEW = 0.25;

/** A notebook that could be submitted. */
export interface ICandidate {
  path: string;
  gradeIds: ReadonlySet<string>;
  /** Whether it is in front: the tab of the main area that the person looks at. */
  current: boolean;
}

/**
 * The outcome of looking for the notebook to submit.
 *
 * `passedOver` is the notebook in front when it is not the one.
 */
export type Choice = { passedOver: string | null } & (
  { kind: 'found'; path: string } | { kind: 'none' } | { kind: 'several'; paths: string[] }
);

/** The grade_ids in a notebook's cells; anything that is not a notebook has none. */
export function gradeIdsOf(content: unknown): Set<string> {
  const ids = new Set<string>();
  const cells = field(content, 'cells');
  if (Array.isArray(cells)) {
    for (const cell of cells as unknown[]) {
      const id = gradeIdOf(field(cell, 'metadata'));
      if (id !== null) {
        ids.add(id);
      }
    }
  }
  return ids;
}

/** What is needed of a notebook that is open; its model comes after it. */
export interface IOpenNotebook {
  readonly model: {
    readonly sharedModel: { readonly cells: readonly { getMetadata(): unknown }[] };
  } | null;
}

/** The grade_ids in the cells of a notebook that is open. */
export function gradeIdsIn({ model }: IOpenNotebook): Set<string> {
  const ids = (model?.sharedModel.cells ?? []).map(cell => gradeIdOf(cell.getMetadata()));
  return new Set(ids.filter((id): id is string => id !== null));
}

/** The grade_id in one cell's metadata, or null. */
export function gradeIdOf(metadata: unknown): string | null {
  const id = field(field(metadata, 'nbgrader'), 'grade_id');
  return typeof id === 'string' && id !== '' ? id : null;
}

/**
 * Whether a notebook's answer cells are all blank or as released, or are not there.
 *
 * What is no notebook, or has nothing to answer, is not unanswered.
 */
export function isUnanswered(submitted: unknown, released: unknown): boolean {
  const stubs = namedCells(released).filter(({ isAnswer }) => isAnswer);
  if (stubs.length === 0 || !Array.isArray(field(submitted, 'cells'))) {
    return false;
  }
  const answers = namedCells(submitted);
  return stubs.every(stub =>
    answers.every(({ id, source }) => id !== stub.id || source === '' || source === stub.source)
  );
}

/**
 * Whether a notebook with these grade_ids is that of an assignment with the wanted ones.
 *
 * Assignments may share a grade_id: with few of the wanted ones and more others it is another one's.
 * The server judges by the same rule.
 */
export function belongs(gradeIds: ReadonlySet<string>, wanted: ReadonlySet<string>): boolean {
  const own = [...gradeIds].filter(id => wanted.has(id)).length;
  return own > 0 && (own >= FEW * wanted.size || gradeIds.size - own <= own);
}

/**
 * Choose the notebook to submit: the one in front if it belongs to the assignment, otherwise the
 * only one that does. Nothing is guessed between several.
 */
export function chooseNotebook(
  candidates: readonly ICandidate[],
  wanted: ReadonlySet<string>
): Choice {
  const front = candidates.find(candidate => candidate.current);
  const matches = candidates.filter(({ gradeIds }) => belongs(gradeIds, wanted));
  const chosen = front && matches.includes(front) ? [front] : matches;
  const passedOver = front && !matches.includes(front) ? front.path : null;
  // One file may be open in two tabs.
  const paths = [...new Set(chosen.map(({ path }) => path))];
  const [path] = paths;
  if (path === undefined) {
    return { kind: 'none', passedOver };
  }
  return paths.length === 1
    ? { kind: 'found', path, passedOver }
    : { kind: 'several', paths, passedOver };
}

/** `name`, or `name-1`, `name-2`, ... with the same extension: the first that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  let candidate = name;
  for (let count = 1; taken.has(candidate); count += 1) {
    candidate = `${stem}-${count}${extension}`;
  }
  return candidate;
}

/** A path in a folder of the file browser, whose root may be '' or a drive such as 'RTC:'. */
export function joinPath(folder: string, name: string): string {
  return folder === '' || folder.endsWith(':') || folder.endsWith('/')
    ? folder + name
    : `${folder}/${name}`;
}

/** The cells that carry a grade_id, with their text. */
function namedCells(content: unknown): { id: string; isAnswer: boolean; source: string }[] {
  const cells = field(content, 'cells');
  return (Array.isArray(cells) ? (cells as unknown[]) : []).flatMap(cell => {
    const metadata = field(cell, 'metadata');
    const id = gradeIdOf(metadata);
    const isAnswer = field(field(metadata, 'nbgrader'), 'solution') === true;
    return id === null ? [] : [{ id, isAnswer, source: sourceOf(cell) }];
  });
}

/** A cell's text without blanks at its ends; in a file it may be a list of lines. */
function sourceOf(cell: unknown): string {
  const source = field(cell, 'source');
  return (Array.isArray(source) ? source.join('') : String(source ?? '')).trim();
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
