// Comparisons with hardware samples, and taking them back where a gap is found later: with room for a few the log says the same
// as with room for all (src/replay/samples.ts).
import { expect, test } from "vitest";
import type { Attempt } from "../../src/replay/attempt.ts";
import { Forks } from "../../src/replay/forks.ts";
import { rulesOf } from "../../src/replay/model/kernel-rules.ts";
import { World } from "../../src/replay/model/world.ts";
import { Samples } from "../../src/replay/samples.ts";

const CPUS = 3;
const STEPS = 600;

function randomOf(seed: number): (n: number) => number {
  let x = seed;
  return (n) => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return Math.floor((x / 2 ** 32) * n);
  };
}

function sample(samples: Samples, row: number, random: (n: number) => number): void {
  for (let c = 0; c < CPUS; c++)
    samples.add({ row } as Attempt, c, random(4), random(2) === 1, random(9) === 0);
}

/** The comparisons of every fork after a random run; CPU `CPUS` never shows an event. */
function outcome(seed: number, room: number): { readonly rows: string[]; readonly retracted: number } {
  const world = new World(rulesOf(6001));
  const forks = new Forks();
  const samples = new Samples(world, forks, room);
  const { cpus, mms } = world;
  cpus.ensure(CPUS);
  for (let label = 0; label < 4; label++) mms.create(label, 0, -1);
  const random = randomOf(seed);
  let retracted = 0;
  for (let step = 0; step < STEPS; step++) {
    world.seq++;
    const cpu = random(CPUS);
    const what = random(40);
    if (what === 0) {
      // Of any CPU, also the one never seen; else of one, after its last event.
      const any = random(3) === 0;
      samples.retract(any ? -1 : cpu, any ? random(2) * 200 - 1 : cpus.lastSeq[cpu]!);
      retracted++;
    } else if (what < 10) {
      const row = forks.add(mms, random(4), 1);
      forks.seq.set(row, world.seq);
      sample(samples, row, random);
    } else {
      cpus.lastSeq[cpu] = world.seq;
      cpus.loaded[cpu] = random(5) - 1;
    }
  }
  const rows = Array.from(
    { length: forks.length },
    (_, row) => `${forks.loadedCompared.at(row)} ${forks.loadedEqual.at(row)}`,
  );
  return { rows, retracted };
}

test("what is forgotten of the log changes nothing", () => {
  let retracted = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const small = outcome(seed, 1);
    retracted += small.retracted;
    expect(small.rows, `seed ${seed}`).toEqual(outcome(seed, 1e6).rows);
  }
  expect(retracted).toBeGreaterThan(200);
});
