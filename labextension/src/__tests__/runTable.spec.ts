import { askDelete, lossOf, RunPanel, tagsOf, whyNotDelete } from '../live/runActions';
import type { RunsSource } from '../live/runsSource';
import { nextSort, RunTable, shortTime } from '../live/runTable';
import type { TableState } from '../live/runTable';
import { row } from './runRows';

const STATE: TableState = {
  sort: { column: 'startedAt', descending: true },
  checked: new Set(),
  colours: new Map(),
  open: new Set()
};

function table(): {
  table: RunTable;
  checks: [readonly string[], boolean][];
  opened: Set<string>;
} {
  const checks: [readonly string[], boolean][] = [];
  const opened = new Set<string>();
  const made = new RunTable({
    sort: () => undefined,
    check: (ids, checked) => checks.push([ids, checked]),
    panel: id => {
      const node = document.createElement('p');
      node.textContent = `panel of ${id}`;
      return node;
    },
    opened: (id, isOpen) => (isOpen ? opened.add(id) : opened.delete(id))
  });
  document.body.replaceChildren(made.node);
  return { table: made, checks, opened };
}

const shown = (): (string | undefined)[] =>
  [...document.querySelectorAll<HTMLElement>('tbody tr')].map(
    node => node.dataset['run'] ?? node.textContent ?? undefined
  );
const box = (id: string): HTMLInputElement => {
  const found = document.querySelector<HTMLInputElement>(`tr[data-run="${id}"] input`);
  if (found === null) {
    throw new Error(`${id} is not shown`);
  }
  return found;
};

describe('the table of runs', () => {
  it('keeps the elements of runs that did not change, and changes what did', () => {
    const { table: made } = table();
    const [a, b] = [row('a'), row('b', { meanReturn: 1 })];
    made.show([a, b], STATE);
    const nodes = [...document.querySelectorAll('tbody tr')];
    const seen: MutationRecord[] = [];
    const observer = new MutationObserver(records => seen.push(...records));
    observer.observe(document.body, { childList: true, subtree: true, characterData: true });
    made.show([a, b], STATE);
    expect(observer.takeRecords()).toEqual([]);
    made.show([a, { ...b, meanReturn: 2.5 }], STATE);
    const changed = observer.takeRecords().map(record => (record.target as Element).textContent);
    expect(changed).toEqual(['2.5']);
    expect([...document.querySelectorAll('tbody tr')]).toEqual(nodes);
  });

  it('moves rows with their open panel and keeps the focus', () => {
    const { table: made, opened } = table();
    const rows = [row('a'), row('b'), row('c')];
    const state = { ...STATE, open: opened };
    made.show(rows, state);
    document.querySelector<HTMLElement>('tr[data-run="c"] .ppo-runs-name')?.click();
    box('c').focus();
    expect(shown()).toEqual(['a', 'b', 'c', 'panel of c']);
    made.show([...rows].reverse(), state);
    expect(shown()).toEqual(['c', 'panel of c', 'b', 'a']);
    expect(document.activeElement).toBe(box('c'));
    made.show(rows.slice(0, 2), state);
    expect(shown()).toEqual(['a', 'b']);
  });

  it('opens in another view what was open, and closes what is not open any more', () => {
    const { table: made, opened } = table();
    made.show([row('a'), row('b')], { ...STATE, open: new Set(['b']) });
    expect(shown()).toEqual(['a', 'b', 'panel of b']);
    expect(box('b').closest('tr')?.querySelector('[aria-expanded="true"]')).not.toBeNull();
    expect(opened.size).toBe(0); // the user has opened nothing
    made.show([row('a'), row('b')], STATE);
    expect(shown()).toEqual(['a', 'b']);
  });

  it('checks a range with the shift key, and all that are shown', () => {
    const { table: made, checks } = table();
    made.show(
      ['a', 'b', 'c', 'd'].map(id => row(id)),
      STATE
    );
    box('b').click();
    box('d').dispatchEvent(new MouseEvent('click', { shiftKey: true, bubbles: true }));
    document.querySelector<HTMLElement>('thead input')?.click();
    expect(checks).toEqual([
      [['b'], true],
      [['b', 'c', 'd'], true],
      [['a', 'b', 'c', 'd'], true]
    ]);
  });

  it('says with aria-sort how it is sorted, numbers with the greatest first', () => {
    const { table: made } = table();
    made.show([row('a')], { ...STATE, sort: { column: 'step', descending: true } });
    const sorts = [...document.querySelectorAll('th[aria-sort]')].map(cell => [
      cell.textContent,
      cell.getAttribute('aria-sort')
    ]);
    expect(sorts).toContainEqual(['Steps', 'descending']);
    expect(sorts).toContainEqual(['Name', 'none']);
    const by = (column: 'name' | 'step'): boolean =>
      nextSort({ column: 'state', descending: false }, column).descending;
    expect([by('name'), by('step')]).toEqual([false, true]);
    expect(nextSort({ column: 'name', descending: false }, 'name').descending).toBe(true);
  });

  it('shows the time today, the day before today, the year before this year', () => {
    const now = new Date(2025, 10, 22, 12, 0);
    const text = (year: number, month: number, day: number): string =>
      shortTime(new Date(year, month, day, 9, 5).toISOString(), now);
    expect([text(2025, 10, 22), text(2025, 10, 21), text(2024, 2, 1)]).toEqual([
      '09:05',
      '21 Nov 09:05',
      '1 Mar 2024'
    ]);
  });
});

describe('what can be done with a run', () => {
  const source = (calls: unknown[][], error = ''): RunsSource => {
    const answer = async (...call: unknown[]): Promise<void> => {
      calls.push(call);
      if (error) {
        throw new Error(error);
      }
    };
    return {
      charts: [],
      settings: [],
      rows: () => [],
      onRows: () => () => undefined,
      track: () => {
        throw new Error('not asked for here');
      },
      bands: async () => [],
      rename: (...given) => answer('rename', ...given),
      delete: (...given) => answer('delete', ...given),
      download: (...given) => answer('download', ...given),
      command: (...given) => answer('command', ...given)
    };
  };
  const press = (panel: RunPanel, label: string): HTMLButtonElement => {
    const found = [...panel.node.querySelectorAll('button')].find(b => b.textContent === label);
    if (found === undefined) {
      throw new Error(`no button ${label}`);
    }
    found.click();
    return found;
  };
  const inputs = (panel: RunPanel): HTMLInputElement[] => [
    ...panel.node.querySelectorAll<HTMLInputElement>('input[type="text"]')
  ];

  it('asks before it deletes, names what is lost, and keeps when asked to', async () => {
    const calls: unknown[][] = [];
    const run = row('a', { name: 'wide', step: 60416, sizeBytes: 1_200_000 });
    const panel = new RunPanel(run, source(calls), () => undefined);
    document.body.replaceChildren(panel.node);
    press(panel, 'Delete…');
    const question = panel.node.querySelector('[role="alertdialog"]')?.textContent ?? '';
    expect(question).toContain('“wide” for ever? Lost are 60,416 steps of training');
    expect(question).toContain('1.2 MB');
    await Promise.resolve();
    expect(document.activeElement?.textContent).toBe('Keep it');
    press(panel, 'Keep it');
    expect(panel.node.querySelector('[role="alertdialog"]')).toBeNull();
    expect(calls).toEqual([]);
    press(panel, 'Delete…');
    press(panel, 'Delete for ever');
    expect(calls).toEqual([['delete', 'a']]);
  });

  it('shows why something was refused, and lets it be tried again', async () => {
    const panel = new RunPanel(
      row('a', { state: 'running' }),
      source([], 'state: it has just ended.'),
      () => undefined
    );
    const pause = press(panel, 'Pause');
    expect(pause.disabled).toBe(true);
    await new Promise(resolve => setTimeout(resolve));
    expect(panel.node.querySelector('[role="alert"]')?.textContent).toBe(
      'state: it has just ended.'
    );
    expect(pause.disabled).toBe(false);
  });

  it('says what was done, until the run has come to another state', async () => {
    const said = (panel: RunPanel): string =>
      panel.node.querySelector('[role="status"]')?.textContent ?? '';
    const run = row('a', { state: 'running' });
    const panel = new RunPanel(run, source([]), () => undefined);
    document.body.replaceChildren(panel.node);
    press(panel, 'Save');
    await new Promise(resolve => setTimeout(resolve));
    expect(said(panel)).toBe('Saved.');
    press(panel, 'Pause');
    await new Promise(resolve => setTimeout(resolve));
    expect(said(panel)).toBe('Asked: it takes effect within one update.');
    panel.update({ ...run, step: 2000 });
    expect(said(panel)).toContain('Asked');
    panel.update({ ...run, state: 'paused' });
    expect(said(panel)).toBe('');
  });

  it('does not overwrite what is being typed when the run changes', () => {
    const calls: unknown[][] = [];
    const panel = new RunPanel(row('a', { name: 'old' }), source(calls), () => undefined);
    document.body.replaceChildren(panel.node); // a form outside of a page is not sent
    const [name, tags] = inputs(panel);
    if (name === undefined || tags === undefined) {
      throw new Error('no inputs');
    }
    name.value = 'half a na';
    panel.update(row('a', { name: 'old', tags: ['new'], step: 2000 }));
    expect([name.value, tags.value]).toEqual(['half a na', 'new']);
    press(panel, 'Save');
    expect(calls).toEqual([['rename', 'a', 'half a na', ['new']]]);
  });

  it('offers only what makes sense in a state', () => {
    const enabled = (state: 'running' | 'finished' | 'paused'): string[] => {
      const panel = new RunPanel(row('a', { state }), source([]), () => undefined);
      return [...panel.node.querySelectorAll('button')]
        .filter(b => !b.disabled && /Pause|Resume|Stop|Extend/.test(b.textContent ?? ''))
        .map(b => b.textContent ?? '');
    };
    expect(enabled('running')).toEqual(['Pause', 'Stop', 'Extend']);
    expect(enabled('paused')).toEqual(['Resume', 'Stop', 'Extend']);
    expect(enabled('finished')).toEqual(['Extend']);
  });

  it('reads tags, sums up what is lost of several, and says which are still trained', () => {
    expect(tagsOf(' a, b ,,a')).toEqual(['a', 'b']);
    const rows = [row('a'), row('b', { state: 'running', name: 'busy' })];
    expect(lossOf(rows)).toContain('Delete 2 runs for ever? Lost are “a”, “busy”: 2,000 steps');
    expect(whyNotDelete(rows)).toBe('“busy”: training goes on. Stop it first.');
    expect(whyNotDelete(rows.slice(0, 1))).toBe('');
    expect(
      askDelete(
        rows,
        () => undefined,
        () => undefined
      ).textContent
    ).toContain('Keep them');
  });
});
