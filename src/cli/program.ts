// The command line as commander sees it: name, version, one file a command. Loads nothing heavy; each
// command imports its stages when it runs, so that --version and --help answer at once.
import { Command, Option } from "commander";
import { analyzeCommand } from "./commands/analyze.ts";
import { chartCommand } from "./commands/chart.ts";
import { compareCommand } from "./commands/compare.ts";
import { completionCommand, manCommand } from "./commands/completion.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { explainCommand } from "./commands/explain.ts";
import { exploreCommand } from "./commands/explore.ts";
import { exportCommand } from "./commands/export.ts";
import { ingestCommand } from "./commands/ingest.ts";
import { queryCommand } from "./commands/query.ts";
import { recipeCommand } from "./commands/recipe.ts";
import { replayCommand } from "./commands/replay.ts";
import { reportCommand } from "./commands/report.ts";
import { examplesText } from "./examples.ts";
import { COLOR_CHOICES, configureOutput, type OutputChoices } from "./output.ts";
import { TOOL_VERSION } from "./version.ts";

const DESCRIPTION =
  "Replays a recorded kernel trace through the optimized-fork locking designs: how often the fast path would " +
  "have been taken, who denied it, and whether it would have been safe.";

const EXIT_CODES = `
Exit codes: 0 done, 1 the --fail-on condition is met, 2 usage,
3 input unusable, 70 a bug of forkcast.`;

/** Below 80 columns, in a pipe as well. */
const HELP_COLUMNS = 79;

/** Options of every command: they change what is said, never a result. */
function addOutputOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--color <when>", "colour in what is printed").choices(COLOR_CHOICES).default("auto"),
    )
    .option("-q, --quiet", "say nothing on standard error but why a command failed", false)
    .option("-v, --verbose", "say on standard error how long each stage took, and where problems are", false);
}

/** The program; a command that ran to its end passes its exit code to `done`. Throws instead of exiting. */
export function buildProgram(done: (code: number) => void): Command {
  const program = new Command("forkcast").description(DESCRIPTION).version(TOOL_VERSION);
  const factories = [
    analyzeCommand,
    ingestCommand,
    replayCommand,
    reportCommand,
    explainCommand,
    exploreCommand,
    chartCommand,
    exportCommand,
    compareCommand,
    doctorCommand,
    recipeCommand,
    queryCommand,
    completionCommand,
    manCommand,
  ];
  for (const factory of factories) {
    const command = addOutputOptions(factory(done));
    program.addCommand(command.addHelpText("after", examplesText(command.name())));
  }
  program.hook("preAction", (_program, command) => configureOutput(command.opts<OutputChoices>()));
  program.addHelpText("after", EXIT_CODES);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().showSuggestionAfterError(true).configureHelp({ helpWidth: HELP_COLUMNS });
  }
  return program;
}
