/** Where each value stands in a text of JSON, so that a problem can be shown in its place. */

/** A part of a text. */
export interface ISpan {
  readonly start: number;
  readonly end: number;
}

/** A text that is no JSON: what is wrong, and where. */
export class JsonProblem extends Error {
  constructor(
    message: string,
    readonly at: number
  ) {
    super(message);
    this.name = 'JsonProblem';
  }
}

/**
 * The place of each value by its path, such as `rules[2].criteria[0].kind`; `root` is the first
 * part of every path. Throws a JsonProblem.
 */
export function placesIn(text: string, root: string): ReadonlyMap<string, ISpan> {
  const reader = new Reader(text);
  reader.value(root);
  reader.end();
  return reader.places;
}

/** The place of a path, or of the nearest thing around it that is there. */
export function nearestPlace(places: ReadonlyMap<string, ISpan>, path: string): ISpan | null {
  for (let rest = path; rest !== ''; rest = withoutLast(rest)) {
    const found = places.get(rest);
    if (found !== undefined) {
      return found;
    }
  }
  return null;
}

/** The line (from 1) of a place in a text. */
export function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

function withoutLast(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['), 0));
}

const STRING = /"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const OTHER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const BLANK = /[ \t\r\n]*/y;
/** Deeper than any rule; a text of brackets only must not end the page. */
const DEEPEST = 100;

class Reader {
  constructor(private readonly _text: string) {}

  readonly places = new Map<string, ISpan>();

  value(path: string, depth = 0): void {
    this._match(BLANK);
    if (depth > DEEPEST) {
      throw new JsonProblem(
        `There are more than ${DEEPEST} brackets inside of each other.`,
        this._at
      );
    }
    const start = this._at;
    if (this._take('{')) {
      this._members(path, depth);
    } else if (this._take('[')) {
      this._items(path, depth);
    } else if (!this._match(STRING) && !this._match(OTHER)) {
      throw this._problem('a value');
    }
    this.places.set(path, { start, end: this._at });
  }

  end(): void {
    this._match(BLANK);
    if (this._at < this._text.length) {
      throw this._problem('the end');
    }
  }

  private _members(path: string, depth: number): void {
    const names = new Set<string>();
    for (let isFirst = true; !this._takeAfterBlank('}'); isFirst = false) {
      this._comma(isFirst, '}');
      const start = this._at;
      if (!this._match(STRING)) {
        throw this._problem('a name in double quotation marks');
      }
      const name = JSON.parse(this._text.slice(start, this._at)) as string;
      if (names.has(name)) {
        throw new JsonProblem(`"${name}" is there twice.`, start);
      }
      names.add(name);
      if (!this._takeAfterBlank(':')) {
        throw this._problem('a colon');
      }
      this.value(`${path}.${name}`, depth + 1);
    }
  }

  private _items(path: string, depth: number): void {
    for (let at = 0; !this._takeAfterBlank(']'); at += 1) {
      this._comma(at === 0, ']');
      this.value(`${path}[${at}]`, depth + 1);
    }
  }

  private _comma(isFirst: boolean, end: string): void {
    if (!isFirst && !this._take(',')) {
      throw this._problem(`a comma or ${end}`);
    }
    this._match(BLANK);
  }

  private _takeAfterBlank(char: string): boolean {
    this._match(BLANK);
    return this._take(char);
  }

  private _take(char: string): boolean {
    const is = this._text[this._at] === char;
    this._at += is ? 1 : 0;
    return is;
  }

  private _match(pattern: RegExp): boolean {
    pattern.lastIndex = this._at;
    const found = pattern.exec(this._text)?.[0] ?? '';
    this._at += found.length;
    return found !== '';
  }

  private _problem(wanted: string): JsonProblem {
    const char = this._text[this._at];
    const found = char === undefined ? 'the text ends' : `there is ${char}`;
    return new JsonProblem(`Here ${found}, where ${wanted} should be.`, this._at);
  }

  private _at = 0;
}
