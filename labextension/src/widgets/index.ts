/** The notebook widgets by kind: what the kernel's loader finds in the bundle. */
import '../live/live.css';
import '../live/runs.css';
import './episode.css';
import './inside.css';

import { curves } from './curves';
import { episode } from './episode';
import { inside } from './inside';
import type { WidgetView } from './model';
import { runs } from './runs';

export { PointsClient } from './points';

export const views: Readonly<Record<string, WidgetView>> = { curves, episode, inside, runs };
