// What papaparse alone costs: a CSV file read in blocks of whole lines, each block parsed to arrays of strings, nothing
// done with them. A peer of run.ts: tsx bench/papaparse-alone.ts FILE
import { closeSync, openSync, readSync } from "node:fs";
import Papa from "papaparse";

const BLOCK_BYTES = 1 << 20;
const LF = 0x0a;

const fd = openSync(process.argv[2] ?? "", "r");
const block = Buffer.alloc(BLOCK_BYTES * 2);
let held = 0;
let records = 0;
for (;;) {
  const read = readSync(fd, block, held, BLOCK_BYTES, null);
  const length = held + read;
  const end = read === 0 ? length : block.lastIndexOf(LF, length - 1) + 1;
  const text = block.toString("utf8", 0, end);
  records += Papa.parse<string[]>(text, { delimiter: ",", newline: "\n", fastMode: true }).data.length;
  held = length - end;
  block.copyWithin(0, end, length);
  if (read === 0) break;
}
closeSync(fd);
console.log(records);
