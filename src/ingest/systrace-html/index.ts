// Reader of the HTML pages systrace and catapult write: ftrace text inside a script element, either as it is
// (<script class="trace-data" …>) or as a JavaScript string whose lines end in "\n\". What lies around it is a viewer and
// is passed over; the text goes to the ftrace reader.
import { InputError } from "../../base/errors.ts";
import type { ProbeInfo } from "../../table/event-batch.ts";
import { FtraceTextReader } from "../ftrace-text/index.ts";
import { handLines } from "../lines.ts";
import { ascii, endsWith, findFirst, skipBlanks, startsWith } from "../numbers.ts";
import type { FormatReader, ReaderOptions } from "../reader.ts";

const TRACER = ascii("# tracer:");
const SCRIPT_END = ascii("</script");
const STRING_END = ascii('\\n";');
const CLOCK_SYNC = ascii("trace_event_clock_sync: parent_ts=0.0");

export class SystraceHtmlReader implements FormatReader {
  readonly #inner: FtraceTextReader;
  #inside = false;
  #found = false;

  constructor(options: ReaderOptions) {
    this.#inner = new FtraceTextReader(options);
  }

  get unmatched(): number {
    return this.#inner.unmatched;
  }

  get matched(): number {
    return this.#inner.matched;
  }

  line(bytes: Uint8Array, start: number, lineEnd: number, lineNo: number): void {
    if (!this.#inside) {
      if (!startsWith(bytes, start, lineEnd, TRACER)) return;
      this.#inside = true;
      this.#found = true;
    }
    const at = skipBlanks(bytes, start, lineEnd);
    if (startsWith(bytes, at, lineEnd, SCRIPT_END)) {
      this.#inside = false;
      return;
    }
    const isLast = endsWith(bytes, start, lineEnd, STRING_END);
    if (isLast) this.#inside = false;
    const end = isLast ? lineEnd - STRING_END.length : lineEnd;
    // "dummy-0000 [000] 0.0: 0: trace_event_clock_sync: parent_ts=0.0": systrace's own last line, no event.
    if (isLast && findFirst(bytes, start, end, CLOCK_SYNC) >= 0) return;
    this.#inner.line(bytes, start, end, lineNo);
  }

  lines(bytes: Uint8Array, from: number, to: number, lineNo: number): number {
    return handLines(this, bytes, from, to, lineNo);
  }

  /** A viewer's minified script may be longer than any line that is read. */
  longLine(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    if (this.#inside) this.#inner.longLine(bytes, start, end, lineNo);
  }

  /** Throws InputError when the page holds no trace. */
  end(): void {
    if (!this.#found) {
      throw new InputError(
        "ingest/html",
        "an HTML page without a trace in it; expected one that systrace or catapult wrote (a script with ftrace text)",
      );
    }
    this.#inner.end();
  }

  skipped(): Record<string, number> {
    return this.#inner.skipped();
  }

  probes(): ProbeInfo[] {
    return this.#inner.probes();
  }
}
