import type { RunRow } from '../live/runsSource';

/** A run of the list with these differences. */
export function row(id: string, changed: Partial<RunRow> = {}): RunRow {
  return {
    id,
    name: '',
    label: id,
    envId: 'CartPole-v1',
    seed: 0,
    state: 'finished',
    message: '',
    step: 1000,
    totalSteps: 1000,
    meanReturn: 100,
    evalReturn: null,
    startedAt: '2025-11-22T09:00:00+00:00',
    tags: [],
    sizeBytes: 2000,
    hyperparameters: { seed: 0, gamma: 0.99 },
    changes: [],
    ...changed
  };
}
