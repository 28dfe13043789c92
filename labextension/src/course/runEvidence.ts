/** A training run's folder as evidence in an entry, as `jupyter ppo entry submit --run` makes it. */

import type { IRunEvidence } from '../instructor/gradingTypes';

/** The files of a run's folder that are read. */
export const RUN_FILES = ['spec.json', 'state.json', 'metrics.jsonl'] as const;

export type RunFile = (typeof RUN_FILES)[number];

// What jupyter_ppo.domain.training.Metric names; others, of later versions, are left out.
const METRICS = new Set([
  'return',
  'length',
  'mean_return',
  'approx_kl',
  'clip_fraction',
  'entropy',
  'explained_variance',
  'value_loss',
  'policy_gradient_loss',
  'learning_rate',
  'steps_per_second'
]);
const MAX_TRAINING_RETURNS = 100;

/** The evidence in a run's files; throws an Error that names the file that cannot be read. */
export function runEvidence(texts: Record<RunFile, string>): IRunEvidence {
  const spec = parsed('spec.json', texts['spec.json'])['spec'];
  const state = parsed('state.json', texts['state.json']);
  if (typeof spec !== 'object' || spec === null) {
    throw new Error('spec.json holds no hyperparameters. Choose the folder of a training run.');
  }
  const values = measured(texts['metrics.jsonl']);
  return {
    spec: spec as Record<string, unknown>,
    state: String(state['state']),
    step: Number(state['step']),
    seconds: Number(state['seconds']),
    metrics: Object.fromEntries([...values].map(([name, found]) => [name, summary(found)])),
    training_returns: (values.get('return') ?? []).slice(-MAX_TRAINING_RETURNS),
    evaluation_returns: []
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
  // While a run is under way its last line may be half written.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  for (const line of lines.filter(each => each.trim() !== '')) {
    for (const [name, value] of Object.entries(parsed('metrics.jsonl', line))) {
      if (METRICS.has(name) && (value === null || typeof value === 'number')) {
        const found = values.get(name) ?? [];
        found.push(value);
        values.set(name, found);
      }
    }
  }
  return values;
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
