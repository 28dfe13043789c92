/** The charts of runs in a notebook. */
import { Board } from '../live/board';
import type { BoardSettings, ChartDescription, StepMark } from '../live/types';
import type { WidgetModel, WidgetView } from './model';
import { PointsClient } from './points';

type TrackOfKernel = {
  readonly id: string;
  readonly label: string;
  readonly colour: number;
  readonly marks: readonly StepMark[];
};

/** The kind "curves": a board that is filled by the kernel's `Curves`. */
export const curves: WidgetView = (model: WidgetModel, element: HTMLElement) => {
  const client = new PointsClient(model, () => board.drawSoon());
  const board = new Board(
    element,
    model.get('charts') as readonly ChartDescription[],
    model.get('settings') as BoardSettings,
    settings => {
      model.set('settings', settings);
      model.save_changes();
    }
  );

  const showTracks = (): void => {
    const tracks = model.get('tracks') as readonly TrackOfKernel[];
    client.keep(tracks.map(({ id }) => id));
    board.setTracks(tracks.map(track => ({ ...track, source: client.source(track.id) })));
  };
  const showSettings = (): void => board.setSettings(model.get('settings') as BoardSettings);

  model.on('change:tracks', showTracks);
  model.on('change:settings', showSettings);
  showTracks();
  client.start();
  return () => {
    model.off('change:tracks', showTracks);
    model.off('change:settings', showSettings);
    client.dispose();
    board.dispose();
  };
};
