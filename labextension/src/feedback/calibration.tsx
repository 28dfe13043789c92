import * as React from 'react';

import { Loaded } from '../instructor/parts';
import { useLoaded } from '../instructor/resource';
import { CalibrationMarks } from './calibrationMarks';
import { CalibrationReport } from './calibrationReport';
import { usePolling } from './draftBatch';
import { Start } from './startBatch';
import type { ICalibration, IFeedbackClient } from './types';

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
    return { report, isRunning: batches.items.some(({ state }) => state === 'running') };
  }, [client, course, assignment, gradeId]);
  const [loaded, reload] = useLoaded(ask);
  usePolling(reload, loaded.value?.isRunning ?? false, isVisible);
  return (
    <Loaded loaded={loaded} onRetry={reload}>
      {({ report, isRunning }) => (
        <>
          <Progress report={report} />
          <CalibrationMarks
            client={client}
            course={course}
            assignment={assignment}
            gradeId={gradeId}
            onMarked={reload}
          />
          {mayStart && report.marked > 0 && (
            <Start
              client={client}
              course={course}
              assignment={assignment}
              gradeId={gradeId === '' ? null : gradeId}
              isRunning={isRunning}
              forCalibration
              onStarted={reload}
            />
          )}
          <CalibrationReport report={report} />
        </>
      )}
    </Loaded>
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
