// Chunks of any size in, line ranges out. A line that lies inside a chunk is handed on in place; only the piece
// at a chunk's end is copied. Feeds the format readers; knows nothing of what a line means.

/** Longest line that is read; a longer one is reported and skipped. */
export const MAX_LINE: number = 1 << 20;

const LF = 0x0a;
const CR = 0x0d;

/** What a reader does with lines. Ranges exclude the line end; `bytes` is only valid during the call. */
export interface LineHandler {
  /** Line `lineNo` (1-based) is bytes[start, end). */
  line(bytes: Uint8Array, start: number, end: number, lineNo: number): void;
  /** Line `lineNo` is longer than MAX_LINE; bytes[start, end) is how it begins. */
  longLine(bytes: Uint8Array, start: number, end: number, lineNo: number): void;
}

/** A handler that reads many lines at once. */
export interface LinesHandler extends LineHandler {
  /** Takes bytes[from, to), whole lines, the first of which has the number `lineNo` + 1. Returns the last one's number. */
  lines(bytes: Uint8Array, from: number, to: number, lineNo: number): number;
}

/** Hands on the line at `at`, which has a line feed; returns where the next one begins. */
export function handLine(handler: LineHandler, bytes: Uint8Array, at: number, lineNo: number): number {
  const newline = bytes.indexOf(LF, at);
  if (newline - at > MAX_LINE) handler.longLine(bytes, at, at + MAX_LINE, lineNo);
  else handler.line(bytes, at, newline > at && bytes[newline - 1] === CR ? newline - 1 : newline, lineNo);
  return newline + 1;
}

/** Hands on all lines of bytes[from, to), one by one; as LinesHandler.lines. */
export function handLines(
  handler: LineHandler,
  bytes: Uint8Array,
  from: number,
  to: number,
  lineNo: number,
): number {
  let line = lineNo;
  for (let at = from; at < to; ) at = handLine(handler, bytes, at, ++line);
  return line;
}

/** Hands on lines one by one to a handler that could take many. */
export function oneByOne(handler: LineHandler): LinesHandler {
  return {
    line: (bytes, start, end, lineNo) => handler.line(bytes, start, end, lineNo),
    longLine: (bytes, start, end, lineNo) => handler.longLine(bytes, start, end, lineNo),
    lines: (bytes, from, to, lineNo) => handLines(handler, bytes, from, to, lineNo),
  };
}

/** Splits pushed chunks into lines. The caller may reuse a chunk after push returns. */
export class LineSplitter {
  readonly #handler: LinesHandler;
  #carry: Uint8Array = new Uint8Array(1024);
  #carried = 0;
  #skipping = false;
  #lines = 0;

  constructor(handler: LinesHandler) {
    this.#handler = handler;
  }

  /** Lines handed on or skipped so far. */
  get lines(): number {
    return this.#lines;
  }

  /** Counts lines that were read elsewhere; only while no line is open. */
  skip(lines: number): void {
    this.#lines += lines;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    if (this.hasOpenLine) {
      const newline = chunk.indexOf(LF);
      this.#append(chunk, 0, newline < 0 ? chunk.length : newline);
      if (newline < 0) return;
      this.#flush();
      at = newline + 1;
    }
    const end = chunk.lastIndexOf(LF) + 1;
    if (end > at) {
      this.#lines = this.#handler.lines(chunk, at, end, this.#lines);
      at = end;
    }
    this.#append(chunk, at, chunk.length);
  }

  /** Bytes were pushed that no line end has followed yet. */
  get hasOpenLine(): boolean {
    return this.#carried > 0 || this.#skipping;
  }

  /** Hands a last line that has no line end to `visit`, as `line` would get it, its beginning when it is too long. */
  end(visit: LineHandler["line"]): void {
    if (!this.hasOpenLine) return;
    const no = ++this.#lines;
    const end = this.#carried;
    this.#carried = 0;
    this.#skipping = false;
    visit(this.#carry, 0, end, no);
  }

  #append(chunk: Uint8Array, from: number, to: number): void {
    if (this.#skipping) return;
    const length = this.#carried + to - from;
    if (length > MAX_LINE) {
      this.#skipping = true;
      this.#copy(chunk, from, from + MAX_LINE - this.#carried);
      return;
    }
    this.#copy(chunk, from, to);
  }

  #copy(chunk: Uint8Array, from: number, to: number): void {
    const length = this.#carried + to - from;
    if (length > this.#carry.length) {
      const grown = new Uint8Array(Math.max(length, this.#carry.length * 2));
      grown.set(this.#carry.subarray(0, this.#carried));
      this.#carry = grown;
    }
    this.#carry.set(chunk.subarray(from, to), this.#carried);
    this.#carried = length;
  }

  #flush(): void {
    const no = ++this.#lines;
    const end = this.#carried;
    this.#carried = 0;
    if (this.#skipping) {
      this.#skipping = false;
      this.#handler.longLine(this.#carry, 0, end, no);
      return;
    }
    this.#handler.line(this.#carry, 0, end > 0 && this.#carry[end - 1] === CR ? end - 1 : end, no);
  }
}
