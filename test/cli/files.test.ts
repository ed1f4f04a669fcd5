import { expect, test } from "vitest";
import { behind } from "../../src/cli/files.ts";

const PIECES = [[1, 2, 3], [], [4], [5, 6]].map((bytes) => Uint8Array.from(bytes));

test.each([0, 1, 2, 3, 4, 5, 6])(
  "behind %i bytes that a full disk has taken, the others follow in order",
  (done) => {
    const rest = behind(PIECES, done);
    expect(rest.flatMap((piece) => [...piece])).toEqual([1, 2, 3, 4, 5, 6].slice(done));
    expect(rest.every(({ length }) => length > 0)).toBe(true);
  },
);
