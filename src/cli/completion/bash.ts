// Completion for bash (3.2 and later): a function that bash calls for every TAB. Files are left to bash itself.
import type { CommandModel, OptionModel, ProgramModel } from "../command-model.ts";
import { singleQuoted } from "./quote.ts";

/** The script to source. */
export function bashCompletion({ name, options, commands }: ProgramModel): string {
  const first = [...commands.map((command) => command.name), ...options.flatMap(({ flags }) => flags)];
  return `# bash completion of ${name}: source it, or put it where bash-completion looks
_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command='' given='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in -*) ;; *) command=\${COMP_WORDS[i]}; break ;; esac
  done
  COMPREPLY=()
  case $command in
  '') COMPREPLY=($(compgen -W ${words(first)} -- "$cur")) ;;
${commands.map(commandCase).join("\n")}
  esac
}
complete -o default -o bashdefault -F _${name} ${name}
`;
}

function words(list: readonly string[]): string {
  return singleQuoted(list.join(" "));
}

function commandCase({ name, options, arguments: own }: CommandModel): string {
  const values = options.filter(({ takes }) => takes !== null).map(valueCase);
  const flags = options.flatMap((option) => option.flags);
  const fixed = own.flatMap(({ takes }) => ("words" in takes ? takes.words : []));
  const argument = fixed.length > 0 ? `\n    else COMPREPLY=($(compgen -W ${words(fixed)} -- "$cur"))` : "";
  return `  ${name})
    case $prev in
${values.join("\n")}
    esac
    if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W ${words(flags)} -- "$cur"))${argument}
    fi ;;`;
}

function valueCase({ flags, takes }: OptionModel): string {
  const pattern = flags.join("|");
  if (takes?.kind === "words")
    return `    ${pattern}) COMPREPLY=($(compgen -W ${words(takes.words)} -- "$cur")); return ;;`;
  if (takes?.kind !== "list") return `    ${pattern}) return ;;`;
  // Of a list separated by commas the part before the last comma stays.
  return `    ${pattern}) [[ $cur == *,* ]] && given=\${cur%,*},
      COMPREPLY=($(compgen -P "$given" -W ${words(takes.words)} -- "\${cur##*,}")); return ;;`;
}
