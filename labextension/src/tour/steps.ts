/** What the tour shows, in order. */

/** One step: what it is about, and where that is. */
export interface ITourStep {
  readonly title: string;
  readonly text: string;
  /** What to do before "Next", in a few words. */
  readonly act: string;
  /** The things that it is about: the first of these that can be seen. */
  readonly selectors: readonly string[];
  /** What is said when none of them can be seen. */
  readonly missing: string;
}

/** The panel "PPO Course". */
export const PANEL = '.jp-PPO-panel[id="jupyter-ppo:course"]';
const NOTEBOOK = '.jp-NotebookPanel:not(.lm-mod-hidden)';

export const STEPS: readonly ITourStep[] = [
  {
    title: 'The course is here',
    text:
      'This panel lists the chapters. Each card says how many points it gives, when it is due, and ' +
      'how your last attempt went. The icon at the edge opens and closes it.',
    act: 'Look through the cards.',
    selectors: [PANEL],
    missing: 'The panel is closed. Its icon is at the left edge of the window.'
  },
  {
    title: 'Get a notebook',
    text:
      '“Get notebook” saves your own copy of a chapter beside your other files and opens it. It ' +
      'never replaces a file.',
    act: 'Press it now, or open a notebook that you have.',
    selectors: [`${PANEL} .jp-PPO-get`],
    missing: 'No chapter is open to you yet. Go on; the buttons come with the first chapter.'
  },
  {
    title: 'Run a cell',
    text:
      'Click into a cell of code and press Shift and Enter: it runs, and the next cell is chosen. ' +
      'Write your answers where a cell says so.',
    act: 'Run the first cell.',
    selectors: [`${NOTEBOOK} .jp-Cell.jp-mod-active`, `${NOTEBOOK} .jp-Cell`, NOTEBOOK],
    missing: 'No notebook is in front. Go back one step to get one, or go on.'
  },
  {
    title: 'Validate',
    text:
      'This tries your notebook with the tests that you can read, on the server. Nothing is handed ' +
      'in, and you may do it as often as you like.',
    act: 'Try it whenever you think that an exercise is done.',
    selectors: [`${PANEL} .jp-PPO-validate`],
    missing: 'The button is on the card of each chapter, once one is open to you.'
  },
  {
    title: 'Submit',
    text:
      'This hands in the notebook in front. You get a receipt at once, and points and feedback on ' +
      'the same card later. Until it closes you may submit again.',
    act: 'No need to press it now.',
    selectors: [`${PANEL} .jp-PPO-submit`],
    missing: 'The button is on the card of each chapter, once one is open to you.'
  },
  {
    title: 'My course',
    text:
      'This opens a page with the map of the course, what to do next and why, what is due, and what ' +
      'you have achieved. How much is explained, the theme and your privacy are under Preferences ' +
      'there.',
    act: 'Have a look, then finish.',
    selectors: [`${PANEL} .jp-PPO-openHome`],
    missing: 'The button is at the top of the panel, once you are in a course.'
  }
];

/** The first of the step's things that can be seen now. */
export function thingOf(step: ITourStep, page: ParentNode = document): HTMLElement | null {
  for (const selector of step.selectors) {
    const found = [...page.querySelectorAll<HTMLElement>(selector)].find(isSeen);
    if (found !== undefined) {
      return found;
    }
  }
  return null;
}

function isSeen(element: HTMLElement): boolean {
  const { width, height } = element.getBoundingClientRect();
  return width > 0 && height > 0;
}
