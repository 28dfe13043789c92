/** An outcome and a definition as they are typed. */

import type {
  ICriterion,
  IDefinition,
  INewDefinition,
  INewOutcome,
  IOutcomeOf,
  IRubricCriterion,
  OutcomeChange,
  OutcomeState
} from './gradingTypes';
import { numberOf } from './markDraft';

/** What stands in the fields for one criterion; empty points are those of the level. */
export interface IResultDraft {
  level: string;
  points: string;
  comment: string;
}

export interface IOutcomeDraft {
  results: Record<string, IResultDraft>;
  summary: string;
  privateNote: string;
}

const NO_RESULT: IResultDraft = { level: '', points: '', comment: '' };

export function resultOf(draft: IOutcomeDraft, criterion: string): IResultDraft {
  return draft.results[criterion] ?? NO_RESULT;
}

/** What is stored, as the fields show it. */
export function outcomeDraft(outcome: IOutcomeOf, definition: IDefinition): IOutcomeDraft {
  const results: Record<string, IResultDraft> = {};
  for (const { criterion, level, points, comment } of outcome.results) {
    const known = definition.rubric.find(each => each.name === criterion);
    const ofLevel = known?.levels.find(each => each.name === level)?.points;
    results[criterion] = { level, points: ofLevel === points ? '' : String(points), comment };
  }
  return { results, summary: outcome.summary, privateNote: outcome.private_note ?? '' };
}

/** What keeps the draft from being saved; null for nothing. */
export function outcomeProblem(draft: IOutcomeDraft, definition: IDefinition): string | null {
  for (const criterion of definition.rubric) {
    const { level, points, comment } = resultOf(draft, criterion.name);
    const given = numberOf(points);
    if (given !== null && !(given >= 0 && given <= criterion.max_points)) {
      return `${criterion.title}: points go from 0 to ${criterion.max_points}.`;
    }
    if (level === '' && (given !== null || comment !== '')) {
      return `${criterion.title}: choose a level.`;
    }
  }
  return null;
}

/** Criteria that have no level yet; an outcome with some of them cannot be approved. */
export function missingCriteria(draft: IOutcomeDraft, definition: IDefinition): string[] {
  return definition.rubric
    .filter(criterion => resultOf(draft, criterion.name).level === '')
    .map(criterion => criterion.title);
}

/** The points that the draft gives so far. */
export function draftPoints(draft: IOutcomeDraft, rubric: readonly IRubricCriterion[]): number {
  return rubric.reduce((sum, criterion) => {
    const { level, points } = resultOf(draft, criterion.name);
    const ofLevel = criterion.levels.find(each => each.name === level)?.points ?? 0;
    const given = numberOf(points) ?? ofLevel;
    return sum + (Number.isNaN(given) ? 0 : given);
  }, 0);
}

export function newOutcome(
  draft: IOutcomeDraft,
  definition: IDefinition,
  revision: number
): INewOutcome {
  const results = definition.rubric
    .map(criterion => ({ name: criterion.name, ...resultOf(draft, criterion.name) }))
    .filter(({ level }) => level !== '')
    .map(({ name, level, points, comment }) => ({
      criterion: name,
      level,
      points: numberOf(points),
      comment
    }));
  return { results, summary: draft.summary, private_note: draft.privateNote, revision };
}

const STATE_TEXT: Record<OutcomeState, string> = {
  draft: 'Draft',
  approved: 'Approved, not seen by the student',
  released: 'Released to the student'
};

export function outcomeStateText(outcome: IOutcomeOf): string {
  return outcome.revision === 0 ? 'Nothing written yet' : STATE_TEXT[outcome.state];
}

/** What can be done with an outcome in this state, beside editing it. */
export function changesOf(state: OutcomeState): readonly (readonly [OutcomeChange, string])[] {
  switch (state) {
    case 'draft':
      return [['approve', 'Approve']];
    case 'approved':
      return [
        ['release', 'Release'],
        ['reopen', 'Back to draft']
      ];
    case 'released':
      return [['withdraw', 'Withdraw']];
  }
}

/** Who or what wrote a revision, and who changed it. */
export function authorText(outcome: IOutcomeOf): string {
  const changed =
    outcome.changed_by !== null && outcome.changed_by !== outcome.author
      ? `, saved by ${outcome.changed_by}`
      : '';
  const approved = outcome.approved_by === null ? '' : `, approved by ${outcome.approved_by}`;
  return `${outcome.author ?? 'nobody'}${changed}${approved}`;
}

/** How the text `1.5 MiB` reads. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) {
    return `${bytes} bytes`;
  }
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}

// -- definitions ----------------------------------------------------------------------------------

/** A criterion as it is typed; `key` stays when it is moved or renamed. */
export interface ICriterionDraft extends Omit<ICriterion, 'levels'> {
  key: number;
  levels: ILevelDraft[];
}

export interface ILevelDraft {
  key: number;
  name: string;
  points: string;
  description: string;
}

export interface IDefinitionDraft extends Omit<INewDefinition, 'rubric'> {
  rubric: ICriterionDraft[];
}

let lastKey = 0;

export function newLevel(name: string, points: string): ILevelDraft {
  return { key: ++lastKey, name, points, description: '' };
}

export function newCriterion(name: string): ICriterionDraft {
  const levels = [newLevel('missing', '0'), newLevel('partly', '1'), newLevel('sound', '2')];
  return { key: ++lastKey, name, title: '', description: '', note: '', levels };
}

/** A definition to start from: what is stored, or one criterion. */
export function definitionDraft(stored: IDefinition | null): IDefinitionDraft {
  if (stored === null) {
    return { title: '', instructions: '', parts: ['text'], rubric: [newCriterion('quality')] };
  }
  const rubric = stored.rubric.map(({ name, title, description, note, levels }) => ({
    key: ++lastKey,
    ...{ name, title, description, note },
    levels: levels.map(level => ({ ...level, key: ++lastKey, points: String(level.points) }))
  }));
  const { title, instructions, parts } = stored;
  return { title, instructions, parts, rubric };
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

/** What keeps a definition from being released; null for nothing. */
export function definitionProblem(draft: IDefinitionDraft): string | null {
  if (draft.title.trim() === '') {
    return 'Give the entry a title.';
  }
  if (draft.parts.length === 0) {
    return 'Choose what students hand in.';
  }
  if (draft.rubric.length === 0) {
    return 'Add a criterion.';
  }
  const names = draft.rubric.map(criterion => criterion.name);
  for (const [index, criterion] of draft.rubric.entries()) {
    const problem = criterionProblem(criterion);
    if (problem !== null) {
      return `Criterion ${index + 1}: ${problem}`;
    }
    if (names.indexOf(criterion.name) !== index) {
      return `Criterion ${index + 1}: the name ${criterion.name} is there twice.`;
    }
  }
  return null;
}

function criterionProblem(criterion: ICriterionDraft): string | null {
  if (!NAME.test(criterion.name)) {
    return 'its name has letters, digits, dashes and underscores only.';
  }
  if (criterion.title.trim() === '') {
    return 'give it a title.';
  }
  if (criterion.levels.length < 2) {
    return 'it needs two levels or more.';
  }
  const names = new Set<string>();
  for (const level of criterion.levels) {
    const points = numberOf(level.points);
    if (level.name.trim() === '' || names.has(level.name)) {
      return 'each level has a name of its own.';
    }
    if (points === null || !(points >= 0 && points <= 1_000_000)) {
      return `the points of ${level.name} are a number from 0 on.`;
    }
    names.add(level.name);
  }
  return null;
}

export function newDefinition(draft: IDefinitionDraft): INewDefinition {
  const rubric = draft.rubric.map(({ name, title, description, note, levels }) => ({
    ...{ name, title, description, note },
    levels: levels.map(level => ({
      name: level.name,
      points: numberOf(level.points) ?? 0,
      description: level.description
    }))
  }));
  const { title, instructions, parts } = draft;
  return { title, instructions, parts, rubric };
}

/** The list with the item at `at` moved by `steps`; unchanged where that leaves the list. */
export function moved<T>(items: readonly T[], at: number, steps: number): T[] {
  const copy = [...items];
  const to = at + steps;
  const [item] = to >= 0 && to < items.length ? copy.splice(at, 1) : [];
  if (item !== undefined) {
    copy.splice(to, 0, item);
  }
  return copy;
}

/** The list with `item` in the place `at`. */
export function replaced<T>(items: readonly T[], at: number, item: T): T[] {
  return items.map((each, index) => (index === at ? item : each));
}
