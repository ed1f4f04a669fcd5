// Time is nanoseconds. Inside: float64 ns since the trace's epoch (exact for 104 days); outside: int64 ns.

/** Unit of a trace's time stamps: ns, or the clock's own ticks (ftrace clocks counter, x86-tsc, uptime). */
export type TimeUnit = "ns" | "ticks";

/** "1.234 ms": a duration for people, three significant digits. `ns` may be fractional. */
export function formatDuration(ns: number, unit: TimeUnit = "ns"): string {
  if (unit === "ticks") return `${Math.round(ns)} ticks`;
  const abs = Math.abs(ns);
  if (abs < 1e3) return `${Math.round(ns)} ns`;
  if (abs < 1e6) return `${trim(ns / 1e3)} us`;
  if (abs < 1e9) return `${trim(ns / 1e6)} ms`;
  return `${trim(ns / 1e9)} s`;
}

function trim(value: number): string {
  return value.toPrecision(3).includes("e") ? String(Math.round(value)) : value.toPrecision(3);
}

/** ftrace's layout of a time stamp, full precision: "1042.000007123". `ns` absolute, non-negative. */
export function formatTimestamp(ns: bigint, unit: TimeUnit = "ns"): string {
  if (unit === "ticks") return ns.toString();
  const seconds = ns / 1_000_000_000n;
  const rest = ns % 1_000_000_000n;
  return `${seconds}.${rest.toString().padStart(9, "0")}`;
}

/** What formatTimestamp prints, read back: seconds with at most nine decimals, or whole ticks; more digits are cut off. */
export function parseTimestamp(text: string, unit: TimeUnit = "ns"): bigint {
  const [whole = "", fraction = ""] = text.split(".");
  const seconds = BigInt(whole === "" ? "0" : whole);
  return unit === "ticks" ? seconds : seconds * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
}
