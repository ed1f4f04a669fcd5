// npm run docs:model: writes the generated parts of docs/model.md, from the recordings of traces/ and the fixtures of
// test/golden/replay. About 15 s.
import { readFileSync, writeFileSync } from "node:fs";
import { fillPage, modelParts } from "./model/page.ts";
import { outcomes, tallyModel } from "./model/tally.ts";

const PAGE = new URL("../docs/model.md", import.meta.url);

const tally = await tallyModel();
for (const text of tally.strange) console.error(`no row, or more than one: ${text}`);
writeFileSync(PAGE, fillPage(readFileSync(PAGE, "utf8"), modelParts(tally, await outcomes())));
