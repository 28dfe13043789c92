/** What the person wants charts to begin with, in the words of the charts. */

import type { Grouping } from '../live/runsSource';
import type { BoardSettings } from '../live/types';
import type { PreferencesModel } from '../preferences/model';
import { DEFAULTS } from '../preferences/types';
import type { IChartPreferences } from '../preferences/types';
import type { IRunsMemory } from './model';

/** What is needed of the preferences. */
export type IChartChoice = Pick<PreferencesModel, 'ready' | 'preferences' | 'subscribe'>;

const GROUPINGS: Readonly<Record<IChartPreferences['band'], Grouping>> = {
  none: 'runs',
  iqr: 'median_iqr',
  ci: 'iqm_bootstrap'
};

/**
 * What is kept after charts began anew with `chart`; null when they did so before.
 *
 * What the person changed at the charts since then stays, until they change the preference.
 */
export function begunWith(chart: IChartPreferences, memory: IRunsMemory): IRunsMemory | null {
  const begun = textOf(chart);
  if (begun === (memory.begun ?? textOf(DEFAULTS.chart))) {
    return null;
  }
  const board: BoardSettings = {
    ...memory.board,
    smoothing: chart.smoothing,
    logScale: chart.axis === 'log'
  };
  const compared = { ...board, hidden: memory.view.board?.hidden ?? [] };
  const view = { ...memory.view, board: compared, grouping: GROUPINGS[chart.band] };
  return { view, board, begun };
}

function textOf({ smoothing, axis, band }: IChartPreferences): string {
  return `${smoothing} ${axis} ${band}`;
}
