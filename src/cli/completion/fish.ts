// Completion for fish, one complete(1) line an option.
import type { CommandModel, OptionModel, ProgramModel } from "../command-model.ts";
import { fishQuoted } from "./quote.ts";

/** The file for ~/.config/fish/completions; may also be sourced. */
export function fishCompletion({ name, options, commands }: ProgramModel): string {
  const lines = [
    `# fish completion of ${name}: save it as ~/.config/fish/completions/${name}.fish`,
    `complete -c ${name} -f`,
    ...options.map((option) => `complete -c ${name} -n __fish_use_subcommand${optionText(option)}`),
    ...commands.flatMap((command) => commandLines(name, command)),
  ];
  return `${lines.join("\n")}\n`;
}

function commandLines(program: string, command: CommandModel): string[] {
  const seen = `complete -c ${program} -n '__fish_seen_subcommand_from ${command.name}'`;
  const files = command.arguments.some(({ takes }) => takes.kind === "file") ? [`${seen} -F`] : [];
  const words = command.arguments.flatMap(({ takes }) => ("words" in takes ? takes.words : []));
  return [
    `complete -c ${program} -n __fish_use_subcommand -a ${command.name} -d ${fishQuoted(command.description)}`,
    ...files,
    ...(words.length > 0 ? [`${seen} -a ${fishQuoted(words.join(" "))}`] : []),
    ...command.options.map((option) => `${seen}${optionText(option)}`),
  ];
}

function optionText({ flags, takes, description }: OptionModel): string {
  const names = flags.map((flag) =>
    flag.startsWith("--") ? ` -l ${flag.slice(2)}` : ` -s ${flag.slice(1)}`,
  );
  return `${names.join("")}${valueText(takes)} -d ${fishQuoted(description)}`;
}

function valueText(takes: OptionModel["takes"]): string {
  if (takes === null) return "";
  if (takes.kind === "file") return " -r -F";
  if (takes.kind === "words") return ` -x -a ${fishQuoted(takes.words.join(" "))}`;
  return takes.kind === "list" ? ` -x -a '(__fish_append , ${takes.words.join(" ")})'` : " -x";
}
