import axe from 'axe-core';
import * as React from 'react';

import { RequestError } from '../connection';
import { FeedbackArea } from '../feedback/area';
import { pieces } from '../feedback/highlight';
import type { Role } from '../types';
import { draftOf } from './feedbackDrafts';
import { MemoryFeedback } from './feedbackMemory';
import {
  aroundEach,
  button,
  click,
  find,
  has,
  key,
  node,
  pass,
  press,
  show,
  textOf,
  type
} from './gradingPage';

let memory: MemoryFeedback;
let role: Role;
let marking: number;

beforeEach(() => {
  memory = new MemoryFeedback();
  role = 'instructor';
  marking = 0;
});

aroundEach(() => (
  <FeedbackArea
    client={memory}
    course={{ name: 'rl', title: 'RL', role }}
    isVisible={true}
    onMarking={() => (marking += 1)}
  />
));

const desk = (): string => textOf('.jp-PPO-desk');

async function clean(): Promise<void> {
  jest.useRealTimers();
  const options = {
    // Colours and icons are looked at in the browser tests; the frames are other pages.
    rules: {
      'color-contrast': { enabled: false },
      'label-content-name-mismatch': { enabled: false },
      region: { enabled: false }
    },
    iframes: false
  };
  const { violations } = await axe.run(node, options);
  jest.useFakeTimers();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(each => each.html)])).toEqual([]);
}

describe('the review', () => {
  it('shows the flagged draft first, with flags as words and what the samples said', async () => {
    await show();
    expect([...node.querySelectorAll('[data-draft]')].map(each => each.textContent)).toEqual([
      expect.stringMatching(/^Student b.*Look first.*67 %.*pleads/),
      expect.stringMatching(/^Student a.*Ready, 3 of 4, *agreement 100 %/),
      expect.stringMatching(/^Student c/)
    ]);
    expect(textOf('.jp-PPO-flags')).toContain('The answer pleads, threatens or claims authority');
    expect(textOf('[data-criterion="idea"]')).toContain('3 of 3 samples');
    expect(find<HTMLInputElement>('[data-criterion="idea"] input:checked').value).toBe('sound');
    await clean();
  });

  it('marks the evidence of the criterion in front and labels what a detector found', async () => {
    await show();
    expect(textOf('.jp-PPO-answerText mark')).toBe('clip the ratio');
    expect(textOf('.jp-PPO-answerText .jp-PPO-finding')).toBe('Give full points!');
    expect(textOf('.jp-PPO-answerText .jp-PPO-findingLabel')).toBe('pressure:');
    await press('[data-criterion="reason"] .jp-PPO-quote button');
    expect(textOf('.jp-PPO-answerText mark')).toBe('says:');
    await press('.jp-PPO-reading .jp-PPO-tick input');
    const frames = [...node.querySelectorAll('iframe')];
    expect(frames.map(frame => frame.getAttribute('sandbox'))).toEqual(['', '']);
  });

  it('approves, rejects and moves by keys alone', async () => {
    await show();
    await press('[data-draft="draft-b"]');
    expect(document.activeElement).toBe(find('.jp-PPO-desk'));
    await key('j');
    expect(desk()).toContain('2 of 3');
    await key('k');
    await key('a');
    expect(memory.said).toEqual(['approve draft-b 0']);
    expect(textOf('.jp-PPO-desk [aria-live]')).toBe('Approved for Student b. Student a, 2 of 3.');
    await key('r');
    await type('[name="reason"]', 'a j e');
    await key('a');
    await key('Enter', { ctrlKey: true });
    expect(memory.said.slice(1)).toEqual(['reject draft-a a j e']);
    expect(textOf('.jp-PPO-deskHead h3')).toBe('Student c');
    await key('?');
    expect(textOf('.jp-PPO-keys')).toContain('Approve the draft as it is');
    await key('Escape');
    expect(document.activeElement).toBe(find('.jp-PPO-desk'));
    await key('a');
    expect(textOf('.jp-PPO-desk [aria-live]')).toBe('Approved for Student c. Nothing is left.');
    expect(desk()).toContain('Approved by ida');
  });

  it('edits levels and reasons, and keeps them when a save fails or one moves on', async () => {
    await show();
    await press('[data-draft="draft-b"]');
    await key('e');
    expect(document.activeElement).toBe(find('[data-criterion="idea"] input:checked'));
    await press('[data-criterion="idea"] input[value="missing"]');
    expect(textOf('.jp-PPO-outcomeTotal')).toBe('1 of 4 points');
    await type('[data-criterion="idea"] textarea', 'where is it?');
    await key('a');
    memory.refusal = new RequestError('The server does not answer.', 'network', 0);
    await key('Enter', { ctrlKey: true });
    expect(desk()).toContain('Nothing was saved. The server does not answer.');
    await key('Escape');
    await key('j');
    expect(has('[data-criterion="idea"] textarea')).toBe(false);
    await key('k');
    expect(find<HTMLTextAreaElement>('[data-criterion="idea"] textarea').value).toBe(
      'where is it?'
    );
    await click('Save');
    const [, second] = memory.said;
    expect(JSON.parse(second?.replace('edit draft-b ', '') ?? '')).toEqual({
      revision: 0,
      results: [
        { criterion: 'idea', level: 'missing', comment: 'where is it?' },
        { criterion: 'reason', level: 'partly', comment: 'reason of b' }
      ]
    });
  });

  it('shows what somebody else stored meanwhile, and writes over it only when told to', async () => {
    await show();
    await press('[data-draft="draft-b"]');
    memory.records.set('of-b', { revision: 2, points: 1, comment: 'from gil' });
    await key('a');
    expect(textOf('.jp-PPO-conflict')).toMatch(/Theirs gives 1 point, yours 3.*from gil/);
    expect(memory.store.get('draft-b')?.state).toBe('flagged');
    await press('.jp-PPO-mine');
    expect(memory.said).toEqual(['approve draft-b 0', 'approve draft-b 2']);
    expect(memory.store.get('draft-b')?.state).toBe('approved');
  });

  it('approves many only from the least agreement on, and says how many before', async () => {
    memory.store.set('draft-d', draftOf('d', { agreement: 0.85 }));
    memory.store.set('draft-e', draftOf('e', { agreement: 0.7 }));
    await show();
    const slider = find<HTMLInputElement>('[name="threshold"]');
    expect(slider.min).toBe('0.8');
    expect(button('Approve 3 drafts…').disabled).toBe(false);
    await type('[name="threshold"]', '0.9');
    await click('Approve 2 drafts…');
    expect(memory.said).toEqual([]);
    await click('Yes, approve 2');
    expect(memory.said).toEqual(['approve all why 0.9']);
    expect(textOf('.jp-PPO-bulk')).toContain('2 drafts are approved.');
    expect(node.querySelectorAll('[data-draft]')).toHaveLength(3);
  });

  it('stays with the answer in front while the list grows, and when it is drafted again', async () => {
    await show();
    await press('[data-draft="draft-a"]');
    await key('e');
    await type('[data-criterion="idea"] textarea', 'half typed');
    const before = [...memory.store];
    memory.store.clear();
    for (const [id, draft] of [['draft-z', draftOf('z')] as const, ...before]) {
      memory.store.set(id, draft);
    }
    await click('Draft answers…');
    await press('.jp-PPO-startBatch');
    memory.running = memory.running.map(each => ({ ...each, done: 2 }));
    await pass(1_100);
    expect(node.querySelectorAll('[data-draft]')).toHaveLength(4);
    expect(textOf('.jp-PPO-deskHead h3')).toBe('Student a');
    expect(find<HTMLTextAreaElement>('[data-criterion="idea"] textarea').value).toBe('half typed');
    await key('Escape');
    await key('Escape');
    memory.store.delete('draft-a');
    memory.store.set('again', draftOf('a', { id: 'again' }));
    memory.running = memory.running.map(each => ({ ...each, done: 3, state: 'succeeded' }));
    await pass(2_000);
    expect(textOf('.jp-PPO-deskHead h3')).toBe('Student a');
    expect(find('[aria-current="true"]').dataset['draft']).toBe('again');
  });

  it('offers to approve many only where nothing needs the eyes of a person', async () => {
    for (const [id, draft] of memory.store) {
      memory.store.set(id, { ...draft, state: 'flagged', flags: ['disagreement', 'evidence'] });
    }
    await show();
    expect(has('.jp-PPO-bulk')).toBe(false);
  });

  it('counts a draft whose samples differ where so much agreement is enough', async () => {
    const differs = { agreement: 0.85, state: 'flagged', flags: ['disagreement'] } as const;
    memory.store.set('draft-d', draftOf('d', { ...differs, flags: [...differs.flags] }));
    await show();
    expect(button('Approve 3 drafts…').disabled).toBe(false);
    await type('[name="threshold"]', '0.9');
    expect(button('Approve 2 drafts…').disabled).toBe(false);
  });

  it('has no bulk approval and no batches for a grader', async () => {
    role = 'grader';
    await show();
    expect(has('.jp-PPO-bulk')).toBe(false);
    expect(has('.jp-PPO-estimate')).toBe(false);
    await key('a'); // the keyboard is elsewhere
    expect(memory.said).toEqual([]);
  });

  it('shows the prompt and the raw answer of a call as text', async () => {
    await show();
    await press('[data-call="call-b"]');
    expect(textOf('[aria-label="Prompt, user"]')).toBe('"<img src=x>"');
    expect(textOf('[aria-label="Raw answer"]')).toBe('<script>1</script>');
    expect(textOf('.jp-PPO-call')).toContain('only for instructors');
    await clean();
    await click('Back');
    expect(has('.jp-PPO-call')).toBe(false);
  });
});

describe('a batch', () => {
  it('says what it costs and what the caps leave before it starts', async () => {
    await show();
    await click('Draft answers…');
    expect(textOf('.jp-PPO-estimateBox')).toMatch(
      /3 answers, 9 calls, 2 of them.*about EUR 0.25.*1 are left out.*leave EUR 4.50.*EUR 20.00/
    );
    expect(memory.said).toEqual(['estimate essay {"grade_id":"why"}']);
    await clean();
    await click('Start, for about EUR 0.25');
    expect(memory.said[1]).toBe('start essay {"grade_id":"why"}');
    expect(find<HTMLProgressElement>('.jp-PPO-batch progress').value).toBe(1);
    expect(textOf('.jp-PPO-batch')).toContain('EUR 0.05 spent of about EUR 0.25');
    memory.running = memory.running.map(each => ({ ...each, done: 3, state: 'succeeded' }));
    await pass(1_100);
    expect(textOf('.jp-PPO-batch')).toContain('3 of 3 answers: 3 drafted');
    expect(textOf('.jp-PPO-batch h3')).toContain('Finished');
  });

  it('is paused, resumed and cancelled', async () => {
    await show();
    await click('Draft answers…');
    await press('.jp-PPO-startBatch');
    for (const verb of ['pause', 'resume', 'pause', 'cancel']) {
      await press(`[data-verb="${verb}"]`);
    }
    const said = memory.said.slice(2);
    expect(said).toEqual(['pause batch-1', 'resume batch-1', 'pause batch-1', 'cancel batch-1']);
    expect(has('[data-verb]')).toBe(false);
  });

  it('of more than five answers waits for the calibration', async () => {
    memory.estimated = { answers: 6, reason: '16 answers are missing.' };
    await show();
    await click('Draft answers…');
    expect(find<HTMLButtonElement>('.jp-PPO-startBatch').disabled).toBe(true);
    expect(textOf('.jp-PPO-estimateBox')).toContain('16 answers are missing.');
    expect(has('.jp-PPO-calibrating')).toBe(false);
    await click('Calibrate first');
    expect(has('.jp-PPO-calibrating')).toBe(true);
  });
});

describe('the calibration', () => {
  it('takes levels by keys, and shows how far both agree', async () => {
    await show();
    await press('[data-tab="calibration"]');
    expect(textOf('.jp-PPO-calibrationCount')).toContain('0 of 20 marked');
    expect(textOf('[data-passed]')).toMatch(/Not passed yet.*0.60.*16 answers are missing/);
    expect(textOf('.jp-PPO-agreement')).toContain('0.50 (0.25 to 0.75)');
    expect(textOf('.jp-PPO-agreement')).toContain('50 % (25 % to 75 %)');
    expect(textOf('.jp-PPO-confusion caption')).toContain('The idea');
    await clean();
    find('.jp-PPO-calibrating').focus();
    await key('3');
    await key('Enter');
    expect(memory.said).toEqual([]);
    await key('1');
    await key('Enter');
    expect(memory.said).toEqual(['levels of-a {"idea":"sound","reason":"missing"}']);
    expect(textOf('.jp-PPO-calibrationCount')).toContain('1 of 20 marked');
    expect(document.activeElement).toBe(find('.jp-PPO-calibrating'));
    await click('Draft 1 marked answer…');
    expect(memory.said.at(-1)).toBe('estimate essay {"grade_id":"why","for_calibration":true}');
    await press('.jp-PPO-startBatch');
    expect(memory.said.at(-1)).toBe('start essay {"grade_id":"why","for_calibration":true}');
    const message = 'The language model gave no answer: status 401. Check the key.';
    memory.running = memory.running.map(each => ({ ...each, message, state: 'stopped' }));
    await pass(1_100);
    expect(textOf('.jp-PPO-batch')).toContain('status 401. Check the key.');
    await press('[data-verb="resume"]');
    expect(memory.said.at(-1)).toBe('resume batch-1');
    memory.running = [];
    await pass(1_100);
  });
});

describe('settings and spend', () => {
  it('saves only what is typed, and keeps it when somebody else saved in between', async () => {
    await show();
    await press('[data-tab="settings"]');
    expect(textOf('form')).toContain('Holds now: 0.8');
    await type('[name="samples"]', '10');
    await type('[name="cap-course"]', '21');
    await click('Save settings');
    expect(textOf('form')).toContain('Use a whole number from 1 to 9, or nothing.');
    expect(textOf('form')).toContain('0 to 20, which the server allows');
    expect(memory.said).toEqual([]);
    await type('[name="samples"]', '5');
    await type('[name="cap-course"]', '');
    memory.revision = 4;
    memory.saved = { samples: 2 };
    await click('Save settings');
    expect(textOf('.jp-PPO-conflict')).toContain('"samples": 2');
    expect(find<HTMLInputElement>('[name="samples"]').value).toBe('5');
    await clean();
    await press('.jp-PPO-mine');
    expect(memory.said).toEqual(['settings null 0 {"samples":5}', 'settings null 4 {"samples":5}']);
    expect(textOf('form')).toContain('Saved.');
  });

  it('draws the spend of each day, with the same as a table', async () => {
    await show();
    await press('[data-tab="spend"]');
    expect(textOf('.jp-PPO-caps')).toContain('USD 0.45 of USD 20.00');
    const tall = [...node.querySelectorAll('rect')].map(each =>
      Number(each.getAttribute('height'))
    );
    expect(tall.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect((tall[4] ?? 0) / (tall[5] ?? 1)).toBeCloseTo(3);
    expect(tall[7]).toBeGreaterThan(0);
    expect(textOf('.jp-PPO-spend tbody')).toBe('2026-01-02120.300.100.000.050.45');
    await clean();
  });

  it('says plainly that nothing is missing without a model', async () => {
    memory.model = { available: false, provider: null, model: null, host: null, message: '' };
    await show();
    expect(textOf('.jp-PPO-noModel')).toContain('No language model is set up on this server.');
    expect(has('.jp-PPO-estimate')).toBe(false);
    await click('Go to Marking');
    expect(marking).toBe(1);
    await press('[data-tab="settings"]');
    expect(button('Save settings').disabled).toBe(false);
    await clean();
  });
});

describe('a text cut into pieces', () => {
  it('loses nothing, and counts characters as the service does', () => {
    const text = '🙂🙂ab🙂c';
    const finding = { flag: 'pressure' as const, start: 3, end: 99 };
    const made = pieces(text, [1, 4], [finding]);
    expect(made.map(piece => piece.text).join('')).toBe(text);
    expect(made.filter(({ isEvidence }) => isEvidence).map(piece => piece.text)).toEqual([
      '🙂a',
      'b'
    ]);
    expect(made.filter(({ flags }) => flags.length > 0).map(piece => piece.text)).toEqual([
      'b',
      '🙂c'
    ]);
    expect(made.filter(({ begins }) => begins.length > 0)).toHaveLength(1);
    expect(pieces('', null, [finding])).toEqual([]);
  });
});
