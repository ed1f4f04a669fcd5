// What goes to standard output and standard error. Results go through print, everything else through note, detail or
// complain. Input text (task names, paths, samples) is made safe for a terminal before it gets here.

export const COLOR_CHOICES = ["auto", "always", "never"] as const;
export type ColorChoice = (typeof COLOR_CHOICES)[number];

/** How much is said on standard error, and whether standard output is coloured. Set once, before the command runs. */
export interface OutputChoices {
  readonly color: ColorChoice;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

let choices: OutputChoices = { color: "auto", quiet: false, verbose: false };

/** Takes --color, -q and -v. */
export function configureOutput(given: OutputChoices): void {
  choices = given;
}

/** Writes a result to standard output, with a line end; resolves when it has been handed over. */
export async function print(text: string): Promise<void> {
  await writeOut(text.endsWith("\n") ? text : `${text}\n`);
}

/** Writes a piece of a result to standard output as it is; resolves when it has been handed over. */
export async function writeOut(text: string): Promise<void> {
  if (text === "") return;
  await new Promise<void>((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}

/** Writes a line for people to standard error; not with -q. */
export function note(line: string): void {
  if (!choices.quiet) complain(line);
}

/** Writes a line to standard error only with -v. */
export function detail(line: string): void {
  if (choices.verbose) complain(line);
}

/** Writes why a command failed to standard error, whatever was asked for. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Whether a progress line may be drawn: only on a terminal, and not with -q. */
export function showsProgress(): boolean {
  return !choices.quiet && process.stderr.isTTY === true;
}

/** SGR codes to begin and end with (ECMA-48 §8.3.117): bold; red. */
const SGR = { strong: ["1", "22"], bad: ["31", "39"] } as const;

/** A line set apart on a terminal: bold, or red for what is unsafe. As it is where standard output is not coloured. */
export function paint(role: keyof typeof SGR, line: string): string {
  const [on, off] = SGR[role];
  return isColored() ? `\x1b[${on}m${line}\x1b[${off}m` : line;
}

/** --color decides; auto: a terminal that is not dumb, unless NO_COLOR is set and not empty (no-color.org). */
function isColored(): boolean {
  if (choices.color !== "auto") return choices.color === "always";
  const { NO_COLOR, TERM } = process.env;
  return process.stdout.isTTY === true && (NO_COLOR ?? "") === "" && TERM !== "dumb";
}
