/** Views that draw into the page by themselves, inside of React. */

import * as React from 'react';

import { Board } from '../live/board';
import { RunsView } from '../live/runsView';
import type { RunRow } from '../live/runsSource';
import type { RunsModel } from './model';
import type { RestRunsSource } from './restSource';

const NO_RUNS =
  'No runs on the server yet: “New run” starts one. Runs of train(...) in a notebook are in folders ' +
  'of their own; RunBoard("runs") in a notebook shows those.';

interface IListProps {
  model: RunsModel;
  source: RestRunsSource;
  hidden: boolean;
}

/** The list of runs and what is compared of them. It stays while one run is shown by itself. */
export function RunList({ model, source, hidden }: IListProps): JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    if (host.current === null) {
      return;
    }
    const view = new RunsView(
      host.current,
      source,
      model.memory.view,
      state => model.keep({ view: state }),
      NO_RUNS
    );
    const detach = model.attach(view);
    return () => {
      detach();
      view.dispose();
    };
  }, [model, source]);
  return <div ref={host} hidden={hidden} />;
}

interface IChartsProps {
  model: RunsModel;
  source: RestRunsSource;
  row: RunRow;
}

/** The charts of one run. */
export function RunCharts({ model, source, row }: IChartsProps): JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  const board = React.useRef<Board | null>(null);
  const { id } = row;
  React.useEffect(() => {
    if (host.current === null) {
      return;
    }
    const made = new Board(host.current, source.charts, model.memory.board, settings =>
      model.keep({ board: settings })
    );
    board.current = made;
    const end = source.track(id).follow(() => made.drawSoon());
    return () => {
      end();
      board.current = null;
      made.dispose();
    };
  }, [model, source, id]);
  const label = row.name || row.label;
  React.useEffect(() => {
    const track = { id, label, colour: 0, source: source.track(id), marks: row.changes };
    board.current?.setTracks([track]);
  }, [source, id, label, row.changes]);
  return <div ref={host} className="jp-PPO-runCharts" />;
}
