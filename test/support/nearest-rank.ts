// What src/analyze/ranks.ts computes without keeping the values.

/** The q-quantile of ascending values by nearest rank: the smallest value with at least q·n values at or below it. */
export function nearestRank(sorted: ArrayLike<number>, q: number): number | null {
  if (sorted.length === 0) return null;
  const rank = Math.max(1, Math.ceil(q * sorted.length));
  return sorted[rank - 1] ?? null;
}
