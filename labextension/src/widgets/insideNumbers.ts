/** The numbers of an update, and all of its samples, as tables. */
import { element } from '../live/elements';
import { formatCount, formatPercent, formatValue } from '../live/format';
import { exactValue } from '../live/readout';
import { gain, type IMinibatch, isHeld, sampleKl, summaryOf, surrogate } from '../live/surrogate';

type Cell = readonly [text: string, title?: string];

function row(head: string, cells: readonly Cell[]): HTMLTableRowElement {
  const made = element('tr', {}, element('th', { scope: 'row' }, head));
  made.append(...cells.map(([text, title]) => element('td', { title }, text)));
  return made;
}

function heads(texts: readonly string[]): HTMLTableSectionElement {
  const cells = texts.map(text => element('th', { scope: 'col' }, text));
  return element('thead', {}, element('tr', {}, ...cells));
}

/** "Update 37 at step 37,888". */
export function updateName({ update, step }: IMinibatch): string {
  return `Update ${formatCount(update)} at step ${formatCount(step)}`;
}

/** Write the numbers of a minibatch, and of another beside it, into a table. */
export function writeNumbers(
  table: HTMLTableElement,
  batch: IMinibatch,
  other: IMinibatch | null
): void {
  const shown = other ? [batch, other] : [batch];
  const every = shown.map(one => ({ ...summaryOf(one), epsilon: one.clipRange }));
  const share = (count: number, of: number): Cell => [
    `${formatPercent(count / of)} (${count} of ${of})`
  ];
  const value = (number: number, unit = ''): Cell => {
    const shownNumber = Math.abs(number) < 1e-6 ? 0 : number;
    return [`${formatValue(shownNumber)}${unit}`, exactValue(number)];
  };
  table.replaceChildren(
    element('caption', {}, 'The numbers of these samples'),
    heads(['', ...shown.map(updateName)]),
    element(
      'tbody',
      {},
      row(
        'Clip range ε',
        every.map(one => value(one.epsilon))
      ),
      row(
        'Clip fraction: |r − 1| > ε',
        every.map(one => share(one.outside, one.samples))
      ),
      row(
        'Clipped, no gradient',
        every.map(one => share(one.held, one.samples))
      ),
      row(
        'Mean KL: (r − 1) − ln r',
        every.map(one => value(one.meanKl, ' nats'))
      ),
      row(
        'Ratio r, lowest to highest',
        every.map(one => [`${formatValue(one.lowRatio)} to ${formatValue(one.highRatio)}`])
      ),
      row(
        'Mean advantage A',
        every.map(one => value(one.meanAdvantage))
      ),
      row(
        'Objective: mean of min(r·A, clip(r)·A)',
        every.map(one => value(one.objective))
      ),
      row(
        'Gain: the objective minus the mean advantage',
        every.map(one => value(one.gain))
      ),
      row(
        'Gain without the clip: mean of (r − 1)·A',
        every.map(one => value(one.plainGain))
      )
    )
  );
}

/** All digits that a float32 has. */
function float32(value: number): string {
  return exactValue(Number(value.toPrecision(7)));
}

/** Write all samples into a table, in the order of their ratios. */
export function writeSamples(table: HTMLTableElement, batch: IMinibatch): void {
  const { ratios, advantages, clipRange } = batch;
  const order = Array.from(ratios.keys()).sort(
    (one, other) => (ratios[one] ?? 0) - (ratios[other] ?? 0)
  );
  const body = element('tbody', {});
  for (const index of order) {
    const [ratio, advantage] = [ratios[index] ?? 1, advantages[index] ?? 0];
    const numbers = [
      advantage,
      surrogate(ratio, advantage, clipRange),
      gain(ratio, advantage, clipRange),
      (ratio - 1) * advantage
    ];
    const isFlat = isHeld(ratio, advantage, clipRange);
    const gradient = isFlat ? 'none: clipped' : advantage === 0 ? 'none: A is 0' : 'yes';
    body.append(
      row(float32(ratio), [
        ...numbers.map(number => [float32(number)] as const),
        [gradient],
        [float32(sampleKl(ratio))]
      ])
    );
  }
  table.replaceChildren(
    element('caption', {}, `${updateName(batch)}: ${ratios.length} samples, by their ratio`),
    heads([
      'Ratio r',
      'Advantage A',
      'Objective',
      'Gain',
      'Gain without the clip',
      'Gradient',
      'KL (nats)'
    ]),
    body
  );
}
