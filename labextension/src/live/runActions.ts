/** What can be done with a run of the list: rename, tag, steer, download, delete. */
import { button, element, setText } from './elements';
import { formatSize, formatCount } from './format';
import { distinctNames, hasEnded, nameOf } from './runFilter';
import type { RunCommand, RunRow, RunsSource, RunState } from './runsSource';

/** The states in which a command makes sense. */
const POSSIBLE: Readonly<Record<'pause' | 'resume' | 'stop' | 'extend', readonly RunState[]>> = {
  pause: ['starting', 'running'],
  resume: ['queued', 'paused', 'interrupted', 'stopped', 'failed'],
  stop: ['queued', 'starting', 'running', 'paused'],
  extend: ['starting', 'running', 'paused', 'finished', 'stopped', 'interrupted', 'failed']
};

/** What the user reads of an error. */
export function sentence(error: unknown): string {
  return error instanceof Error && error.message ? error.message : String(error);
}

/** Tags as they are typed, separated by commas. */
export function tagsOf(text: string): string[] {
  return [...new Set(text.split(',').map(tag => tag.trim()))].filter(Boolean);
}

/** What is lost when runs are deleted. */
export function lossOf(rows: readonly RunRow[]): string {
  const [first] = rows;
  const steps = formatCount(rows.reduce((sum, row) => sum + row.step, 0));
  const size = formatSize(rows.reduce((sum, row) => sum + row.sizeBytes, 0));
  if (rows.length === 1 && first !== undefined) {
    return (
      `Delete “${nameOf(first)}” for ever? Lost are ${steps} steps of training with its curves, ` +
      `checkpoints and model: ${size}.`
    );
  }
  const names = distinctNames(rows)
    .slice(0, 8)
    .map(name => `“${name}”`);
  const more = rows.length > 8 ? ` and ${rows.length - 8} more` : '';
  return (
    `Delete ${rows.length} runs for ever? Lost are ${names.join(', ')}${more}: ${steps} steps of ` +
    `training with curves, checkpoints and models, ${size}.`
  );
}

/** A question that has to be answered before runs are deleted; removes itself. */
export function askDelete(
  rows: readonly RunRow[],
  onDelete: () => void,
  onKeep: () => void
): HTMLElement {
  const close = (then: () => void): (() => void) => {
    return () => {
      box.remove();
      then();
    };
  };
  const keep = button(rows.length === 1 ? 'Keep it' : 'Keep them', close(onKeep));
  const box = element(
    'div',
    { class: 'ppo-runs-ask', role: 'alertdialog', 'aria-label': 'Delete', tabindex: -1 },
    element('p', {}, lossOf(rows)),
    element(
      'div',
      { class: 'ppo-runs-row' },
      keep,
      button('Delete for ever', close(onDelete), { class: 'ppo-button ppo-runs-danger' })
    )
  );
  box.addEventListener('keydown', event => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      close(onKeep)();
    }
  });
  queueMicrotask(() => {
    box.scrollIntoView?.({ block: 'nearest' });
    keep.focus({ preventScroll: true });
  });
  return box;
}

/** The panel below a run's row. */
export class RunPanel {
  readonly node: HTMLElement;
  private readonly name = element('input', { type: 'text', class: 'ppo-field', maxlength: 400 });
  private readonly tags = element('input', {
    type: 'text',
    class: 'ppo-field',
    placeholder: 'week 3, baseline'
  });
  private readonly total = element('input', {
    type: 'number',
    class: 'ppo-field',
    min: 1,
    step: 1,
    'aria-label': 'New total steps'
  });
  private readonly message = element('p', { class: 'ppo-runs-message' });
  private readonly status = element('p', { class: 'ppo-note', role: 'status' });
  private readonly error = element('p', { class: 'ppo-error', role: 'alert' });
  private readonly commands = new Map<'pause' | 'resume' | 'stop' | 'extend', HTMLButtonElement>();
  private readonly deletes: HTMLButtonElement;
  private saved = { name: '', tags: '' };

  constructor(
    private row: RunRow,
    private readonly source: RunsSource,
    private readonly onDone: (text: string) => void
  ) {
    const form = element(
      'form',
      { class: 'ppo-runs-row' },
      element('label', {}, 'Name ', this.name),
      element('label', {}, 'Tags, separated by commas ', this.tags),
      element('button', { type: 'submit', class: 'ppo-button' }, 'Save')
    );
    form.addEventListener('submit', event => {
      event.preventDefault();
      this.rename();
    });
    const steer = (command: 'pause' | 'resume' | 'stop', label: string): HTMLButtonElement => {
      const made = button(label, () => this.command(command));
      this.commands.set(command, made);
      return made;
    };
    const extend = element('form', { class: 'ppo-runs-row' });
    const submit = element('button', { type: 'submit', class: 'ppo-button' }, 'Extend');
    this.commands.set('extend', submit);
    extend.append(this.total, submit);
    extend.addEventListener('submit', event => {
      event.preventDefault();
      this.extend();
    });
    this.deletes = button('Delete…', () => this.askDelete(), {
      class: 'ppo-button ppo-runs-danger'
    });
    const open = source.open?.bind(source);
    this.node = element(
      'div',
      { class: 'ppo-runs-details' },
      this.message,
      form,
      element(
        'div',
        { class: 'ppo-runs-row' },
        ...(open ? [button('Open', () => open(this.row.id))] : []),
        steer('pause', 'Pause'),
        steer('resume', 'Resume'),
        steer('stop', 'Stop'),
        extend,
        button('Download model', () => this.download('model')),
        button('Download metrics (CSV)', () => this.download('metrics')),
        this.deletes
      ),
      this.status,
      ...(row.code ? [codeLine(row.code)] : []),
      this.error
    );
    this.node.addEventListener('keydown', event => event.stopPropagation()); // the notebook's keys
    this.update(row);
  }

  /** Show what changed; what is being typed stays. */
  update(row: RunRow): void {
    if (row.state !== this.row.state) {
      setText(this.status, ''); // what was asked for has happened
    }
    this.row = row;
    const tags = row.tags.join(', ');
    if (this.name.value === this.saved.name) {
      this.name.value = row.name;
    }
    if (this.tags.value === this.saved.tags) {
      this.tags.value = tags;
    }
    this.saved = { name: row.name, tags };
    this.name.placeholder = row.label;
    this.total.placeholder = String(Math.max(row.totalSteps, row.step) * 2 || '');
    setText(this.message, row.message);
    this.message.hidden = !row.message;
    for (const [command, made] of this.commands) {
      made.disabled = !POSSIBLE[command].includes(row.state);
    }
    this.total.disabled = !POSSIBLE.extend.includes(row.state);
  }

  private rename(): void {
    const tags = tagsOf(this.tags.value);
    const typed = { name: this.name.value, tags: this.tags.value };
    setText(this.status, 'Saving…');
    this.attempt(async () => {
      await this.source.rename(this.row.id, typed.name, tags);
      this.saved = typed;
      setText(this.status, 'Saved.');
    });
  }

  private extend(): void {
    const typed = this.total.value || this.total.placeholder;
    this.command('extend', { total_steps: Number(typed) });
  }

  private command(command: RunCommand, values: Readonly<Record<string, number>> = {}): void {
    const made = command === 'set' ? undefined : this.commands.get(command);
    if (made !== undefined) {
      made.disabled = true; // taken; the next state says what is possible then
    }
    const { state } = this.row;
    setText(this.status, 'Asking…');
    this.attempt(
      async () => {
        await this.source.command(this.row.id, command, values);
        this.total.value = '';
        if (this.row.state === state) {
          setText(this.status, takenText(state));
        }
      },
      () => this.update(this.row)
    );
  }

  private download(what: 'model' | 'metrics'): void {
    setText(this.status, '');
    this.attempt(() => this.source.download(this.row.id, what));
  }

  private askDelete(): void {
    setText(this.status, '');
    setText(this.error, whyNotDelete([this.row]));
    if (this.error.textContent !== '') {
      return;
    }
    this.deletes.disabled = true;
    const again = (): void => {
      this.deletes.disabled = false;
      this.deletes.focus();
    };
    const { row } = this;
    const remove = (): void =>
      this.attempt(async () => {
        await this.source.delete(row.id);
        this.onDone(`Deleted “${nameOf(row)}”.`);
      }, again);
    this.error.before(askDelete([row], remove, again));
  }

  private attempt(action: () => Promise<void>, onError: () => void = () => undefined): void {
    this.error.textContent = '';
    action().catch((error: unknown) => {
      setText(this.status, '');
      this.error.textContent = sentence(error);
      onError();
    });
  }
}

/** What becomes of a command that was taken. */
function takenText(state: RunState): string {
  return hasEnded(state) || state === 'queued'
    ? 'Asked: it takes effect when a process is at it.'
    : 'Asked: it takes effect within one update.';
}

function codeLine(code: string): HTMLElement {
  return element(
    'p',
    { class: 'ppo-note' },
    'By itself in a notebook: ',
    element('code', {}, code)
  );
}

/** Why some of these runs cannot be deleted now; empty when all can. */
export function whyNotDelete(rows: readonly RunRow[]): string {
  const busy = rows.filter(row => !hasEnded(row.state) && row.state !== 'queued');
  if (!busy.length) {
    return '';
  }
  const names = distinctNames(busy)
    .map(name => `“${name}”`)
    .join(', ');
  return `${names}: training goes on. Stop ${busy.length === 1 ? 'it' : 'them'} first.`;
}
