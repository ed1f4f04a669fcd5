// One line of progress on standard error, only when it is a terminal: what is done, of how much, how fast, how long still.
// Drawn by ora, which is loaded only then. Called for every chunk read; draws at most five times a second.
import { showsProgress } from "./output.ts";

const INTERVAL_MS = 200;
/** A run shorter than this shows nothing. */
const PATIENCE_MS = 400;

export interface Progress {
  /** `size` 0 = unknown. In the unit that the progress was opened with. */
  update(done: number, size: number): void;
  /** Removes the line. */
  clear(): void;
}

/** A unit of work: its name, and how many of what is counted make one. */
export interface Unit {
  readonly name: string;
  readonly of: number;
}

export const MEGABYTES: Unit = { name: "MB", of: 1e6 };
export const THOUSAND_EVENTS: Unit = { name: "k events", of: 1e3 };

/** A progress line headed by `label`; does nothing when standard error is not a terminal, or with -q. */
export function openProgress(label: string, unit: Unit = MEGABYTES): Progress {
  if (!showsProgress()) return { update: () => {}, clear: () => {} };
  const started = performance.now();
  let last = started + PATIENCE_MS - INTERVAL_MS;
  let isOver = false;
  let spinner: { text: string; render(): unknown; stop(): unknown } | undefined;
  // Text given before ora is there is shown when it is.
  let text = label;
  void import("ora").then(
    ({ default: ora }) => {
      if (isOver) return;
      // A trace may be on standard input: ora must not read it.
      spinner = ora({ text, stream: process.stderr, discardStdin: false }).start();
    },
    // Without the line a run is no less complete.
    () => {},
  );
  return {
    update: (done, size) => {
      const now = performance.now();
      if (now - last < INTERVAL_MS) return;
      last = now;
      text = progressText(label, unit, done, size, (now - started) / 1e3).slice(0, columns() - 3);
      if (spinner === undefined) return;
      spinner.text = text;
      // The timer that turns the spinner does not run while a chunk is worked on.
      spinner.render();
    },
    clear: () => {
      isOver = true;
      spinner?.stop();
    },
  };
}

function columns(): number {
  return process.stderr.columns ?? 80;
}

/** "trace.txt: 312 of 1,200 MB (26 %), 410 MB/s, 2 s left". */
export function progressText(label: string, unit: Unit, done: number, size: number, seconds: number): string {
  const amount = (n: number): string => (n / unit.of).toFixed(n < 10 * unit.of ? 1 : 0);
  const perSecond = seconds > 0 ? done / seconds : 0;
  const rate = `${amount(perSecond)} ${unit.name}/s`;
  if (size <= 0) return `${label}: ${amount(done)} ${unit.name}, ${rate}`;
  const share = Math.floor((Math.min(done, size) / size) * 100);
  const left = perSecond > 0 ? `, ${Math.ceil(Math.max(0, size - done) / perSecond)} s left` : "";
  return `${label}: ${amount(done)} of ${amount(size)} ${unit.name} (${share} %), ${rate}${left}`;
}
