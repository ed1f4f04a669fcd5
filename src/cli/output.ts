// What goes to standard output and standard error. Results go through print, everything else through note.
// Input text (task names, paths, samples) is made safe for a terminal before it gets here.

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

/** Writes a line for people to standard error. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
