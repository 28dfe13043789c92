/** How layers become shapes on uPlot's canvas. */
import uPlot from 'uplot';

import type { ILayer } from './layers';

/** From steps and heights to pixels of the canvas. */
interface IPlace {
  x(step: number): number;
  y(height: number): number;
}

function placeOf(plot: uPlot): IPlace {
  const { left, top, width, height } = plot.bbox;
  const { min: from = 0, max: to = 1 } = plot.scales.x ?? {};
  const { min: low = 0, max: high = 1 } = plot.scales.y ?? {};
  const perStep = width / (to - from || 1);
  const perUnit = height / (high - low || 1);
  return {
    x: step => left + (step - from) * perStep,
    y: value => top + height - (value - low) * perUnit
  };
}

/** A line; what is not a number is left out, a single point is a short stroke. */
function line(layer: ILayer, heights: Float64Array, place: IPlace): Path2D {
  const path = new Path2D();
  let points = 0;
  let [x, y] = [0, 0];
  for (let index = 0; index < heights.length; index += 1) {
    const height = heights[index] ?? NaN;
    if (!Number.isFinite(height)) {
      continue;
    }
    [x, y] = [place.x(layer.steps[index] ?? 0), place.y(height)];
    if (points === 0) {
      path.moveTo(x, y);
    } else {
      path.lineTo(x, y);
    }
    points += 1;
  }
  if (points === 1) {
    path.moveTo(x - 2, y);
    path.lineTo(x + 2, y);
  }
  return path;
}

/** One shape for each occupied pixel; many small ones are squares, which are painted faster. */
function shapes(
  layer: ILayer,
  heights: Float64Array,
  place: IPlace,
  size: number,
  round: boolean
): Path2D {
  const path = new Path2D();
  const taken = new Set<number>();
  const dots: number[] = [];
  for (let index = 0; index < heights.length; index += 1) {
    const height = heights[index] ?? NaN;
    if (!Number.isFinite(height)) {
      continue;
    }
    const x = Math.round(place.x(layer.steps[index] ?? 0));
    const y = Math.round(place.y(height));
    const pixel = x * 65536 + y;
    if (!taken.has(pixel)) {
      taken.add(pixel);
      dots.push(x, y);
    }
  }
  for (let index = 0; index < dots.length; index += 2) {
    const [x = 0, y = 0] = [dots[index], dots[index + 1]];
    if (round && dots.length <= 2400) {
      path.moveTo(x + size / 2, y);
      path.arc(x, y, size / 2, 0, 2 * Math.PI);
    } else {
      path.rect(x - size / 2, y - size / 2, size, size);
    }
  }
  return path;
}

/** The area between the two sides of a band. */
function area(layer: ILayer, low: Float64Array, high: Float64Array, place: IPlace): Path2D {
  const path = new Path2D();
  let points = 0;
  const add = (index: number, heights: Float64Array): void => {
    const height = heights[index] ?? NaN;
    if (Number.isFinite(height)) {
      const [x, y] = [place.x(layer.steps[index] ?? 0), place.y(height)];
      points += 1;
      if (points === 1) {
        path.moveTo(x, y);
      } else {
        path.lineTo(x, y);
      }
    }
  };
  for (let index = 0; index < layer.steps.length; index += 1) {
    add(index, high);
  }
  for (let index = layer.steps.length - 1; index >= 0; index -= 1) {
    add(index, low);
  }
  path.closePath();
  return path;
}

/** What uPlot strokes and fills for a layer; `forward` gives the height of a value. */
export function pathsOf(
  plot: uPlot,
  layer: ILayer,
  forward: (value: number) => number
): uPlot.Series.Paths {
  const place = placeOf(plot);
  const ratio = uPlot.pxRatio;
  const heights = layer.values.map(forward);
  if (layer.kind === 'band') {
    const [low, high] = [layer.low ?? layer.values, layer.high ?? layer.values];
    return { fill: area(layer, low.map(forward), high.map(forward), place) };
  }
  if (layer.kind === 'dots') {
    return { fill: shapes(layer, heights, place, layer.width * ratio, true) };
  }
  if (layer.kind === 'squares') {
    return {
      stroke: line(layer, heights, place),
      fill: shapes(layer, heights, place, 7 * ratio, false)
    };
  }
  return { stroke: line(layer, heights, place) };
}
