// forkcast.1 from the commander program: groff's man macros (groff_man(7)), which mandoc reads too.
import type { ArgumentModel, CommandModel, OptionModel, ProgramModel } from "./command-model.ts";

/** What the manual says beside the commands: exit codes, environment, files. */
export interface ManualNotes {
  readonly exitCodes: readonly (readonly [string, string])[];
  readonly environment: readonly (readonly [string, string])[];
  readonly files: readonly (readonly [string, string])[];
}

/** The page's text. Without a date: the same program gives the same bytes. */
export function manPage(program: ProgramModel, notes: ManualNotes): string {
  const { name, version, description, commands, options } = program;
  const lines = [
    `.TH ${name.toUpperCase()} 1 "" "${name} ${version}" "User Commands"`,
    ".SH NAME",
    `${name} \\- replay kernel traces through the optimized-fork locking designs`,
    ".SH SYNOPSIS",
    `.B ${name}`,
    ".I command",
    "[options]",
    ".SH DESCRIPTION",
    text(description),
    ".SH OPTIONS",
    ...options.flatMap(optionLines),
    ".SH COMMANDS",
    ...commands.flatMap((command) => commandLines(name, command)),
    ".SH EXIT STATUS",
    ...pairs(notes.exitCodes),
    ".SH ENVIRONMENT",
    ...pairs(notes.environment),
    ".SH FILES",
    ...pairs(notes.files),
    ".SH SEE ALSO",
    ".BR trace-cmd (1),",
    ".BR perf (1)",
  ];
  return `${lines.join("\n")}\n`;
}

function commandLines(program: string, command: CommandModel): string[] {
  const usage = command.arguments.map((argument) => argument.usage).join(" ");
  return [
    `.SS ${program} ${command.name}${usage === "" ? "" : ` ${text(usage)}`}`,
    text(`${command.description[0]?.toUpperCase()}${command.description.slice(1)}.`),
    ...command.arguments.flatMap(argumentLines),
    ...command.options.flatMap(optionLines),
    ".PP",
    "Examples:",
    ".PP",
    ".RS 4",
    ".nf",
    ...command.examples.map(text),
    ".fi",
    ".RE",
  ];
}

function argumentLines({ usage, description }: ArgumentModel): string[] {
  return [".TP", `.I ${text(usage)}`, text(description)];
}

function optionLines({ flags, value, description }: OptionModel): string[] {
  const names = flags.map((flag) => `\\fB${text(flag)}\\fR`).join(", ");
  return [".TP", `${names}${value === "" ? "" : ` \\fI${text(value)}\\fR`}`, text(description)];
}

function pairs(items: readonly (readonly [string, string])[]): string[] {
  return items.flatMap(([term, words]) => [".TP", `.B ${text(term)}`, text(words)]);
}

/** One line of text: \ and - are themselves, a line cannot begin with a control character. */
function text(words: string): string {
  const safe = words.replaceAll("\\", "\\e").replaceAll("-", "\\-");
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}
