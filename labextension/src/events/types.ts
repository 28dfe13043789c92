/** What a student's page tells the course service; see docs/progress.md. */

/** What a page may report; the service writes all other events itself. */
export type EventKind = 'opened' | 'active' | 'checked';

/** An assignment of a course. */
export interface IPlace {
  readonly course: string;
  readonly assignment: string;
}

/**
 * Something that happened once.
 *
 * `key` is made with it and stays with it: the service takes one key once, however often it is
 * sent. Another content needs another key. `moved`: its times were set right once already.
 */
export interface IStudentEvent extends IPlace {
  readonly key: string;
  readonly kind: EventKind;
  /** ISO 8601 in UTC. */
  readonly occurred_at: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly moved?: true;
}

export type Receipt = 'accepted' | 'duplicate' | 'rejected';

/** What became of one event. */
export interface IReceipt {
  key: string;
  receipt: Receipt;
  refusal: string | null;
  message: string;
}

/** What the service answers to a batch; `time` is its clock in milliseconds, where it told it. */
export interface IBatchAnswer {
  receipts: IReceipt[];
  time: number | null;
}

/** What sending asks of the course service. */
export interface IEventsClient {
  /** Send up to 200 events of one course. With `keepalive` it goes on when the page is left. */
  post(
    course: string,
    events: readonly IStudentEvent[],
    user: string,
    keepalive: boolean
  ): Promise<IBatchAnswer>;
}
