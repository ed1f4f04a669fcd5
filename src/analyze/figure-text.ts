// How shares and counts are printed.

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
