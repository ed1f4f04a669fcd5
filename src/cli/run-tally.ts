// What a run read and how long it took: the closing line on standard error, and the stages with -v.
import { groupDigits, plural } from "../analyze/figure-text.ts";
import { detail, note } from "./output.ts";

/** Counts of one run, from its making on. */
export class Tally {
  /** Bytes of input after decompression. */
  bytes = 0;
  events = 0;
  #stage: number = performance.now();
  readonly #started: number = this.#stage;

  /** Says how long the stage that ends here took, with -v. */
  stage(name: string): void {
    const now = performance.now();
    detail(`${name}: ${seconds(now - this.#stage)}`);
    this.#stage = now;
  }

  /** The closing line; `forks` null where none were looked for: "43,780 events, 5.7 MB in 0.63 s: 70 k ev/s, 9.0 MB/s; memory 160 MB". */
  close(forks: number | null): void {
    const elapsed = performance.now() - this.#started;
    const rate = (n: number): number => (n / Math.max(elapsed, 1)) * 1e3;
    // Linux gives ru_maxrss in kB.
    const memory = process.resourceUsage().maxRSS * 1024;
    const read = this.bytes > 0 ? `, ${megabytes(this.bytes)}` : "";
    const speed = this.bytes > 0 ? `, ${megabytes(rate(this.bytes))}/s` : "";
    note(
      `${forks === null ? "" : `${plural(forks, "fork")}, `}${plural(this.events, "event")}${read} in ${seconds(elapsed)}: ` +
        `${thousands(rate(this.events))} ev/s${speed}; memory ${megabytes(memory)}`,
    );
  }
}

function seconds(ms: number): string {
  return `${(ms / 1e3).toFixed(ms < 1e4 ? 2 : 1)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

function thousands(n: number): string {
  return n < 1e4 ? groupDigits(Math.round(n)) : `${groupDigits(Math.round(n / 1e3))} k`;
}
