import * as React from 'react';

import { answerName, biasText, figureText, shareText } from './words';
import type { IAgreement, ICalibration, ICriterionAgreement } from './types';

/** How far the drafts agree with the person, and whether that is enough. */
export function CalibrationReport({ report }: { report: ICalibration }): JSX.Element {
  const { is_passed: isPassed, threshold, why_not: whyNot, overall, criteria } = report;
  const isKnown = criteria.some(({ n }) => n > 0);
  return (
    <section className="jp-PPO-calibrationReport" aria-label="Agreement">
      <h3>Agreement</h3>
      <p
        className={`jp-PPO-notice ${isPassed ? 'jp-mod-done' : 'jp-PPO-notPassed'}`}
        data-passed={isPassed}
      >
        <strong>{isPassed ? 'Passed.' : 'Not passed yet.'}</strong>{' '}
        {overall?.qwk &&
          `The weighted kappa (QWK) of all criteria is ${overall.qwk.value.toFixed(2)}. `}
        Drafting in bulk needs a QWK of at least {threshold.toFixed(2)}.{' '}
        {isPassed ? 'The other answers may be drafted now, under “Review”.' : whyNot}
      </p>
      {isKnown && (
        <div className="jp-PPO-tableScroll" tabIndex={0} role="region" aria-label="Figures">
          <table className="jp-PPO-table jp-PPO-agreement">
            <caption>
              Agreement on {answerName(report.grade_id)}, with 95 % intervals; a bias above 0 means
              that the drafts give higher levels than the person. QWK is agreement beyond chance: 1
              is the same everywhere, 0 is chance.
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
      <td>{biasText(figures.bias)}</td>
    </tr>
  );
}

/** How often the person chose a level (rows) where the draft chose one (columns). */
function Confusion({ criterion }: { criterion: ICriterionAgreement }): JSX.Element {
  const { title, levels, confusion } = criterion;
  return (
    <table className="jp-PPO-table jp-PPO-confusion">
      <caption>{title}: how many answers got which level</caption>
      <thead>
        <tr>
          <th scope="col">Person ↓ draft →</th>
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
