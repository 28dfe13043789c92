import type { IStudentClient, IStudentTerms } from './types';

// How many are asked for at a time.
const AT_ONCE = 4;

/**
 * Look up the terms of assignments, a few at a time, and pass on each as it comes.
 *
 * `found` is given null where they cannot be had: a card says less without them. It ends early
 * when `found` answers false.
 */
export async function loadTerms(
  client: IStudentClient,
  course: string,
  assignments: readonly string[],
  found: (assignment: string, terms: IStudentTerms | null) => boolean
): Promise<void> {
  const left = [...assignments];
  const work = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const terms = await client.terms(course, name).catch(() => null);
      if (!found(name, terms)) {
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
