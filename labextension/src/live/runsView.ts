/** A list of runs and what is compared of them; used by the notebook and by JupyterLab's panel. */
import { followTheme } from './colours';
import { Compare } from './compare';
import { button, element, setText } from './elements';
import { hasEnded, matches, sorted, unknownName } from './runFilter';
import type { Filter } from './runFilter';
import { askDelete, RunPanel, sentence, whyNotDelete } from './runActions';
import type { RunRow, RunsSource } from './runsSource';
import { nextSort, RunTable, STATE_WORDS } from './runTable';
import { drawnColours } from './settingsDiff';
import { INITIAL, MOST_CHECKED, withColours } from './runsState';
import type { RunsViewState } from './runsState';

export type { RunsViewState } from './runsState';

export class RunsView {
  private readonly node: HTMLElement;
  private readonly table: RunTable;
  private readonly compare: Compare;
  private readonly panels = new Map<string, RunPanel>();
  private readonly text = element('input', {
    type: 'search',
    class: 'ppo-field',
    placeholder: 'Filter, such as: wide gamma>0.95',
    'aria-label': 'Filter runs by words or settings'
  });
  private readonly states = element('select', { class: 'ppo-field', 'aria-label': 'State' });
  private readonly tags = element('select', { class: 'ppo-field', 'aria-label': 'Tag' });
  private readonly count = element('span', { class: 'ppo-note' });
  private readonly status = element('span', { class: 'ppo-note', role: 'status' });
  private readonly error = element('p', { class: 'ppo-error', role: 'alert' });
  private readonly empty = element('p', { class: 'ppo-note ppo-runs-empty' });
  private readonly clear = button('Uncheck all', () => this.change({ checked: [] }));
  private readonly remove = button('Delete checked…', () => this.askDeleteChecked(), {
    class: 'ppo-button ppo-runs-danger'
  });
  private readonly endings: (() => void)[] = [];
  private state: RunsViewState;
  private shownTags = '';
  private drawn: readonly RunRow[] = [];

  constructor(
    host: HTMLElement,
    private readonly source: RunsSource,
    state: Partial<RunsViewState> = {},
    private readonly onState: (state: RunsViewState) => void = () => undefined,
    /** What is said when there are no runs. */
    private readonly emptyText = 'No runs yet. Start one, and it appears here.'
  ) {
    this.state = complete({ ...INITIAL, ...state });
    this.table = new RunTable({
      sort: column => this.change({ sort: nextSort(this.state.sort, column) }),
      check: (ids, checked) => this.check(ids, checked),
      panel: id => this.panel(id),
      opened: (id, isOpen) => this.keepOpen(id, isOpen)
    });
    this.compare = new Compare(
      source,
      {
        group: grouping => this.change({ grouping }),
        settings: board => this.change({ board })
      },
      this.state.board
    );
    this.fillStates();
    this.text.addEventListener('input', () => this.filter({ text: this.text.value }));
    this.text.addEventListener('keydown', event => event.stopPropagation()); // the notebook's keys
    this.states.addEventListener('change', () => this.filter({ state: this.states.value }));
    this.tags.addEventListener('change', () => this.filter({ tag: this.tags.value }));
    this.node = element(
      'section',
      { class: 'ppo-runs ppo-palette', 'aria-label': 'Training runs' },
      element(
        'div',
        { class: 'ppo-runs-row ppo-runs-bar', role: 'group', 'aria-label': 'List' },
        this.text,
        this.states,
        this.tags,
        this.count,
        this.status,
        element('span', { class: 'ppo-runs-gap' }),
        this.clear,
        this.remove
      ),
      this.error,
      this.table.node,
      this.empty,
      this.compare.node
    );
    host.append(this.node);
    this.endings.push(
      followTheme(this.node),
      source.onRows(() => this.show())
    );
    this.show();
  }

  /** Show another state, such as another tab's; `onState` is not called. */
  setState(state: Partial<RunsViewState>): void {
    this.state = complete({ ...this.state, ...state });
    this.show();
  }

  dispose(): void {
    this.endings.forEach(end => end());
    this.compare.dispose();
    this.node.remove();
  }

  private change(state: Partial<RunsViewState>): void {
    this.setState(state);
    this.onState(this.state);
  }

  private filter(filter: Partial<Filter>): void {
    this.change({ filter: { ...this.state.filter, ...filter } });
  }

  private check(ids: readonly string[], checked: boolean): void {
    const others = this.state.checked.filter(id => !ids.includes(id));
    const wanted = checked ? [...others, ...ids] : others;
    const kept = wanted.slice(0, MOST_CHECKED);
    setText(
      this.status,
      kept.length < wanted.length ? `At most ${MOST_CHECKED} runs are drawn together.` : ''
    );
    this.change({ checked: kept });
  }

  private show(): void {
    const { state } = this;
    const rows = this.source.rows();
    const found = sorted(rows, state.sort).filter(row => matches(row, state.filter));
    const checked = new Set(state.checked);
    // What the filter hides is neither drawn nor deleted.
    const drawn = found.filter(row => checked.has(row.id));
    this.drawn = drawn;
    const own = new Map(Object.entries(state.colours));
    const colours = drawnColours(drawn, own, state.grouping);
    this.table.show(found, { sort: state.sort, checked, colours, open: new Set(state.open) });
    this.compare.show({ rows: drawn, colours, grouping: state.grouping, board: state.board });
    this.updatePanels(rows);
    this.showBar(rows, found.length, drawn.length);
  }

  private showBar(rows: readonly RunRow[], found: number, drawn: number): void {
    const active = rows.filter(row => !hasEnded(row.state)).length;
    const shown = found === rows.length ? `${rows.length}` : `${found} of ${rows.length}`;
    setText(
      this.count,
      `${shown} ${rows.length === 1 ? 'run' : 'runs'}${active ? `, ${active} going on` : ''}`
    );
    this.fillTags(rows);
    const { filter } = this.state;
    if (this.text.value !== filter.text && document.activeElement !== this.text) {
      this.text.value = filter.text;
    }
    this.states.value = filter.state;
    this.tags.value = filter.tag;
    this.clear.hidden = this.remove.hidden = drawn === 0;
    this.table.node.hidden = found === 0;
    this.empty.hidden = found > 0;
    this.showEmpty(rows);
  }

  private showEmpty(rows: readonly RunRow[]): void {
    if (this.empty.hidden) {
      this.empty.replaceChildren();
      return;
    }
    if (!rows.length) {
      setText(this.empty, this.emptyText);
      return;
    }
    const name = unknownName(rows, this.state.filter.text);
    const text =
      name === null
        ? 'No run fits the filter. '
        : `No run has a setting or a column called ${name}. `;
    if (this.empty.firstChild?.textContent === text) {
      return; // the button keeps the focus
    }
    const all = button('Clear the filter', () => {
      this.text.value = '';
      this.change({ filter: INITIAL.filter });
      this.text.focus();
    });
    this.empty.replaceChildren(text, all);
  }

  private fillStates(): void {
    const options: [string, string][] = [
      ['', 'All states'],
      ['active', 'Going on'],
      ['ended', 'Ended'],
      ...Object.entries(STATE_WORDS)
    ];
    this.states.append(...options.map(([value, text]) => element('option', { value }, text)));
  }

  private fillTags(rows: readonly RunRow[]): void {
    const tags = [...new Set([...rows.flatMap(row => row.tags), this.state.filter.tag])];
    const named = tags.filter(Boolean).sort();
    const now = JSON.stringify(named);
    if (now === this.shownTags) {
      return;
    }
    this.shownTags = now;
    this.tags.replaceChildren(
      element('option', { value: '' }, 'All tags'),
      ...named.map(tag => element('option', { value: tag }, tag))
    );
    this.tags.hidden = !named.length;
  }

  private panel(id: string): HTMLElement {
    const row = this.source.rows().find(one => one.id === id);
    if (row === undefined) {
      return element('div');
    }
    const panel = new RunPanel(row, this.source, text => setText(this.status, text));
    this.panels.set(id, panel);
    return panel.node;
  }

  /** A notebook draws the view anew when it renews what it saves: what was open opens again. */
  private keepOpen(id: string, isOpen: boolean): void {
    const known = new Set(this.source.rows().map(row => row.id));
    const others = this.state.open.filter(one => one !== id && known.has(one));
    this.change({ open: isOpen ? [...others, id] : others });
  }

  private updatePanels(rows: readonly RunRow[]): void {
    for (const row of this.panels.size ? rows : []) {
      const panel = this.panels.get(row.id);
      if (panel !== undefined && !this.node.contains(panel.node)) {
        this.panels.delete(row.id);
      } else {
        panel?.update(row);
      }
    }
  }

  private askDeleteChecked(): void {
    const rows = this.drawn;
    const busy = whyNotDelete(rows);
    setText(this.error, busy);
    if (busy || !rows.length) {
      return;
    }
    this.remove.disabled = true;
    const done = (): void => {
      this.remove.disabled = false;
    };
    this.error.after(askDelete(rows, () => void this.deleteAll(rows).finally(done), done));
  }

  private async deleteAll(rows: readonly RunRow[]): Promise<void> {
    const failed: string[] = [];
    for (const row of rows) {
      try {
        await this.source.delete(row.id);
      } catch (error) {
        failed.push(sentence(error));
      }
    }
    setText(this.error, failed.join(' '));
    setText(this.status, `Deleted ${rows.length - failed.length} of ${rows.length} runs.`);
  }
}

function complete(state: RunsViewState): RunsViewState {
  return { ...state, colours: withColours(state.checked, state.colours) };
}
