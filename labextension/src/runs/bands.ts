/** Asks for the bands of several charts in one request. */

import type { BandValues, Statistic } from '../live/runsSource';
import type { IBand, IRunsClient } from './types';

/** What one request aggregates at most. */
const MOST_METRICS = 20;

interface IBandRequest {
  metric: string;
  resolve: (bands: readonly BandValues[]) => void;
  reject: (error: unknown) => void;
}

/** Collects what is asked for the same runs until the page has nothing else to do. */
export class BandRequests {
  constructor(private readonly _client: IRunsClient) {}

  /** The bands of one metric; rejects with the reason why there are none. */
  ask(
    ids: readonly string[],
    metric: string,
    statistic: Statistic
  ): Promise<readonly BandValues[]> {
    const key = JSON.stringify([ids, statistic]);
    return new Promise((resolve, reject) => {
      const request = { metric, resolve, reject };
      const waiting = this._waiting.get(key);
      if (waiting !== undefined) {
        waiting.push(request);
        return;
      }
      const requests = [request];
      this._waiting.set(key, requests);
      setTimeout(() => {
        this._waiting.delete(key);
        for (let begin = 0; begin < requests.length; begin += MOST_METRICS) {
          void this._send(ids, statistic, requests.slice(begin, begin + MOST_METRICS));
        }
      });
    });
  }

  private async _send(
    ids: readonly string[],
    statistic: Statistic,
    requests: readonly IBandRequest[]
  ): Promise<void> {
    try {
      const metrics = [...new Set(requests.map(request => request.metric))];
      const found = await this._client.aggregate(ids, metrics, statistic);
      for (const { metric, resolve } of requests) {
        const bands = found.filter(band => band.metric === metric && band.steps.length > 0);
        resolve(bands.map(valuesOf));
      }
    } catch (error) {
      requests.forEach(({ reject }) => reject(error));
    }
  }

  private readonly _waiting = new Map<string, IBandRequest[]>();
}

function valuesOf(band: IBand): BandValues {
  const numbers = (values: readonly (number | null)[]): Float64Array =>
    Float64Array.from(values, value => value ?? NaN);
  return {
    ids: band.ids,
    steps: Float64Array.from(band.steps),
    centre: numbers(band.centre),
    low: numbers(band.low),
    high: numbers(band.high)
  };
}
