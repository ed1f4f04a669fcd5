// Assertions that run: a failure is our bug (exit code 70), never a defect of the input.

/** An internal contradiction. The CLI turns it into exit code 70 and asks for a report. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws AssertionError with `what` unless `condition` holds. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionError(what);
}

/** Narrows away undefined and null; throws AssertionError naming `what` otherwise. */
export function ensure<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new AssertionError(`${what} is missing`);
  return value;
}

/** For the default branch of an exhaustive switch. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected value ${String(value)}`);
}
