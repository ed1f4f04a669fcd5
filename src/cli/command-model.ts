// The command line as data, read off the commander program: what the man page and the shell completions are made of, so
// that they cannot say anything else than --help.
import type { Argument, Command, Option } from "commander";
import { FORMATS, RECORDING_FORMATS } from "../ingest/index.ts";
import { POLICY_IDS } from "../table/verdict-tables.ts";
import { EXAMPLES } from "./examples.ts";

/** What a value is, for completion: one of some words, a list of them separated by commas, a file, or anything. */
export type ValueKind =
  | { readonly kind: "words" | "list"; readonly words: readonly string[] }
  | { readonly kind: "file" | "any" };

export interface OptionModel {
  /** "-o", "--out": as many as there are. */
  readonly flags: readonly string[];
  /** "<dir>"; "" for a switch. */
  readonly value: string;
  readonly takes: ValueKind | null;
  readonly description: string;
}

export interface ArgumentModel {
  /** "<trace...>", "[fork]". */
  readonly usage: string;
  readonly takes: ValueKind;
  readonly isVariadic: boolean;
  readonly description: string;
}

export interface CommandModel {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly ArgumentModel[];
  readonly options: readonly OptionModel[];
  readonly examples: readonly string[];
}

export interface ProgramModel {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly options: readonly OptionModel[];
  readonly commands: readonly CommandModel[];
}

/** Reads the program. */
export function modelOf(program: Command): ProgramModel {
  return {
    name: program.name(),
    version: program.version() ?? "",
    description: program.description(),
    options: optionsOf(program),
    commands: program.commands.map((command) => ({
      name: command.name(),
      description: command.description(),
      arguments: command.registeredArguments.map(argumentOf),
      options: optionsOf(command),
      examples: EXAMPLES[command.name()] ?? [],
    })),
  };
}

function optionsOf(command: Command): OptionModel[] {
  return command.createHelp().visibleOptions(command).map(optionOf);
}

function optionOf(option: Option): OptionModel {
  const value = /[<[].*$/.exec(option.flags)?.[0] ?? "";
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
    value,
    takes: value === "" ? null : kindOf(option.long ?? "", value, option.argChoices),
    description: describe(
      option.description,
      option.argChoices,
      option.defaultValue,
      option.defaultValueDescription,
    ),
  };
}

function argumentOf(argument: Argument): ArgumentModel {
  const name = argument.name();
  const dots = argument.variadic ? "..." : "";
  return {
    usage: argument.required ? `<${name}${dots}>` : `[${name}${dots}]`,
    takes: kindOf("", `<${name}>`, argument.argChoices),
    isVariadic: argument.variadic,
    description: describe(argument.description, argument.argChoices, argument.defaultValue, undefined),
  };
}

/** As --help says it: choices and default in brackets. */
function describe(
  text: string,
  choices: readonly string[] | undefined,
  value: unknown,
  words: string | undefined,
): string {
  const extra = [
    ...(choices === undefined ? [] : [`choices: ${choices.join(", ")}`]),
    ...(value === undefined || value === false || words === "none"
      ? []
      : [`default: ${words ?? String(value)}`]),
  ];
  return extra.length === 0 ? text : `${text} (${extra.join("; ")})`;
}

const FILES = ["<file>", "<dir>", "<trace>", "<events>", "<a>", "<b>"];

function kindOf(flag: string, value: string, choices: readonly string[] | undefined): ValueKind {
  if (choices !== undefined) return { kind: "words", words: choices };
  if (flag === "--policy") return { kind: "list", words: POLICY_IDS };
  if (flag === "--format") return { kind: "words", words: [...FORMATS, ...RECORDING_FORMATS] };
  return FILES.includes(value) ? { kind: "file" } : { kind: "any" };
}
