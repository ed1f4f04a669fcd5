// Exact order statistics in bounded memory: the values are read twice instead of kept. There is one a fork and policy, so
// holding and sorting them took more memory than all else that a report needs.
import { Float64Growable } from "../base/growable.ts";

/** Hands over every value with its group, in the same order each time. */
export type EachValue = (visit: (group: number, value: number) => void) => void;

/** What is known of one group's values: counts, and the quantiles asked for, by nearest rank. */
export interface Ranks {
  readonly count: number;
  /** By place in the list of quantiles; null without values. */
  readonly at: readonly (number | null)[];
}

/** Values of one sign and binary exponent, and of one of 16 mantissas: 6 % apart at most. */
const BUCKETS = 65_536;
const BITS = new Float64Array(1);
const HALVES = new Uint32Array(BITS.buffer);

/** Buckets in the order of their values. */
function bucketOf(value: number): number {
  BITS[0] = value;
  const top = HALVES[1]! >>> 16;
  return top < 0x8000 ? top + 0x8000 : 0xffff - top;
}

interface Wanted {
  /** Place among the values of its bucket, from 0. */
  readonly place: number;
  readonly bucket: number;
}

/**
 * For each of `groups` groups: how many values, and the `qs`-quantiles by nearest rank (the smallest value with at least q·n
 * values at or below it).
 */
export function ranksOf(each: EachValue, groups: number, qs: readonly number[]): Ranks[] {
  const counts: (Uint32Array | undefined)[] = new Array(groups);
  const sizes = new Float64Array(groups);
  each((group, value) => {
    counts[group] ??= new Uint32Array(BUCKETS);
    counts[group]![bucketOf(value)]! += 1;
    sizes[group]! += 1;
  });
  const wanted = counts.map((of, group) => (of === undefined ? [] : placesOf(of, sizes[group]!, qs)));
  const kept = Array.from(
    { length: groups },
    (_, group) => new Map((wanted[group] ?? []).map(({ bucket }) => [bucket, new Float64Growable()])),
  );
  if (sizes.some((size) => size > 0)) each((group, value) => kept[group]!.get(bucketOf(value))?.push(value));
  for (const of of kept) for (const values of of.values()) values.view().sort();
  return Array.from({ length: groups }, (_, group) => ({
    count: sizes[group]!,
    at: qs.map((_q, i) => {
      const found = wanted[group]?.[i];
      return found === undefined ? null : kept[group]!.get(found.bucket)!.data[found.place]!;
    }),
  }));
}

function placesOf(counts: Uint32Array, size: number, qs: readonly number[]): Wanted[] {
  const ranks = qs.map((q) => Math.max(1, Math.ceil(q * size)));
  const out: Wanted[] = new Array(ranks.length);
  let below = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const n = counts[bucket]!;
    if (n === 0) continue;
    for (const [i, rank] of ranks.entries())
      if (rank > below && rank <= below + n) out[i] = { place: rank - below - 1, bucket };
    below += n;
  }
  return out;
}
