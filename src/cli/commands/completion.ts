// forkcast completion SHELL and forkcast man: both printed from the program itself.
import { Argument, Command } from "commander";
import { print } from "../output.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The command; `done` receives its exit code. */
export function completionCommand(done: (code: number) => void): Command {
  const command = new Command("completion");
  return command
    .description("print a shell's completion script")
    .addArgument(new Argument("<shell>", "for which shell").choices(SHELLS))
    .action(async (shell: Shell) => {
      const { modelOf } = await import("../command-model.ts");
      const { completionFor } = await import("../completion/index.ts");
      await print(completionFor(shell, modelOf(programOf(command))));
      done(0);
    });
}

/** The command; `done` receives its exit code. */
export function manCommand(done: (code: number) => void): Command {
  const command = new Command("man");
  return command.description("print the manual page, in roff").action(async () => {
    const { modelOf } = await import("../command-model.ts");
    const { manPage } = await import("../man-page.ts");
    const { MANUAL_NOTES } = await import("../manual-notes.ts");
    await print(manPage(modelOf(programOf(command)), MANUAL_NOTES));
    done(0);
  });
}

function programOf(command: Command): Command {
  return command.parent ?? command;
}
