// One line of progress on standard error, only when it is a terminal: bytes read, share, rate.
// Called by pipeline.ts for every chunk; prints at most five times a second.

const INTERVAL_MS = 200;
const ERASE_LINE = "\r\x1b[K";

export interface Progress {
  /** `size` 0 = unknown. Bytes of the file as stored, compressed or not. */
  update(read: number, size: number): void;
  /** Removes the line. */
  clear(): void;
}

/** A progress line headed by `label`; does nothing when standard error is not a terminal. */
export function openProgress(label: string): Progress {
  if (!process.stderr.isTTY) return { update: () => {}, clear: () => {} };
  const started = performance.now();
  let last = started;
  return {
    update: (read, size) => {
      const now = performance.now();
      if (now - last < INTERVAL_MS) return;
      last = now;
      const megabytes = read / 1e6;
      const rate = megabytes / ((now - started) / 1e3);
      const share = size > 0 ? ` ${Math.floor((read / size) * 100)} %` : "";
      const text = `${label}: ${megabytes.toFixed(0)} MB${share}, ${rate.toFixed(0)} MB/s`;
      process.stderr.write(`${ERASE_LINE}${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    },
    clear: () => {
      process.stderr.write(ERASE_LINE);
    },
  };
}
