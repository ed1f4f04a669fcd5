// Which random recordings a test looks at: FORKCAST_STREAMS says how many, FORKCAST_FIRST_STREAM from which seed on.

/** Seeds to look at, `few` of them unless told otherwise. */
export function seedsToTry(few: number): readonly number[] {
  const first = Number(process.env["FORKCAST_FIRST_STREAM"] ?? 1);
  const length = Number(process.env["FORKCAST_STREAMS"] ?? few);
  return Array.from({ length }, (_, i) => first + i);
}
