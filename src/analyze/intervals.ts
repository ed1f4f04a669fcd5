// Intervals for shares and their differences. Both are score intervals: they hold where a share is 0 or 1, as most are here.

/** Two-sided 95 %: the 0.975 quantile of the standard normal distribution. */
export const Z_95 = 1.959963984540054;

/** A share with its 95 % interval; all null when there is nothing to take a share of. */
export interface Share {
  readonly n: number;
  readonly of: number;
  readonly share: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Wilson's interval of n out of `of` (E. B. Wilson, JASA 22, 1927, eq. 5; Newcombe 1998a, method 3): within [0, 1], and of some length also where n is 0 or `of`. */
export function wilson(n: number, of: number): Share {
  if (of === 0) return { n, of, share: null, low: null, high: null };
  const share = n / of;
  const z2 = (Z_95 * Z_95) / of;
  const centre = (share + z2 / 2) / (1 + z2);
  const half = (Z_95 * Math.sqrt((share * (1 - share)) / of + z2 / of / 4)) / (1 + z2);
  // At the ends the formula gives 0 and 1 up to rounding.
  return {
    n,
    of,
    share,
    low: n === 0 ? 0 : Math.max(0, centre - half),
    high: n === of ? 1 : Math.min(1, centre + half),
  };
}

/**
 * The share of n out of the decided, with an interval that holds whatever the undecided are: its low end counts them all
 * as not, its high end all as being. What a lower bound leaves undecided is not like what it decides.
 */
export function bounded(n: number, undecided: number, total: number): Share {
  const decided = total - undecided;
  if (undecided === 0) return wilson(n, total);
  return {
    n,
    of: decided,
    share: decided === 0 ? null : n / decided,
    low: wilson(n, total).low,
    high: wilson(n + undecided, total).high,
  };
}

export interface Difference {
  readonly difference: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Interval of b - a for independent shares (Newcombe 1998b, method 10: from the two Wilson intervals). */
export function newcombe(a: Share, b: Share): Difference {
  if (a.share === null || b.share === null) return { difference: null, low: null, high: null };
  const below = (x: Share): number => (x.share ?? 0) - (x.low ?? 0);
  const above = (x: Share): number => (x.high ?? 0) - (x.share ?? 0);
  const difference = b.share - a.share;
  return {
    difference,
    low: Math.max(-1, difference - Math.hypot(below(b), above(a))),
    high: Math.min(1, difference + Math.hypot(above(b), below(a))),
  };
}
