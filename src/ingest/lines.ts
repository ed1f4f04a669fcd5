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

/** Splits pushed chunks into lines. The caller may reuse a chunk after push returns. */
export class LineSplitter {
  readonly #handler: LineHandler;
  #carry: Uint8Array = new Uint8Array(1024);
  #carried = 0;
  #skipping = false;
  #lines = 0;

  constructor(handler: LineHandler) {
    this.#handler = handler;
  }

  /** Lines handed on or skipped so far. */
  get lines(): number {
    return this.#lines;
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
    const handler = this.#handler;
    for (;;) {
      const newline = chunk.indexOf(LF, at);
      if (newline < 0) break;
      const no = ++this.#lines;
      if (newline - at > MAX_LINE) handler.longLine(chunk, at, at + MAX_LINE, no);
      else handler.line(chunk, at, newline > at && chunk[newline - 1] === CR ? newline - 1 : newline, no);
      at = newline + 1;
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
