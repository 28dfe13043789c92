/** The checked runs on one board: each by itself, or runs of one setting as a line with a band. */
import { Board } from './board';
import { element, setText } from './elements';
import { distinctNames } from './runFilter';
import { sentence } from './runActions';
import type { FollowedSeries, Grouping, RunRow, RunsSource, Statistic } from './runsSource';
import { diffTable, groupLabels, groupRows } from './settingsDiff';
import type { RowGroup } from './settingsDiff';
import type { Band, BoardSettings, Track } from './types';

const GROUPINGS: readonly { value: Grouping; label: string; meaning: string }[] = [
  { value: 'runs', label: 'Each run', meaning: 'One line for each checked run' },
  {
    value: 'median_iqr',
    label: 'Median and IQR',
    meaning: 'Seeds of one setting: their median, and the range of the middle half'
  },
  {
    value: 'iqm_bootstrap',
    label: 'IQM and 95 % interval',
    meaning:
      'Seeds of one setting: the mean of the middle half, and its 95 % bootstrap interval ' +
      '(Agarwal et al. 2021)'
  }
];
const STATISTIC_NAMES: Readonly<Record<Statistic, string>> = {
  median_iqr: 'median and interquartile range',
  iqm_bootstrap: 'interquartile mean and 95 % bootstrap interval'
};
/** Bands of runs that go on are computed anew after so long. */
const BANDS_INTERVAL_MS = 3000;

/** What is compared. */
export type Compared = {
  /** In the order of the list. */
  readonly rows: readonly RunRow[];
  /** In which each run is drawn. */
  readonly colours: ReadonlyMap<string, number>;
  readonly grouping: Grouping;
  readonly board: BoardSettings;
};

export type CompareActions = {
  group(grouping: Grouping): void;
  settings(settings: BoardSettings): void;
};

export class Compare {
  readonly node: HTMLElement;
  private readonly board: Board;
  private readonly note = element('p', { class: 'ppo-note' });
  private readonly error = element('p', { class: 'ppo-error', role: 'alert' });
  private readonly choices = new Map<Grouping, HTMLInputElement>();
  private readonly diff = element('div');
  private readonly allSettings = element('input', { type: 'checkbox' });
  private readonly followed = new Map<string, { series: FollowedSeries; end: () => void }>();
  private compared: Compared | null = null;
  private bands: readonly Band[] = [];
  private shown = '';
  private diffShown = '';
  private bandsOf = '';
  private bandsVersion = -1;
  private asking = false;
  private askedAt = -Infinity;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private disposed = false;

  constructor(
    private readonly source: RunsSource,
    actions: CompareActions,
    settings: BoardSettings
  ) {
    const name = `ppo-grouping-${Math.random().toString(36).slice(2)}`;
    const group = element('fieldset', { class: 'ppo-runs-grouping' });
    group.append(element('legend', { class: 'ppo-hidden-text' }, 'What is drawn'));
    for (const { value, label, meaning } of GROUPINGS) {
      const input = element('input', { type: 'radio', name, value });
      input.addEventListener('change', () => actions.group(value));
      this.choices.set(value, input);
      group.append(element('label', { title: meaning }, input, element('span', {}, label)));
    }
    const host = element('div', { class: 'ppo-runs-board' });
    this.allSettings.addEventListener('change', () => this.showDiff(true));
    this.node = element(
      'div',
      { class: 'ppo-runs-compare' },
      element('div', { class: 'ppo-runs-row ppo-runs-compare-head' }, group, this.note),
      this.error,
      host,
      element(
        'details',
        { class: 'ppo-runs-diff', open: true },
        element('summary', {}, 'Settings that differ'),
        element('label', { class: 'ppo-runs-all' }, this.allSettings, ' also those that are equal'),
        this.diff
      )
    );
    this.board = new Board(host, source.charts, settings, actions.settings);
  }

  /** Draw these runs. */
  show(compared: Compared): void {
    const before = this.compared;
    this.compared = compared;
    this.follow(compared.rows);
    for (const [grouping, input] of this.choices) {
      input.checked = grouping === compared.grouping;
    }
    if (before !== null && before.board !== compared.board) {
      this.board.setSettings(compared.board);
    }
    const groups = groupRows(compared.rows);
    const bandsOf = JSON.stringify([compared.grouping, groups.map(g => g.rows.map(r => r.id))]);
    if (bandsOf !== this.bandsOf) {
      this.bandsOf = bandsOf;
      this.bands = [];
      this.bandsVersion = -1;
      this.askedAt = -Infinity;
    }
    this.node.classList.toggle('ppo-runs-none', compared.rows.length === 0);
    setText(this.note, this.noteOf(compared, groups));
    this.draw();
    this.showDiff(false);
    this.askBandsSoon();
  }

  dispose(): void {
    this.disposed = true;
    this.clearTimer();
    this.followed.forEach(({ end }) => end());
    this.followed.clear();
    this.board.dispose();
  }

  private noteOf({ rows, grouping }: Compared, groups: readonly RowGroup[]): string {
    if (!rows.length) {
      return 'Check runs above to draw them here.';
    }
    const settings = `${groups.length} ${groups.length === 1 ? 'setting' : 'settings'}`;
    if (grouping !== 'runs' && groups.every(group => group.rows.length < 2)) {
      return 'No two checked runs differ in their seed only, so there is no interval.';
    }
    return `${rows.length} ${rows.length === 1 ? 'run' : 'runs'}, ${settings}`;
  }

  private follow(rows: readonly RunRow[]): void {
    const wanted = new Set(rows.map(row => row.id));
    for (const [id, { end }] of this.followed) {
      if (!wanted.has(id)) {
        end();
        this.followed.delete(id);
      }
    }
    for (const id of wanted) {
      if (!this.followed.has(id)) {
        const series = this.source.track(id);
        const end = series.follow(() => {
          this.board.drawSoon();
          this.askBandsSoon();
        });
        this.followed.set(id, { series, end });
      }
    }
  }

  private draw(): void {
    const { compared } = this;
    if (compared === null) {
      return;
    }
    const { colours } = compared;
    const names = distinctNames(compared.rows);
    const tracks: Track[] = compared.rows.flatMap((row, place) => {
      const series = this.followed.get(row.id)?.series;
      const track = {
        id: row.id,
        label: names[place] ?? row.label,
        colour: colours.get(row.id) ?? 0,
        marks: row.changes
      };
      return series === undefined ? [] : [{ ...track, source: series }];
    });
    const now = JSON.stringify([
      tracks.map(({ id, label, colour, marks }) => [id, label, colour, marks]),
      compared.grouping
    ]);
    const bands = compared.grouping === 'runs' ? [] : this.bands;
    if (now !== this.shown || bands.length) {
      this.shown = now;
      this.board.setTracks(tracks, bands);
    }
    this.board.drawSoon();
  }

  private showDiff(always: boolean): void {
    const { compared } = this;
    if (compared === null) {
      return;
    }
    const now = JSON.stringify([
      compared.rows.map(row => [
        row.id,
        row.name,
        row.changes.length,
        compared.colours.get(row.id)
      ]),
      this.allSettings.checked
    ]);
    if (now === this.diffShown && !always) {
      return;
    }
    this.diffShown = now;
    const names = distinctNames(compared.rows);
    const columns = compared.rows.map((row, place) => ({
      row,
      name: names[place] ?? row.label,
      colour: compared.colours.get(row.id) ?? 0
    }));
    const table = diffTable(columns, this.source.settings, this.allSettings.checked);
    this.diff.replaceChildren(table);
  }

  private askBandsSoon(): void {
    if (this.disposed || this.timer !== null || this.asking || this.compared?.grouping === 'runs') {
      return;
    }
    const wait = Math.max(this.askedAt + BANDS_INTERVAL_MS - performance.now(), 50);
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.askBands();
    }, wait);
  }

  private async askBands(): Promise<void> {
    const { compared } = this;
    const version = [...this.followed.values()].reduce(
      (sum, { series }) => sum + series.version,
      0
    );
    if (compared === null || compared.grouping === 'runs' || version === this.bandsVersion) {
      return;
    }
    const { grouping, rows } = compared;
    const asked = this.bandsOf;
    const groups = groupRows(rows);
    this.asking = true;
    this.askedAt = performance.now();
    try {
      const found = await Promise.all(
        this.bandMetrics().map(metric => this.bandsOfMetric(groups, metric, grouping))
      );
      if (!this.disposed && asked === this.bandsOf) {
        this.bands = found.flat();
        this.bandsVersion = version;
        this.error.textContent = '';
        this.draw();
      }
    } catch (error) {
      if (!this.disposed) {
        setText(this.error, sentence(error));
        this.bandsVersion = version; // not again before something is new
      }
    } finally {
      this.asking = false;
    }
    this.askBandsSoonIfNew(asked);
  }

  private askBandsSoonIfNew(asked: string): void {
    const version = [...this.followed.values()].reduce(
      (sum, { series }) => sum + series.version,
      0
    );
    if (asked !== this.bandsOf || version !== this.bandsVersion) {
      this.askBandsSoon();
    }
  }

  /** Metrics that are drawn as lines and that some checked run has. */
  private bandMetrics(): string[] {
    const measured = new Set([...this.followed.values()].flatMap(({ series }) => series.names()));
    const drawn = this.source.charts.flatMap(chart => chart.series);
    const dots = new Set(drawn.filter(one => one.mark === 'dots').map(one => one.metric));
    return [...measured].filter(metric => !dots.has(metric));
  }

  private async bandsOfMetric(
    groups: readonly RowGroup[],
    metric: string,
    statistic: Statistic
  ): Promise<Band[]> {
    const ids = groups.flatMap(group => group.rows.map(row => row.id));
    const found = await this.source.bands(ids, metric, statistic);
    const labels = groupLabels(groups, this.source.settings);
    const colours = this.compared?.colours ?? new Map<string, number>();
    return found.flatMap(({ ids: members, steps, centre, low, high }) => {
      const [first = ''] = members;
      const place = groups.findIndex(group => group.rows.some(row => row.id === first));
      const group = groups[place];
      const band = { metric, statistic: STATISTIC_NAMES[statistic], steps, centre, low, high };
      return group === undefined || !steps.length
        ? []
        : [
            {
              ...band,
              id: `group ${group.rows[0]?.id ?? ''}`,
              members: group.rows.map(row => row.id),
              label: labels[place] ?? '',
              colour: colours.get(first) ?? 0
            }
          ];
    });
  }

  private clearTimer(): void {
    if (this.timer !== null) {
      clearTimeout(this.timer);
      this.timer = null;
    }
  }
}
