import * as React from 'react';

import { Loaded } from '../instructor/parts';
import { useLoaded } from '../instructor/resource';
import { CalibrationMarks } from './calibrationMarks';
import { CalibrationReport } from './calibrationReport';
import { BatchList, usePolling } from './draftBatch';
import { Start } from './startBatch';
import type { ICalibration, IDraftBatch, IFeedbackClient } from './types';

interface ICalibrationProps {
  client: IFeedbackClient;
  course: string;
  assignment: string;
  gradeId: string;
  mayStart: boolean;
  isVisible: boolean;
}

/** A person marks some answers first; how far the drafts agree decides about drafting in bulk. */
export function Calibration(props: ICalibrationProps): JSX.Element {
  const { client, course, assignment, gradeId, mayStart, isVisible } = props;
  const ask = React.useCallback(async () => {
    const [report, batches] = await Promise.all([
      client.calibration(course, assignment, gradeId),
      client.batches(course, assignment)
    ]);
    return { report, batches: batches.items };
  }, [client, course, assignment, gradeId]);
  const [loaded, reload] = useLoaded(ask);
  const isRunning = loaded.value?.batches.some(({ state }) => state === 'running') ?? false;
  usePolling(reload, isRunning, isVisible);
  return (
    <Loaded loaded={loaded} onRetry={reload}>
      {({ report, batches }) => (
        <>
          <Progress report={report} />
          <section className="jp-PPO-draftBatches" aria-label="Drafting">
            {mayStart && report.marked > 0 && (
              <Start
                client={client}
                course={course}
                assignment={assignment}
                gradeId={gradeId === '' ? null : gradeId}
                isRunning={isRunning}
                forCalibration={report.marked}
                onStarted={reload}
              />
            )}
            <BatchList
              client={client}
              batches={ofCalibration(batches, gradeId)}
              mayChange={mayStart}
              onChanged={reload}
            />
          </section>
          <CalibrationReport report={report} />
          <CalibrationMarks
            client={client}
            course={course}
            assignment={assignment}
            gradeId={gradeId}
            onMarked={reload}
          />
        </>
      )}
    </Loaded>
  );
}

/** Whatever holds a new batch up, and the newest one that drafted what is marked here. */
function ofCalibration(batches: readonly IDraftBatch[], gradeId: string): readonly IDraftBatch[] {
  return batches.filter(
    ({ state, for_calibration: isOfThis, grade_id: other }) =>
      state === 'running' || (isOfThis && (other ?? '') === gradeId)
  );
}

function Progress({ report }: { report: ICalibration }): JSX.Element {
  const { marked, needed, drafted } = report;
  return (
    <div className="jp-PPO-calibrationProgress">
      <p>
        Give levels to at least {needed} answers before you see what a model drafts for them. Then
        let it draft the same answers: how far both agree decides whether it may draft the rest.
      </p>
      <progress aria-label="Answers marked" max={needed} value={Math.min(marked, needed)} />
      <p className="jp-PPO-remark jp-PPO-calibrationCount" role="status">
        {marked} of {needed} marked, {drafted} of them drafted.
      </p>
    </div>
  );
}
