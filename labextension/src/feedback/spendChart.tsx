import * as React from 'react';

import { costOf, PURPOSES, stackOf, topOf } from './spendModel';
import type { ISpend, ISpendDay } from './types';
import { amountText, moneyText } from './words';

const WIDTH = 640;
const HEIGHT = 180;
const LEFT = 70;
const BOTTOM = 22;

/** Bars for each day, one piece for each purpose, and the same as a table. */
export function SpendChart({ spend }: { spend: ISpend }): JSX.Element {
  const { days, currency } = spend;
  const id = React.useId();
  const top = topOf(days);
  const step = (WIDTH - LEFT) / Math.max(1, days.length);
  const height = (cost: number): number => (top === 0 ? 0 : (cost / top) * (HEIGHT - BOTTOM - 8));
  const every = Math.max(1, Math.ceil(days.length / 8));
  return (
    <div className="jp-PPO-spend">
      <figure>
        <figcaption id={id}>Cost per day (UTC) and purpose</figcaption>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-labelledby={id}>
          <line className="jp-PPO-spendAxis" x1={LEFT} x2={WIDTH} y1={FLOOR} y2={FLOOR} />
          <line className="jp-PPO-spendGrid" x1={LEFT} x2={WIDTH} y1={8} y2={8} />
          <text x={LEFT - 6} y={12} textAnchor="end">
            {moneyText(top, currency)}
          </text>
          <text x={LEFT - 6} y={FLOOR} textAnchor="end">
            0
          </text>
          {days.map((day, index) => (
            <g key={day.date}>
              <Bar day={day} x={LEFT + index * step} width={step} height={height} />
              {index % every === 0 && (
                <text x={LEFT + (index + 0.5) * step} y={HEIGHT - 6} textAnchor="middle">
                  {day.date.slice(5)}
                </text>
              )}
            </g>
          ))}
        </svg>
        <ul className="jp-PPO-spendLegend">
          {PURPOSES.map(([purpose, label]) => (
            <li key={purpose}>
              <span className="jp-PPO-swatch" data-purpose={purpose} aria-hidden="true" />
              {label}
            </li>
          ))}
        </ul>
      </figure>
      <SpendTable spend={spend} />
    </div>
  );
}

const FLOOR = HEIGHT - BOTTOM;

interface IBarProps {
  day: ISpendDay;
  x: number;
  width: number;
  height: (cost: number) => number;
}

function Bar({ day, x, width, height }: IBarProps): JSX.Element {
  return (
    <>
      {stackOf(day).map(({ purpose, from, to }) => (
        <rect
          key={purpose}
          data-purpose={purpose}
          x={x + width * 0.12}
          width={width * 0.76}
          y={FLOOR - height(to)}
          height={height(to) - height(from)}
        />
      ))}
    </>
  );
}

function SpendTable({ spend }: { spend: ISpend }): JSX.Element {
  const { currency } = spend;
  const days = spend.days.filter(({ calls }) => calls > 0);
  return (
    <div className="jp-PPO-tableScroll" tabIndex={0} role="region" aria-label="Cost per day">
      <table className="jp-PPO-table">
        <caption>Days with calls, costs in {currency}</caption>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col">Calls</th>
            {PURPOSES.map(([purpose, label]) => (
              <th key={purpose} scope="col">
                {label}
              </th>
            ))}
            <th scope="col">Together</th>
          </tr>
        </thead>
        <tbody>
          {days.map(day => (
            <tr key={day.date}>
              <th scope="row">{day.date}</th>
              <td>{day.calls}</td>
              {PURPOSES.map(([purpose]) => (
                <td key={purpose}>{amountText(costOf(day, purpose))}</td>
              ))}
              <td>{amountText(day.cost)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
