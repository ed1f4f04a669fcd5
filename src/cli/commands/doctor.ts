// forkcast doctor TRACE...: what a recording can and cannot answer, and how to record the rest.
import { Command } from "commander";
import { addIngestOptions, parseKernel, TRACE_HELP } from "../options.ts";
import { print } from "../output.ts";
import type { DoctorCliOptions } from "../run-doctor.ts";
import { checkTraces } from "../trace-input.ts";

/** The command; `done` receives its exit code. */
export function doctorCommand(done: (code: number) => void): Command {
  const command = new Command("doctor")
    .description("say what a recording can and cannot answer, and how to record the rest")
    .argument("<trace...>", `traces: ${TRACE_HELP}`)
    .option("--kernel <version>", "kernel version whose rules apply, such as 6.1", parseKernel)
    .option("--json", "print the diagnosis as JSON, and nothing else", false);
  return addIngestOptions(command).action(async (traces: readonly string[], options: DoctorCliOptions) => {
    checkTraces(traces);
    const { runDoctor } = await import("../run-doctor.ts");
    await print(await runDoctor(traces, options));
    done(0);
  });
}
