/** Which notebook belongs to an assignment, decided by the grade_ids in its cells. */

/** A notebook that could be submitted. */
export interface ICandidate {
  path: string;
  gradeIds: ReadonlySet<string>;
  /** Whether it is the notebook that the person looks at. */
  current: boolean;
}

/** The outcome of looking for the notebook to submit. */
export type Choice =
  { kind: 'found'; path: string } | { kind: 'none' } | { kind: 'several'; paths: string[] };

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

/** The grade_id in one cell's metadata, or null. */
export function gradeIdOf(metadata: unknown): string | null {
  const id = field(field(metadata, 'nbgrader'), 'grade_id');
  return typeof id === 'string' && id !== '' ? id : null;
}

/**
 * Choose the notebook to submit.
 *
 * The notebook that the person looks at wins when it holds any of the exercises; otherwise the one
 * that holds the most of them. A tie is not guessed.
 */
export function chooseNotebook(
  candidates: readonly ICandidate[],
  wanted: ReadonlySet<string>
): Choice {
  const matches = candidates
    .map(candidate => ({ candidate, count: overlap(candidate.gradeIds, wanted) }))
    .filter(match => match.count > 0);
  const current = matches.find(match => match.candidate.current);
  if (current) {
    return { kind: 'found', path: current.candidate.path };
  }
  const most = Math.max(0, ...matches.map(match => match.count));
  const best = matches.filter(match => match.count === most).map(match => match.candidate.path);
  const [first] = best;
  if (first === undefined) {
    return { kind: 'none' };
  }
  return best.length === 1 ? { kind: 'found', path: first } : { kind: 'several', paths: best };
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

function overlap(ids: ReadonlySet<string>, wanted: ReadonlySet<string>): number {
  return [...ids].filter(id => wanted.has(id)).length;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
