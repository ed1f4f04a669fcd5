// Bounds of what a kernel can print. Beyond them a number is a damaged line, and nothing may be sized by it. Read by
// the sink and by the body parsers.

/** Highest CPU number: CONFIG_NR_CPUS_RANGE_END of x86 is 8192 (arch/x86/Kconfig). */
export const MAX_CPU = 8191;
/** PID_MAX_LIMIT, include/linux/threads.h. */
export const MAX_PID = 4194304;
/** Seconds, or billions of ticks, that 64 bits of a ring buffer's clock hold. */
export const MAX_SECONDS = 18_446_744_073;
/** Times further from the epoch than this are not exact in a float64 (104 days). */
export const MAX_SPAN: number = 2 ** 53;

/** Whether `pid` is one a kernel gives out; -1 ("none") is not. */
export function isPid(pid: number): boolean {
  return pid >= 0 && pid <= MAX_PID;
}
