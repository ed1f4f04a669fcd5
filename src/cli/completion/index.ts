// Which script a shell gets.
import type { ProgramModel } from "../command-model.ts";
import type { Shell } from "../commands/completion.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { zshCompletion } from "./zsh.ts";

/** The script's text. */
export function completionFor(shell: Shell, program: ProgramModel): string {
  switch (shell) {
    case "bash":
      return bashCompletion(program);
    case "zsh":
      return zshCompletion(program);
    case "fish":
      return fishCompletion(program);
  }
}
