/** Server-sent events of one answer (WHATWG HTML, section 9.2), as far as the service uses them. */

/** One event: its name and its data. */
export interface IServerEvent {
  event: string;
  data: string;
}

/** Cuts text into events; text may come in any pieces. */
export class EventCutter {
  /** Take more text in and return the events that it completes. */
  push(text: string): IServerEvent[] {
    this._rest += text;
    const found: IServerEvent[] = [];
    for (;;) {
      const end = /\r?\n\r?\n/.exec(this._rest);
      if (end === null) {
        return found;
      }
      const block = this._rest.slice(0, end.index);
      this._rest = this._rest.slice(end.index + end[0].length);
      const event = eventOf(block);
      if (event !== null) {
        found.push(event);
      }
    }
  }

  private _rest = '';
}

/** The event in a block of lines; null for a comment, which only keeps the connection awake. */
function eventOf(block: string): IServerEvent | null {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') {
      event = value;
    } else if (field === 'data') {
      data.push(value);
    }
  }
  return data.length === 0 ? null : { event, data: data.join('\n') };
}

/** The events of a response's body, as they come. */
export async function* eventsOf(response: Response): AsyncGenerator<IServerEvent> {
  const cutter = new EventCutter();
  const reader = response.body?.getReader();
  if (reader === undefined) {
    yield* cutter.push(`${await response.text()}\n\n`);
    return;
  }
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      yield* cutter.push(decoder.decode(value, { stream: !done }));
      if (done) {
        return;
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
