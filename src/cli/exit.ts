// Exit codes, and which error means which. Thrown anywhere under a command, mapped once in main.ts.
import { CommanderError } from "commander";
import { printable } from "../analyze/plain-text.ts";
import { InputError } from "../base/errors.ts";

export const EXIT = { done: 0, failOn: 1, usage: 2, input: 3, bug: 70 } as const;

/** The command cannot be carried out as given: a wrong option, or an output place that cannot be used. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What main.ts says and returns for a failed command. `message` may hold several lines. */
export interface Failure {
  readonly code: number;
  readonly message: string;
}

/**
 * Exit code and text of an error. Usage errors that commander has already printed give an empty message.
 * `debug` adds the stack trace of our own bugs.
 */
export function failureOf(error: unknown, debug: boolean): Failure {
  if (error instanceof CommanderError) {
    return { code: error.exitCode === 0 ? EXIT.done : EXIT.usage, message: "" };
  }
  if (error instanceof UsageError) return { code: EXIT.usage, message: `error: ${printable(error.message)}` };
  if (error instanceof InputError) return { code: EXIT.input, message: `error: ${printable(error.message)}` };
  const what = printable(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  const lines = [
    `internal error: ${what}`,
    "This is a bug in forkcast: please report it, with the command line and the first lines of the trace.",
  ];
  if (debug && error instanceof Error && error.stack !== undefined) lines.push(error.stack);
  else lines.push("FORKCAST_DEBUG=1 in the environment prints where it happened.");
  return { code: EXIT.bug, message: lines.join("\n") };
}

/** errno name of a system error ("ENOENT"), else "". */
export function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** One phrase for a system error, without its stack or the path it repeats. */
export function describeSystemError(error: unknown): string {
  switch (errnoOf(error)) {
    case "ENOENT":
      return "no such file or directory";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ENOTDIR":
      return "a part of the path is not a directory";
    case "EISDIR":
      return "is a directory";
    case "ENOSPC":
      return "no space left on the device";
    case "EROFS":
      return "the file system is read-only";
    case "ENAMETOOLONG":
      return "the name is too long";
    case "ELOOP":
      return "too many levels of symbolic links";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
