#!/usr/bin/env node
// Entry point: runs the command line, maps errors to exit codes, handles signals. The only file that exits.
import { TOOL_VERSION } from "./version.ts";

/** Runs the command line; sets the process's exit code. */
async function run(): Promise<void> {
  const { EXIT, errnoOf, failureOf } = await import("./exit.ts");
  const { complain } = await import("./output.ts");
  const { buildProgram } = await import("./program.ts");

  // A reader that closes the pipe early (forkcast analyze t | head) has all it wants.
  process.stdout.on("error", (error) => process.exit(errnoOf(error) === "EPIPE" ? EXIT.done : EXIT.bug));
  process.stderr.on("error", () => {});

  // "exit" listeners remove temporary output; a signal's default action would skip them.
  process.on("SIGINT", () => process.exit(128 + 2));
  process.on("SIGTERM", () => process.exit(128 + 15));
  process.on("SIGHUP", () => process.exit(128 + 1));

  let code: number = EXIT.done;
  try {
    await buildProgram((commandCode) => {
      code = commandCode;
    }).parseAsync(process.argv);
  } catch (error) {
    const failure = failureOf(error, process.env["FORKCAST_DEBUG"] === "1");
    if (failure.message !== "") complain(failure.message);
    code = failure.code;
  }
  process.exitCode = code;
}

const [, , only, ...more] = process.argv;
if ((only === "--version" || only === "-V") && more.length === 0) {
  // Alone it is answered without the command line's modules, which take as long to load as node takes to start.
  process.stdout.on("error", () => {});
  process.stdout.write(`${TOOL_VERSION}\n`);
} else {
  await run();
}
