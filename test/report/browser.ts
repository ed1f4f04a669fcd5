// Headless Chromium for the tests of the page: Debian's, or the one that $CHROME names.
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

/** Path of the browser; undefined: there is none, and the tests that need it are skipped. */
export const CHROME: string | undefined = [process.env["CHROME"], "/usr/bin/chromium"].find(
  (path) => path !== undefined && path !== "" && existsSync(path),
);

if (CHROME === undefined)
  process.stderr.write(
    "report tests: no /usr/bin/chromium and no $CHROME: the page is not tested in a browser\n",
  );

export async function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROME ?? "", args: ["--no-sandbox"] });
}

export interface OpenPage {
  readonly page: Page;
  /** Console messages, page errors, dialogs. */
  readonly complaints: string[];
  /** Requests other than for the file itself. */
  readonly requests: string[];
}

export interface Look {
  readonly width?: number;
  readonly dark?: boolean;
}

/** Opens a file from disk, offline, and waits until its charts are drawn. */
export async function open(
  browser: Browser,
  path: string,
  { width = 1280, dark = false }: Look = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: dark ? "dark" : "light",
    offline: true,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  const url = pathToFileURL(path).href;
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (request.url() !== url) requests.push(request.url());
  });
  await page.goto(url);
  await page.waitForFunction(
    'document.documentElement.dataset.drawn !== undefined || !document.getElementById("chart-data")',
  );
  return { page, complaints, requests };
}

/** A chart's table as numbers and texts, as the page has them. */
export async function readTable(page: Page, id: string): Promise<(number | string)[][]> {
  return page.$$eval(`#table-${id} tbody tr`, (rows) =>
    rows.map((row) =>
      [
        ...(
          row as unknown as {
            cells: Iterable<{ querySelector(s: string): { value: string } | null; textContent: string }>;
          }
        ).cells,
      ].map((cell) => {
        const data = cell.querySelector("data");
        return data === null ? cell.textContent : Number(data.value);
      }),
    ),
  );
}
