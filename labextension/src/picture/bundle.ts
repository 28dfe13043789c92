/** What the kernel puts into a notebook for a training run, and the code that shows it again. */

/** The type under which a run is saved in a notebook. */
export const RUN_MIME = 'application/vnd.jupyter-ppo.run+json';
/** The type of a widget's view; its renderer belongs to the widget manager. */
export const VIEW_MIME = 'application/vnd.jupyter.widget-view+json';

const SVG_MIME = 'image/svg+xml';
const TEXT_MIME = 'text/plain';
/** The newest layout of the saved data that is read here. */
const FORMAT = 1;

/** A run, or a board of several, as a notebook keeps it. */
export interface IRunBundle {
  /** Python code that shows it again. */
  readonly code: string;
  readonly title: string;
  /** The widget that showed it; empty when there was none. */
  readonly modelId: string;
  /** Empty when it was saved without a picture. */
  readonly svg: string;
  /** One line on state and progress. */
  readonly text: string;
}

/** Read a mime bundle; null when it holds no run, or one of a newer layout. */
export function readBundle(data: Readonly<Record<string, unknown>>): IRunBundle | null {
  const run = data[RUN_MIME];
  if (typeof run !== 'object' || run === null) {
    return null;
  }
  const { format, title, model_id } = run as Record<string, unknown>;
  const code = showCode(run as Record<string, unknown>);
  if (format !== FORMAT || code === null) {
    return null;
  }
  const view = data[VIEW_MIME] as { model_id?: unknown } | undefined;
  return {
    code,
    title: typeof title === 'string' ? title : '',
    modelId: textOf(model_id) || textOf(view?.model_id),
    svg: textOf(data[SVG_MIME]),
    text: textOf(data[TEXT_MIME])
  };
}

/** The address of a picture. An image runs no script, whoever wrote the notebook. */
export function pictureUrl(svg: string): string {
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
}

/**
 * Python code that shows a run from its `directory`, or the board of a directory or of `runs`.
 *
 * Only names and texts of the notebook go in: a JSON text or list of texts is one in Python.
 */
function showCode({ directory, runs, statistic }: Record<string, unknown>): string | null {
  const made = (call: string): string => `__import__("jupyter_ppo").${call}.show()`;
  if (Array.isArray(runs) && runs.every(one => typeof one === 'string')) {
    const shown = runs.length > 0 ? runs : directory;
    const grouping = typeof statistic === 'string' ? JSON.stringify(statistic) : 'None';
    return made(`RunBoard(${JSON.stringify(shown)}, statistic=${grouping})`);
  }
  return typeof directory === 'string' ? made(`LiveRun(${JSON.stringify(directory)})`) : null;
}

/** A text of a mime bundle; in a file it may be a list of lines. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) {
    return value.join('');
  }
  return typeof value === 'string' ? value : '';
}
