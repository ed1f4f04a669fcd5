// Intervals of shares, and how shares and counts are printed.

/** The standard normal's 97.5 % point: intervals are 95 % ones. */
export const Z_95 = 1.959963984540054;

/**
 * Wilson's 95 % interval of a share, as shares: k of n draws succeeded (E. B. Wilson, JASA 22, 1927, eq. 5). It does
 * not leave [0, 1] and has a length also where k is 0 or n. null when n is 0.
 */
export function wilson(k: number, n: number): { readonly low: number; readonly high: number } | null {
  if (n === 0) return null;
  const z2 = Z_95 * Z_95;
  const p = k / n;
  const middle = p + z2 / (2 * n);
  const half = Z_95 * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  const low = k === 0 ? 0 : (middle - half) / (1 + z2 / n);
  const high = k === n ? 1 : (middle + half) / (1 + z2 / n);
  return { low, high };
}

/** "12.3": a share in percent. Rounds half up, but never to 0.0 or 100.0 unless it is exactly that. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return "-";
  if (part === 0 || part === whole) return `${((100 * part) / whole).toFixed(1)}`;
  const clamped = Math.min(99.9, Math.max(0.1, (100 * part) / whole));
  return clamped.toFixed(1);
}

/** "1 fork", "12,345 forks": a count with its noun, thousands separated. */
export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${groupDigits(count)} ${count === 1 ? one : many}`;
}

/** "1,234,567". */
export function groupDigits(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}
