/** The table of runs: one row element per run, changed only where the run changed. */
import { swatch } from './colours';
import { button, element, setText } from './elements';
import { formatSize, formatCount, formatValue } from './format';
import type { Column, Sort } from './runFilter';
import { hasEnded, nameOf } from './runFilter';
import type { RunRow, RunState } from './runsSource';

/** What the table asks of the view. */
export type TableActions = {
  sort(column: Column): void;
  /** Draw these runs, or no longer. */
  check(ids: readonly string[], checked: boolean): void;
  /** The panel below a run's row: made when it opens. */
  panel(id: string): HTMLElement;
  /** That panel was opened or closed by the user. */
  opened(id: string, isOpen: boolean): void;
};

/** What is shown beside the rows themselves. */
export type TableState = {
  readonly sort: Sort;
  readonly checked: ReadonlySet<string>;
  /** The colour in which a run is drawn. */
  readonly colours: ReadonlyMap<string, number>;
  /** The runs whose panels are open. */
  readonly open: ReadonlySet<string>;
};

const COLUMNS: readonly { key: Column; title: string; number?: boolean }[] = [
  { key: 'name', title: 'Name' },
  { key: 'tags', title: 'Tags' },
  { key: 'envId', title: 'Environment' },
  { key: 'seed', title: 'Seed', number: true },
  { key: 'state', title: 'State' },
  { key: 'step', title: 'Steps', number: true },
  { key: 'meanReturn', title: 'Mean return', number: true },
  { key: 'evalReturn', title: 'Evaluation', number: true },
  { key: 'startedAt', title: 'Started' },
  { key: 'sizeBytes', title: 'Size', number: true }
];
/** Columns whose first click gives the greatest or newest first. */
const DESCENDING: readonly Column[] = [
  'step',
  'meanReturn',
  'evalReturn',
  'startedAt',
  'sizeBytes'
];
const MEANING: Partial<Record<Column, string>> = {
  meanReturn: 'Mean return of the last 100 training episodes',
  evalReturn: 'Mean return of the last evaluation on held-out seeds'
};
export const STATE_WORDS: Readonly<Record<RunState, string>> = {
  queued: 'Waiting',
  starting: 'Starting',
  running: 'Running',
  paused: 'Paused',
  finished: 'Finished',
  stopped: 'Stopped',
  interrupted: 'Interrupted',
  failed: 'Failed'
};

/** The sort that a click on a column asks for. */
export function nextSort(now: Sort, column: Column): Sort {
  const first = DESCENDING.includes(column);
  return { column, descending: now.column === column ? !now.descending : first };
}

/** When a run began, short: the time today, else the day. */
export function shortTime(iso: string, now = new Date()): string {
  const at = new Date(iso);
  const time = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (at.toDateString() === now.toDateString()) {
    return time;
  }
  const day = at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return at.getFullYear() === now.getFullYear() ? `${day} ${time}` : `${day} ${at.getFullYear()}`;
}

export class RunTable {
  readonly node: HTMLElement;
  private readonly body = element('tbody');
  private readonly all = element('input', {
    type: 'checkbox',
    'aria-label': 'Draw all shown runs'
  });
  private readonly heads = new Map<Column, HTMLTableCellElement>();
  private readonly rows = new Map<string, Row>();
  private order: readonly string[] = [];
  private lastChecked: string | null = null;

  constructor(private readonly actions: TableActions) {
    const head = element(
      'tr',
      {},
      element('th', { scope: 'col', class: 'ppo-runs-check' }, this.all)
    );
    for (const { key, title, number } of COLUMNS) {
      const cell = element(
        'th',
        { scope: 'col', class: number ? 'ppo-runs-number' : undefined, title: MEANING[key] },
        button(title, () => actions.sort(key), { class: 'ppo-runs-sort' })
      );
      this.heads.set(key, cell);
      head.append(cell);
    }
    this.all.addEventListener('change', () => actions.check(this.order, this.all.checked));
    this.node = element(
      'div',
      { class: 'ppo-runs-scroll', role: 'region', 'aria-label': 'Runs', tabindex: 0 },
      element(
        'table',
        { class: 'ppo-runs-table' },
        element(
          'caption',
          { class: 'ppo-hidden-text' },
          'Training runs; checked ones are drawn below'
        ),
        element('thead', {}, head),
        this.body
      )
    );
  }

  /** Show these runs in this order. */
  show(rows: readonly RunRow[], state: TableState): void {
    const active = document.activeElement;
    this.order = rows.map(row => row.id);
    const kept = new Set(this.order);
    for (const [id, row] of this.rows) {
      if (!kept.has(id)) {
        row.remove();
        this.rows.delete(id);
      }
    }
    let place: Element | null = this.body.firstElementChild;
    for (const run of rows) {
      const row = this.rows.get(run.id) ?? this.made(run);
      row.show(run, state.checked.has(run.id), state.colours.get(run.id));
      row.setOpen(state.open.has(run.id));
      for (const node of row.nodes()) {
        if (node === place) {
          place = place.nextElementSibling;
        } else {
          this.body.insertBefore(node, place);
        }
      }
    }
    this.showHeads(state);
    if (active instanceof HTMLElement && active !== document.activeElement && active.isConnected) {
      active.focus({ preventScroll: true }); // its row was moved
    }
  }

  private showHeads({ sort, checked }: TableState): void {
    for (const [column, cell] of this.heads) {
      const order = sort.descending ? 'descending' : 'ascending';
      cell.setAttribute('aria-sort', column === sort.column ? order : 'none');
    }
    const count = this.order.filter(id => checked.has(id)).length;
    this.all.checked = count > 0 && count === this.order.length;
    this.all.indeterminate = count > 0 && count < this.order.length;
  }

  private made(run: RunRow): Row {
    const row = new Row(run, this.actions, (checked, range) => {
      const last = this.lastChecked === null ? -1 : this.order.indexOf(this.lastChecked);
      const here = this.order.indexOf(run.id);
      const ids =
        range && last >= 0
          ? this.order.slice(Math.min(last, here), Math.max(last, here) + 1)
          : [run.id];
      this.lastChecked = run.id;
      this.actions.check(ids, checked);
    });
    this.rows.set(run.id, row);
    return row;
  }
}

/** The elements of one run. */
class Row {
  private readonly node: HTMLTableRowElement;
  private readonly cells = new Map<Column, HTMLTableCellElement>();
  private readonly box = element('input', { type: 'checkbox' });
  private readonly colour = element('span', { class: 'ppo-runs-swatch' });
  private readonly name: HTMLButtonElement;
  private readonly progress = element('span', {
    class: 'ppo-runs-progress',
    'aria-hidden': 'true'
  });
  private readonly id: string;
  private panel: HTMLTableRowElement | null = null;
  private run: RunRow | null = null;
  private shownColour: number | undefined;

  constructor(
    run: RunRow,
    private readonly actions: TableActions,
    onCheck: (checked: boolean, range: boolean) => void
  ) {
    this.id = run.id;
    this.name = button('', () => this.toggle(), {
      class: 'ppo-runs-name',
      'aria-expanded': 'false'
    });
    let range = false;
    this.box.addEventListener('click', event => (range = event.shiftKey));
    this.box.addEventListener('change', () => {
      onCheck(this.box.checked, range);
      range = false;
    });
    this.node = element(
      'tr',
      { 'data-run': run.id },
      element('td', { class: 'ppo-runs-check' }, element('label', {}, this.box, this.colour))
    );
    for (const { key, number } of COLUMNS) {
      const cell =
        key === 'name'
          ? element('th', { scope: 'row' }, this.name)
          : element('td', { class: number ? 'ppo-runs-number' : undefined });
      this.cells.set(key, cell);
      this.node.append(cell);
    }
  }

  nodes(): HTMLElement[] {
    return this.panel === null ? [this.node] : [this.node, this.panel];
  }

  remove(): void {
    this.nodes().forEach(node => node.remove());
  }

  show(run: RunRow, checked: boolean, colour: number | undefined): void {
    this.box.checked = checked;
    this.node.classList.toggle('ppo-runs-checked', checked);
    const drawn = checked ? colour : undefined;
    if (drawn !== this.shownColour) {
      this.shownColour = drawn;
      this.colour.replaceChildren(...(drawn === undefined ? [] : [swatch(drawn)]));
    }
    if (run === this.run) {
      return;
    }
    this.run = run;
    this.box.setAttribute('aria-label', `Draw ${nameOf(run)}${seedOf(run)}`);
    setText(this.name, nameOf(run));
    this.name.title = run.name ? run.label : '';
    this.text('envId', run.envId);
    this.text('seed', run.seed === null ? '–' : String(run.seed));
    this.showState(run);
    this.showSteps(run);
    this.text('meanReturn', run.meanReturn === null ? '–' : formatValue(run.meanReturn));
    this.text('evalReturn', run.evalReturn === null ? '–' : formatValue(run.evalReturn));
    this.text('startedAt', run.startedAt === null ? '–' : shortTime(run.startedAt));
    this.cell('startedAt').title = run.startedAt ? new Date(run.startedAt).toLocaleString() : '';
    this.text('sizeBytes', formatSize(run.sizeBytes));
    const tags = run.tags.map(tag => element('span', { class: 'ppo-runs-tag' }, tag));
    this.cell('tags').replaceChildren(...tags);
  }

  private showState(run: RunRow): void {
    const cell = this.cell('state');
    if (cell.dataset['state'] !== run.state) {
      cell.dataset['state'] = run.state;
      cell.replaceChildren(
        element(
          'span',
          { class: 'ppo-runs-state', 'data-state': run.state },
          STATE_WORDS[run.state]
        )
      );
    }
    cell.title = run.message;
  }

  private showSteps(run: RunRow): void {
    const total =
      run.totalSteps && !hasEnded(run.state) ? ` of ${formatCount(run.totalSteps)}` : '';
    const cell = this.cell('step');
    const share = run.totalSteps ? Math.min(run.step / run.totalSteps, 1) : 0;
    this.progress.style.width = `${(100 * share).toFixed(1)}%`;
    if (total) {
      cell.replaceChildren(
        `${formatCount(run.step)}${total}`,
        element('span', { class: 'ppo-runs-track', 'aria-hidden': 'true' }, this.progress)
      );
    } else {
      setText(cell, formatCount(run.step));
    }
  }

  /** Show the panel below this row, or not. */
  setOpen(isOpen: boolean): void {
    if (isOpen === (this.panel !== null)) {
      return;
    }
    if (this.panel === null) {
      const cell = element('td', { colspan: COLUMNS.length + 1 }, this.actions.panel(this.id));
      this.panel = element('tr', { class: 'ppo-runs-panel' }, cell);
      this.node.after(this.panel);
    } else {
      this.panel.remove();
      this.panel = null;
    }
    this.name.setAttribute('aria-expanded', String(isOpen));
  }

  private toggle(): void {
    this.setOpen(this.panel === null);
    this.panel?.scrollIntoView?.({ block: 'nearest' });
    this.actions.opened(this.id, this.panel !== null);
  }

  private cell(column: Column): HTMLTableCellElement {
    const cell = this.cells.get(column);
    if (cell === undefined) {
      throw new Error(`There is no column ${column}.`);
    }
    return cell;
  }

  private text(column: Column, text: string): void {
    setText(this.cell(column), text);
  }
}

function seedOf(run: RunRow): string {
  return run.seed === null ? '' : `, seed ${run.seed}`;
}
