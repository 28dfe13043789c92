import { Outcomes } from '../instructor/outcomes';
import {
  definitionDraft,
  definitionProblem,
  moved,
  newCriterion,
  sizeText
} from '../instructor/outcomeModel';
import {
  aroundEach,
  button,
  click,
  find,
  has,
  node,
  press,
  service,
  show,
  submit,
  textOf,
  type
} from './gradingPage';

aroundEach(Outcomes);

const LEVEL = (criterion: string, level: string): string =>
  `[data-criterion="${criterion}"] [value="${level}"]`;

async function desk(): Promise<void> {
  await show();
  await press('[aria-label="Judge ada"]');
}

describe('judging', () => {
  it('saves a draft with the levels and words, and says who wrote it', async () => {
    await desk();
    expect(textOf('.jp-PPO-outcomeState')).toContain('Nothing written yet');
    await press(LEVEL('method', 'sound'));
    await type('[aria-label="Comment on METHOD"]', 'gamma is missing');
    await type('[aria-label="Points of METHOD"]', '1.5');
    await type('[name="summary"]', 'careful');
    await type('[name="private_note"]', 'ask');
    expect(textOf('.jp-PPO-outcomeTotal')).toBe('1.5 of 4 points, no level yet for PROSE');
    await submit('.jp-PPO-outcomeForm');
    expect(JSON.parse(service.said[0]?.slice('outcome '.length) ?? '')).toEqual({
      results: [{ criterion: 'method', level: 'sound', points: 1.5, comment: 'gamma is missing' }],
      summary: 'careful',
      private_note: 'ask',
      revision: 0
    });
    expect(textOf('.jp-PPO-outcomeState')).toContain('by a person');
    expect(textOf('.jp-PPO-outcomeForm > .jp-PPO-acted')).toContain('Saved as revision 1.');
    expect(textOf('.jp-PPO-private')).toContain('the student never sees it');
  });

  it('is approved once every criterion has a level, with what was typed', async () => {
    await desk();
    await press(LEVEL('method', 'sound'));
    expect(button('Approve').disabled).toBe(true);
    await press(LEVEL('prose', 'missing'));
    await click('Approve');
    expect(service.said.map(said => said.split(' ')[0])).toEqual(['outcome', 'approve']);
    expect(service.said[1]).toBe('approve 1');
    await click('Release');
    expect(textOf('.jp-PPO-outcomeState')).toContain('Released to the student');
    expect(find<HTMLFieldSetElement>('.jp-PPO-outcomeForm fieldset').disabled).toBe(true);
    await click('Withdraw');
    expect(find<HTMLFieldSetElement>('.jp-PPO-outcomeForm fieldset').disabled).toBe(false);
  });

  it('asks which to keep when somebody saved in between', async () => {
    await desk();
    const results = [{ criterion: 'method', level: 'missing', points: 0, comment: 'from gil' }];
    service.write({ revision: 3, results, author: 'gil', changed_by: 'gil' });
    await press(LEVEL('method', 'sound'));
    await submit('.jp-PPO-outcomeForm');
    expect(textOf('.jp-PPO-conflict')).toMatch(/Revision 3.*gil.*from gil/);
    await press('.jp-PPO-mine');
    expect(service.stored).toMatchObject({ revision: 4, results: [{ level: 'sound' }] });
    expect(has('.jp-PPO-conflict')).toBe(false);
  });

  it('takes theirs', async () => {
    await desk();
    const results = [{ criterion: 'method', level: 'missing', points: 0, comment: 'from gil' }];
    service.write({ revision: 3, results, author: 'gil', changed_by: 'gil' });
    await press(LEVEL('method', 'sound'));
    await submit('.jp-PPO-outcomeForm');
    await press('.jp-PPO-theirs');
    expect(find<HTMLInputElement>(LEVEL('method', 'missing')).checked).toBe(true);
    expect(textOf('.jp-PPO-outcomeState')).toContain('gil');
  });

  it('tells what a program wrote from what a person wrote', async () => {
    service.write({ revision: 1, author_kind: 'program', author: 'drafter 1.0', changed_by: null });
    await desk();
    expect(textOf('.jp-PPO-outcomeState')).toMatch(/by a program.*drafter 1\.0/);
    await press('.jp-PPO-revisions button');
    expect(textOf('[data-revision="1"]')).toContain('by a program');
  });

  it('shows the entry: files to download, the run, and texts where nothing can run', async () => {
    await desk();
    expect(node.querySelector('iframe[title="Text"]')?.getAttribute('sandbox')).toBe('');
    await press('[aria-label="Download figures/a.png"]');
    expect(service.said).toEqual(['download figures/a.png']);
    expect(textOf('.jp-PPO-metrics tbody')).toBe('loss10.25–––');
  });
});

it('releases all that are approved', async () => {
  await show();
  await click('Release all approved');
  expect(service.said).toEqual(['release all']);
  expect(textOf('.jp-PPO-acted')).toContain('2 outcomes are released.');
});

it('leaves definitions and the release of all to instructors', async () => {
  service.myRole = 'grader';
  await show();
  expect(node.textContent).not.toContain('New entry');
  expect(node.textContent).not.toContain('Release all approved');
  expect(has('[aria-label="Judge ada"]')).toBe(true);
});

describe('a definition', () => {
  it('is made without JSON', async () => {
    await show();
    await click('New entry');
    expect(button('Release the entry').disabled).toBe(true);
    await type('[name="name"]', 'essay');
    await type('[name="title"]', 'An essay');
    await type('[name="criterion-title"]', 'Quality');
    await press('[aria-label="Remove level 2 of criterion 1"]');
    await submit('.jp-PPO-definition');
    const [said = ''] = service.said;
    expect(said).toContain('define essay ""');
    expect(JSON.parse(said.slice(said.indexOf('{')))).toMatchObject({
      title: 'An essay',
      parts: ['text'],
      rubric: [
        {
          name: 'quality',
          title: 'Quality',
          levels: [
            { name: 'missing', points: 0 },
            { name: 'sound', points: 2 }
          ]
        }
      ]
    });
    expect(find<HTMLSelectElement>('[name="entry"]').value).toBe('essay');
  });

  it('is changed: criteria move, and what is new is said', async () => {
    await show();
    await click('Edit definition');
    await press('[aria-label="Move criterion 2 up"]');
    await type('[name="note"]', 'prose first');
    await submit('.jp-PPO-definition');
    const [said = ''] = service.said;
    expect(said).toContain('define report "prose first"');
    const { rubric } = JSON.parse(said.slice(said.indexOf('{'))) as { rubric: { name: string }[] };
    expect(rubric.map(criterion => criterion.name)).toEqual(['prose', 'method']);
    expect(rubric[0]).toMatchObject({ note: 'look at gamma' });
  });

  it.each([
    ['no title', (draft: Draft) => ({ ...draft, title: ' ' }), 'title'],
    ['nothing to hand in', (draft: Draft) => ({ ...draft, parts: [] }), 'hand in'],
    ['no criterion', (draft: Draft) => ({ ...draft, rubric: [] }), 'Add a criterion'],
    ['a name with a space', (draft: Draft) => criterion(draft, { name: 'a b' }), 'letters'],
    ['one level', (draft: Draft) => criterion(draft, { levels: [] }), 'two levels'],
    [
      'a doubled name',
      (draft: Draft) => ({ ...draft, rubric: [...draft.rubric, ...draft.rubric] }),
      'twice'
    ]
  ])('is not released with %s', (_what, change, problem) => {
    const draft = criterion({ ...definitionDraft(null), title: 'One' }, { title: 'Quality' });
    expect(definitionProblem(draft)).toBeNull();
    expect(definitionProblem(change(draft))).toContain(problem);
  });
});

type Draft = ReturnType<typeof definitionDraft>;

function criterion(draft: Draft, change: Partial<ReturnType<typeof newCriterion>>): Draft {
  return { ...draft, rubric: draft.rubric.map(each => ({ ...each, ...change })) };
}

it('moves an item within its list only', () => {
  expect(moved(['a', 'b', 'c'], 2, -1)).toEqual(['a', 'c', 'b']);
  expect(moved(['a', 'b', 'c'], 0, -1)).toEqual(['a', 'b', 'c']);
  expect(moved(['a', 'b', 'c'], 2, 1)).toEqual(['a', 'b', 'c']);
});

it('shows sizes in units that people read', () => {
  expect([12, 2048, 3 * 1024 * 1024].map(sizeText)).toEqual(['12 bytes', '2.0 KiB', '3.0 MiB']);
});
