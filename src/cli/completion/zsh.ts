// Completion for zsh, by _arguments(1) of zshcompsys: options with their descriptions.
import type { ArgumentModel, CommandModel, OptionModel, ProgramModel, ValueKind } from "../command-model.ts";
import { singleQuoted } from "./quote.ts";

/** The file _forkcast for a directory of $fpath; may also be sourced. */
export function zshCompletion({ name, options, commands }: ProgramModel): string {
  const list = commands.map(({ name: command, description }) =>
    singleQuoted(`${command}:${description.replaceAll(":", "\\:")}`),
  );
  return `#compdef ${name}
# zsh completion of ${name}: save it as _${name} in a directory of $fpath, or source it
_${name}() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands
  commands=(
${list.map((item) => `    ${item}`).join("\n")}
  )
  _arguments -C ${options.map(optionSpec).join(" ")} '1: :->command' '*:: :->arguments'
  case $state in
  command) _describe command commands ;;
  arguments)
    case $words[1] in
${commands.map(commandCase).join("\n")}
    esac ;;
  esac
}
if [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function commandCase({ name, options, arguments: own }: CommandModel): string {
  const specs = [...options.map(optionSpec), ...own.map(argumentSpec)];
  return `    ${name}) _arguments \\\n${specs.map((spec) => `        ${spec}`).join(" \\\n")} ;;`;
}

/** '(-o --out)'{-o,--out}'[what]:dir:_files' */
function optionSpec({ flags, value, takes, description }: OptionModel): string {
  const text = `[${escaped(description)}]${takes === null ? "" : `:${escaped(nameOf(value))}:${action(takes)}`}`;
  if (flags.length === 1) return singleQuoted(`${flags[0]}${text}`);
  return `${singleQuoted(`(${flags.join(" ")})`)}{${flags.join(",")}}${singleQuoted(text)}`;
}

function argumentSpec({ usage, takes, isVariadic }: ArgumentModel): string {
  return singleQuoted(`${isVariadic ? "*" : ""}:${escaped(nameOf(usage))}:${action(takes)}`);
}

function nameOf(usage: string): string {
  return usage.replace(/[<>[\].]/g, "");
}

function action(takes: ValueKind): string {
  if (takes.kind === "words") return `(${takes.words.join(" ")})`;
  if (takes.kind === "list") return `_values -s , value ${takes.words.join(" ")}`;
  return takes.kind === "file" ? "_files" : " ";
}

/** Text inside a specification: brackets and colons end its parts. */
function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, "\\$&");
}
