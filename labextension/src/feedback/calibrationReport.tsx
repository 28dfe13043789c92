import * as React from 'react';

import { answerName, figureText, shareText } from './words';
import type { IAgreement, ICalibration, ICriterionAgreement } from './types';

/** How far the drafts agree with the person, and whether that is enough. */
export function CalibrationReport({ report }: { report: ICalibration }): JSX.Element {
  const { is_passed: isPassed, threshold, why_not: whyNot, overall, criteria } = report;
  return (
    <section className="jp-PPO-calibrationReport" aria-label="Agreement">
      <h3>Agreement</h3>
      <p
        className={`jp-PPO-notice ${isPassed ? 'jp-mod-done' : 'jp-PPO-notPassed'}`}
        data-passed={isPassed}
      >
        <strong>{isPassed ? 'Passed.' : 'Not passed yet.'}</strong> Drafting in bulk needs a
        weighted kappa (QWK) of at least {threshold.toFixed(2)}.{' '}
        {isPassed ? 'Answers of this exercise may be drafted in bulk.' : whyNot}
      </p>
      {criteria.length > 0 && (
        <div className="jp-PPO-tableScroll" tabIndex={0} role="region" aria-label="Figures">
          <table className="jp-PPO-table jp-PPO-agreement">
            <caption>
              Agreement on {answerName(report.grade_id)}, with 95 % intervals; a bias above 0 means
              that the drafts give higher levels than the person.
            </caption>
            <thead>
              <tr>
                <th scope="col">Criterion</th>
                <th scope="col">Answers</th>
                <th scope="col">QWK</th>
                <th scope="col">Same level</th>
                <th scope="col">At most one apart</th>
                <th scope="col">Bias, in levels</th>
              </tr>
            </thead>
            <tbody>
              {criteria.map(each => (
                <Row key={each.name} name={each.title} figures={each} />
              ))}
              {overall !== null && <Row name="All together" figures={overall} />}
            </tbody>
          </table>
        </div>
      )}
      <div className="jp-PPO-confusions">
        {criteria
          .filter(({ n }) => n > 0)
          .map(each => (
            <Confusion key={each.name} criterion={each} />
          ))}
      </div>
    </section>
  );
}

function Row({ name, figures }: { name: string; figures: IAgreement }): JSX.Element {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{figures.n}</td>
      <td>{figureText(figures.qwk)}</td>
      <td>{shareText(figures.exact)}</td>
      <td>{shareText(figures.adjacent)}</td>
      <td>{figureText(figures.bias)}</td>
    </tr>
  );
}

/** How often the person chose a level (rows) where the draft chose one (columns). */
function Confusion({ criterion }: { criterion: ICriterionAgreement }): JSX.Element {
  const { title, levels, confusion } = criterion;
  return (
    <table className="jp-PPO-table jp-PPO-confusion">
      <caption>{title}: the person’s levels down, the drafts’ across</caption>
      <thead>
        <tr>
          <th scope="col">Person</th>
          {levels.map(level => (
            <th key={level} scope="col">
              {level}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {levels.map((level, person) => (
          <tr key={level}>
            <th scope="row">{level}</th>
            {levels.map((other, draft) => (
              <td key={other} data-same={person === draft}>
                {confusion[person]?.[draft] ?? 0}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
