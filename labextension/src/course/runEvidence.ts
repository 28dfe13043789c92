/** A training run's folder as evidence in an entry, as `jupyter ppo entry submit --run` makes it. */

import type { IEvaluationEvidence, IRunEvidence } from '../instructor/gradingTypes';

/** The files of a run's folder that are read. */
export const RUN_FILES = ['spec.json', 'state.json', 'metrics.jsonl', 'evaluations.jsonl'] as const;

/** Missing in a run of an earlier version. */
export const OPTIONAL_FILES: readonly string[] = ['evaluations.jsonl'];

export type RunFile = (typeof RUN_FILES)[number];

// What jupyter_ppo.domain.training.metric_name takes; `step` and `seconds` are no metrics.
const METRIC = /^[A-Za-z][\w./ -]{0,63}$/;
const PLACE = new Set(['step', 'seconds']);
const MAX_TRAINING_RETURNS = 100;
const MAX_EVALUATIONS = 1000;

/** The evidence in a run's files; throws an Error that names the file that cannot be read. */
export function runEvidence(texts: Record<RunFile, string>): IRunEvidence {
  const spec = parsed('spec.json', texts['spec.json'])['spec'];
  const state = parsed('state.json', texts['state.json']);
  if (typeof spec !== 'object' || spec === null) {
    throw new Error('spec.json holds no hyperparameters. Choose the folder of a training run.');
  }
  const values = measured(texts['metrics.jsonl']);
  const evaluated = lines('evaluations.jsonl', texts['evaluations.jsonl']);
  return {
    spec: spec as Record<string, unknown>,
    state: String(state['state']),
    step: Number(state['step']),
    seconds: Number(state['seconds']),
    metrics: Object.fromEntries([...values].map(([name, found]) => [name, summary(found)])),
    training_returns: (values.get('return') ?? []).slice(-MAX_TRAINING_RETURNS),
    evaluations: evaluated.slice(-MAX_EVALUATIONS).map(evaluation),
    evaluation_returns: returnsOf(evaluated[evaluated.length - 1])
  };
}

/** A run in a few words: what was trained, how long, how well. */
export function runText(run: IRunEvidence): string {
  const environment = String(run.spec?.['env_id'] ?? 'a run');
  const last = run.metrics?.['return']?.['last'];
  const reached = last === undefined || last === null ? '' : `, last return ${last}`;
  return `${environment}, ${String(run.state)}, ${String(run.step)} steps${reached}`;
}

/** Every value by the metric's name, oldest first; what was not finite is null. */
function measured(text: string): Map<string, (number | null)[]> {
  const values = new Map<string, (number | null)[]>();
  for (const point of lines('metrics.jsonl', text)) {
    for (const [name, value] of Object.entries(point)) {
      const isMetric = METRIC.test(name) && !PLACE.has(name);
      if (isMetric && (value === null || typeof value === 'number')) {
        const found = values.get(name) ?? [];
        found.push(value);
        values.set(name, found);
      }
    }
  }
  return values;
}

/** The objects of a file of lines, without those that a resumed run measured again. */
function lines(name: RunFile, text: string): Record<string, unknown>[] {
  let found: Record<string, unknown>[] = [];
  // While a run is under way its last line may be half written.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  for (const line of whole.filter(each => each.trim() !== '')) {
    const data = parsed(name, line);
    const rewind = data['rewind'];
    if (typeof rewind === 'number') {
      found = found.filter(one => Number(one['step']) <= rewind);
    } else {
      found.push(data);
    }
  }
  return found;
}

function evaluation(data: Record<string, unknown>): IEvaluationEvidence {
  const returns = returnsOf(data);
  const { min, max } = summary(returns);
  const known = returns.filter((value): value is number => value !== null);
  const isWhole = known.length === returns.length && known.length > 0;
  return {
    step: Number(data['step']),
    seed: Number(data['seed']),
    deterministic: data['deterministic'] === true,
    episodes: returns.length,
    mean: isWhole ? known.reduce((sum, value) => sum + value, 0) / known.length : null,
    min: min ?? null,
    max: max ?? null
  };
}

function returnsOf(data: Record<string, unknown> | undefined): (number | null)[] {
  const returns = data?.['returns'];
  return Array.isArray(returns)
    ? returns.map(value => (typeof value === 'number' ? value : null))
    : [];
}

function summary(values: (number | null)[]): Record<string, number | null> {
  const finite = values.filter((value): value is number => value !== null);
  const least = (one: number, other: number): number => Math.min(one, other);
  const most = (one: number, other: number): number => Math.max(one, other);
  return {
    count: values.length,
    first: values[0] ?? null,
    last: values[values.length - 1] ?? null,
    min: finite.length === 0 ? null : finite.reduce(least),
    max: finite.length === 0 ? null : finite.reduce(most)
  };
}

function parsed(name: RunFile, text: string): Record<string, unknown> {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    data = null;
  }
  if (typeof data !== 'object' || data === null) {
    throw new Error(`${name} cannot be read. Choose the folder of a training run.`);
  }
  return data as Record<string, unknown>;
}
