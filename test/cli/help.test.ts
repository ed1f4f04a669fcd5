// Every command's --help ends with three examples that its own options accept.
import { expect, test } from "vitest";
import { EXAMPLES } from "../../src/cli/examples.ts";
import { buildProgram } from "../../src/cli/program.ts";

const program = buildProgram(() => {});

test("every command has three examples, and no other name has", () => {
  const names = program.commands.map((command) => command.name());
  expect(Object.keys(EXAMPLES).sort()).toEqual(names.sort());
  for (const name of names) expect(EXAMPLES[name], name).toHaveLength(3);
});

test.each(program.commands.map((command) => [command.name(), command] as const))(
  "%s: the examples use options it has",
  (name, command) => {
    const flags = command.options.flatMap(({ short, long }) => [short, long]);
    for (const line of EXAMPLES[name] ?? []) {
      const own = line.split(/\| (?!grep|gzip|ssh)/).at(-1) ?? "";
      expect(own).toMatch(new RegExp(`^forkcast ${name}( |$)`));
      const used =
        own
          .split(/ [|>&]/)[0]
          ?.replace(/'[^']*'/g, "''")
          .match(/(?<= )--?[a-z][a-z-]*/g) ?? [];
      for (const flag of used) expect(flags, `${flag} in: ${line}`).toContain(flag);
    }
  },
);
