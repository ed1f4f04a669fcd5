// Errors a user can cause. The stage states the fact; the CLI adds advice and picks the exit code.

/** Nothing useful can be done with this input (unknown format, no events, unreadable). Exit code 3. */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Quotes a piece of the input for a message: cut at 80 characters, control characters escaped. */
export function quote(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return JSON.stringify(cut).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
