import * as React from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';

import { CoursePanel } from '../components';
import { CourseModel } from '../model';
import { RequestError } from '../connection';
import type { ISubmission } from '../types';
import { candidate, MemoryService, MemoryWorkspace, notebookText } from './memory';

let service: MemoryService;
let workspace: MemoryWorkspace;
let model: CourseModel;
let node: HTMLElement;
let root: Root;

beforeEach(() => {
  jest.useFakeTimers();
  service = new MemoryService();
  workspace = new MemoryWorkspace();
  model = new CourseModel(service, workspace);
  node = document.createElement('div');
  document.body.appendChild(node);
  root = createRoot(node);
  React.act(() => root.render(<CoursePanel model={model} />));
});

afterEach(() => {
  React.act(() => root.unmount());
  node.remove();
  model.dispose();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

async function show(): Promise<void> {
  await React.act(async () => model.setVisible(true));
}

async function press(selector: string): Promise<void> {
  await React.act(async () => find<HTMLButtonElement>(selector).click());
}

async function pass(milliseconds: number): Promise<void> {
  await React.act(async () => jest.advanceTimersByTimeAsync(milliseconds));
}

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = node.querySelector<T>(selector);
  if (found === null) {
    throw new Error(`${selector} is not in ${node.innerHTML}`);
  }
  return found;
}

it('lists the assignments with their points and state', async () => {
  expect(node.textContent).toContain('Loading');
  await show();
  const card = find('.jp-PPO-assignment[data-assignment="rl-first"]');
  expect(card.textContent).toContain('10 points');
  expect(find('.jp-PPO-state').textContent).toBe('Not submitted');
  expect(find('.jp-PPO-user').textContent).toBe('Signed in as ada');
  expect(find<HTMLButtonElement>('.jp-PPO-feedback').disabled).toBe(true);
  expect(node.querySelector('.jp-PPO-banner')).toBeNull();
});

it('follows a submission until it is graded, then stops asking', async () => {
  workspace.open = [candidate('mine.ipynb')];
  await show();
  await press('.jp-PPO-submit');
  expect(service.received).toEqual(['text of mine.ipynb']);
  expect(find('.jp-PPO-receipt').textContent).toMatch(
    /^Attempt 1 received on .*2026.*: mine\.ipynb/
  );
  expect(find('.jp-PPO-warnings').textContent).toContain('counts as zero');
  expect(find('.jp-PPO-state').textContent).toBe('Queued');
  service.move('grading');
  await pass(1_000);
  expect(find('.jp-PPO-state').dataset.state).toBe('grading');
  service.move('graded', 7.5);
  await pass(60_000);
  expect(find('.jp-PPO-state').textContent).toBe('Graded and released');
  expect(find('.jp-PPO-score').textContent).toBe('7.5 / 10');
  expect(jest.getTimerCount()).toBe(0);
  await press('.jp-PPO-feedback');
  expect(workspace.shown).toEqual(['<p>id-1</p>']);
});

it('follows what was under way before the panel was opened', async () => {
  await service.submit('rl', 'rl-first', 'from another window');
  await show();
  expect(find('.jp-PPO-state').dataset.state).toBe('queued');
  service.move('graded', 3);
  await pass(1_000);
  expect(find('.jp-PPO-score').textContent).toBe('3 / 10');
});

async function open(selector: string): Promise<void> {
  await React.act(async () => {
    find<HTMLDetailsElement>(selector).open = true;
    find(selector).dispatchEvent(new Event('toggle'));
  });
}

it('shows the points by exercise and check, and marks what is unsealed', async () => {
  await service.submit('rl', 'rl-first', 'mine');
  await show();
  expect(node.querySelector('.jp-PPO-exercises')).toBeNull();
  service.move('graded', 3, 2);
  await pass(1_000);
  expect(find('.jp-PPO-latest').textContent).toBe('Graded and released2 unsealed 3 / 10');
  await open('.jp-PPO-exercises');
  const rows = [...node.querySelectorAll('.jp-PPO-row')].map(row => row.textContent);
  expect(rows).toEqual([
    'gae1 / 2',
    '✓ shape1 / 1',
    '✗ by hand: Look at the last step.0 / 1',
    'lossunsealed2 / 2'
  ]);
  service.refusal = new Error('The database does not answer.');
  await open('.jp-PPO-exercises');
  expect(find('.jp-PPO-exercises [role="alert"]').textContent).toBe(
    'The database does not answer.'
  );
});

it('marks nothing where every point is sealed', async () => {
  await service.submit('rl', 'rl-first', 'mine');
  await show();
  service.move('graded', 3);
  await pass(1_000);
  expect(node.querySelector('.jp-PPO-unsealed')).toBeNull();
});

it('asks nothing while hidden', async () => {
  workspace.open = [candidate('mine.ipynb')];
  await show();
  await press('.jp-PPO-submit');
  await React.act(async () => model.setVisible(false));
  service.move('graded', 10);
  await pass(60_000);
  expect(find('.jp-PPO-state').dataset.state).toBe('queued');
  await show();
  expect(find('.jp-PPO-score').textContent).toBe('10 / 10');
});

it('looks into the folder when no open notebook fits', async () => {
  workspace.folder = [candidate('saved.ipynb')];
  await show();
  await press('.jp-PPO-submit');
  expect(service.received).toEqual(['text of saved.ipynb']);
});

it('says what to do when there is no notebook', async () => {
  await show();
  await press('.jp-PPO-submit');
  expect(find('[role="alert"]').textContent).toContain('Press "Get notebook"');
  expect(service.received).toEqual([]);
});

it('does not guess between two notebooks', async () => {
  workspace.open = [candidate('a.ipynb'), candidate('b.ipynb')];
  await show();
  await press('.jp-PPO-submit');
  const said = find('[role="alert"]').textContent;
  expect(said).toContain('a.ipynb, b.ipynb');
  expect(said).toContain('Open the one you mean, so that it is in front');
  expect(service.received).toEqual([]);
});

it('sends the notebook in front, and says before which one that is', async () => {
  await show();
  expect(node.querySelector('.jp-PPO-sends')).toBeNull();
  workspace.open = [candidate('empty.ipynb'), candidate('mine.ipynb', true)];
  await React.act(async () => workspace.changed());
  const button = find('.jp-PPO-submit');
  expect(find('.jp-PPO-sends').textContent).toBe('Submit sends mine.ipynb');
  expect(button.title).toBe('Submit sends mine.ipynb');
  expect(button.getAttribute('aria-describedby')).toBe(find('.jp-PPO-sends').id);
  await press('.jp-PPO-submit');
  expect(service.received).toEqual(['text of mine.ipynb']);
  workspace.open = [candidate('empty.ipynb'), candidate('mine.ipynb')];
  await React.act(async () => workspace.changed());
  expect(node.querySelector('.jp-PPO-sends')).toBeNull();
  expect(find('.jp-PPO-submit').title).toBe('');
});

it('says why the notebook in front is not the one', async () => {
  const reason = "v3.ipynb, which is in front, is not this assignment's notebook.";
  workspace.open = [candidate('v3.ipynb', true, 'other'), candidate('mine.ipynb')];
  await React.act(async () => workspace.changed());
  await show();
  expect(find('.jp-PPO-sends').textContent).toBe(`Submit sends mine.ipynb. ${reason}`);
  workspace.open = [candidate('v3.ipynb', true, 'other')];
  await press('.jp-PPO-submit');
  expect(find('[role="alert"]').textContent).toContain(reason);
  workspace.open.push(candidate('a.ipynb'), candidate('b.ipynb'));
  await press('.jp-PPO-submit');
  expect(find('[role="alert"]').textContent).toContain(reason);
  expect(service.received).toEqual([]);
});

it('asks before it sends a notebook without an answer', async () => {
  const stub = notebookText('raise NotImplementedError()');
  workspace.open = [candidate('mine.ipynb')];
  workspace.files.set('mine.ipynb', stub);
  await show();
  await press('.jp-PPO-submit');
  expect(workspace.questions).toEqual([
    'Nothing of rl-first is answered yet in mine.ipynb. Submit it all the same?'
  ]);
  expect(service.received).toEqual([]);
  expect(node.querySelector('.jp-PPO-notice')).toBeNull();
  workspace.answer = true;
  await press('.jp-PPO-submit');
  expect(service.received).toEqual([stub]);
  workspace.files.set('mine.ipynb', notebookText('return 3'));
  await press('.jp-PPO-submit');
  expect(workspace.questions).toHaveLength(2);
  expect(service.received).toHaveLength(2);
});

it('submits although the released notebook cannot be had to compare with', async () => {
  service.notebook = () => Promise.reject(new RequestError('No answer.', 'network', 0));
  workspace.open = [candidate('mine.ipynb')];
  await show();
  await press('.jp-PPO-submit');
  expect(service.received).toHaveLength(1);
});

it('keeps the receipt of the last attempt and its warnings', async () => {
  workspace.open = [candidate('mine.ipynb')];
  await show();
  await press('.jp-PPO-submit');
  const receipt = find('.jp-PPO-receipt').textContent;
  expect(receipt).toMatch(/^Attempt 1 received on .*:05 .*: mine\.ipynb/);
  service.move('graded', 4);
  await pass(1_000);
  await press('.jp-PPO-get');
  await press('.jp-PPO-feedback');
  expect(find('.jp-PPO-receipt').textContent).toBe(receipt);
  await press('.jp-PPO-submit');
  expect(find('.jp-PPO-receipt').textContent).toMatch(/^Attempt 2 received/);
  expect(node.querySelectorAll('.jp-PPO-receipt')).toHaveLength(1);
});

it('shows the receipt of what was sent from elsewhere', async () => {
  await service.submit('rl', 'rl-first', 'from another window');
  await show();
  expect(find('.jp-PPO-receipt').textContent).toMatch(/^Attempt 1 received on .*counts as zero/);
  service.move('graded', 4);
  await pass(1_000);
});

it("shows the service's refusal and lets the person try again", async () => {
  workspace.open = [candidate('mine.ipynb')];
  service.refusal = new RequestError('Over 25 MB.', 'too_large', 413);
  await show();
  await press('.jp-PPO-submit');
  expect(find('[role="alert"]').textContent).toBe('Over 25 MB.');
  service.refusal = null;
  await press('.jp-PPO-submit');
  expect(node.querySelector('[role="alert"]')).toBeNull();
  expect(service.received).toHaveLength(1);
});

it('gets a notebook', async () => {
  await show();
  await press('.jp-PPO-get');
  expect(workspace.files.get('rl-first.ipynb')).toContain('NotImplementedError');
  expect(find('.jp-PPO-notice').textContent).toBe('Saved as rl-first.ipynb');
});

it('says why grading failed', async () => {
  workspace.open = [candidate('mine.ipynb')];
  await show();
  await press('.jp-PPO-submit');
  const [newest] = service.attempts;
  service.attempts = [
    {
      ...(newest as ISubmission),
      state: 'failed',
      attempt_state: 'failed',
      error: 'The engine is down.'
    }
  ];
  await pass(1_000);
  expect(find('.jp-PPO-state').textContent).toBe('Failed: The engine is down.');
  expect(node.querySelector('.jp-PPO-score')).toBeNull();
});

it('offers the feedback of an earlier attempt while a new one is graded', async () => {
  workspace.open = [candidate('mine.ipynb')];
  await show();
  await press('.jp-PPO-submit');
  service.move('graded', 4);
  await pass(1_000);
  await press('.jp-PPO-submit');
  expect(find('.jp-PPO-state').dataset.state).toBe('queued');
  expect(node.querySelectorAll('.jp-PPO-attempts li')).toHaveLength(2);
  await press('.jp-PPO-attemptFeedback');
  expect(workspace.shown).toEqual(['<p>id-1</p>']);
});

it('switches between courses', async () => {
  const rl = service.person.courses[0];
  service.person.courses = [
    ...(rl ? [rl] : []),
    { name: 'deep', title: 'Deep RL', role: 'grader' }
  ];
  await show();
  const select = find<HTMLSelectElement>('.jp-PPO-course select');
  await React.act(async () => {
    select.value = 'deep';
    select.dispatchEvent(new Event('change', { bubbles: true }));
  });
  expect(find('.jp-PPO-assignment').dataset.assignment).toBe('deep-first');
});

it('says what is wrong with the sandbox and how to mend it', async () => {
  service.person.sandbox = {
    available: false,
    engine: null,
    image: null,
    problem: 'No container engine answers.',
    remedy: 'Install docker.io.'
  };
  await show();
  expect(find('.jp-PPO-banner').textContent).toContain('No container engine answers.');
  expect(find('.jp-PPO-banner').textContent).toContain('Install docker.io.');
});

it('says nothing of a sandbox where workers elsewhere grade', async () => {
  service.person.sandbox = {
    available: false,
    engine: null,
    image: null,
    problem: 'This process has no sandbox.',
    remedy: null,
    grading: 'elsewhere'
  };
  await show();
  expect(document.querySelector('.jp-PPO-banner')).toBeNull();
});

it('tells a person without a course whom to ask', async () => {
  service.person.courses = [];
  await show();
  expect(find('.jp-PPO-empty').textContent).toContain('Ask your instructor');
});

it('shows that the service cannot be reached, and recovers', async () => {
  const answer = service.me;
  service.me = () => Promise.reject(new RequestError('No answer.', 'network', 0));
  await show();
  expect(find('[role="alert"]').textContent).toBe('No answer.');
  service.me = answer;
  await press('.jp-PPO-refresh');
  expect(node.querySelector('[role="alert"]')).toBeNull();
  expect(node.querySelectorAll('.jp-PPO-assignment')).toHaveLength(1);
});
