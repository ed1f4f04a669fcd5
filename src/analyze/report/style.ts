// The report's style sheet: light and dark by the reader's setting, 360 px to 4K, paper. No fonts, no images.

/** Content of the page's one style element. */
export const STYLE: string = `
:root { color-scheme: light dark; --ground: #fff; --ink: #1a1a1a; --soft: #5a5a5a; --line: #d0d0d0; --panel: #f5f6f7; --bad: #a83c00; --link: #005a8c; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171a; --ink: #e6e6e6; --soft: #a8adb3; --line: #3a4048; --panel: #1d2227; --bad: #ff9455; --link: #7cc4f0; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem clamp(.75rem, 3vw, 3rem) 4rem; max-width: 110rem; background: var(--ground); color: var(--ink);
  font: clamp(15px, .35vw + 13px, 22px)/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5em; margin: .5em 0 .2em; } h2 { font-size: 1.2em; margin: 2em 0 .5em; border-bottom: 1px solid var(--line); }
h3 { font-size: 1em; margin: 0; } p, li, dd { max-width: 75ch; } a { color: var(--link); } code, .input { font-family: ui-monospace, monospace; font-size: .92em; }
.answer { background: var(--panel); border-left: .3rem solid var(--link); padding: .6rem 1rem; } .answer p { margin: .3em 0; }
.answer .figure { font-size: 1.15em; font-weight: 600; }
.soft, caption, .none { color: var(--soft); } .bad { color: var(--bad); font-weight: 600; }
.charts { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 34rem), 1fr)); }
figure { margin: 0; min-width: 0; } figcaption p { margin: .1em 0 .5em; color: var(--soft); }
.plot { overflow-x: auto; } .plot svg { display: block; width: 100%; min-width: 30rem; height: auto; } .plot svg:focus { outline: none; }
.vega-bind { font-size: .9em; } .vega-bind select { font: inherit; }
.scroll { overflow-x: auto; max-width: 100%; } .scroll:focus-visible { outline: 2px solid var(--link); }
table { border-collapse: collapse; font-size: .9em; } caption { text-align: left; padding-bottom: .3em; }
th, td { text-align: left; vertical-align: top; padding: .2em .8em .2em 0; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
td code { white-space: nowrap; } th:last-child, td:last-child, td:nth-last-child(2):not(.n) { min-width: 9em; }
td .input { display: inline-block; min-width: 8ch; overflow-wrap: anywhere; } .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr:target { background: var(--panel); outline: 2px solid var(--link); } ul.plain { list-style: none; margin: 0; padding: 0; } ul.plain li { white-space: nowrap; }
details { margin: .5em 0; } summary { cursor: pointer; } dt { font-weight: 600; } dd { margin: 0 0 .5em 1rem; }
@media print {
  :root { --ground: #fff; --ink: #000; --soft: #333; --line: #999; --panel: #fff; --bad: #000; --link: #000; }
  body { font-size: 9pt; max-width: none; padding: 0; } .scroll, .plot { overflow: visible; } .plot svg { min-width: 0; }
  .charts { grid-template-columns: 1fr 1fr; } figure, tr { break-inside: avoid; } .vega-bind { display: none; }
}
`;
