// The report's style sheet: light and dark by the reader's setting or choice, 360 px to 4K, paper. No fonts, no images.

const LIGHT =
  "--ground: #fff; --ink: #1a1a1a; --soft: #57606a; --line: #d0d4d9; --panel: #f5f7f9; --bad: #a83c00; --link: #005a8c; " +
  "--forker: #0072b2; --forker-ink: #fff; --user: #d98a5b; --user-ink: #000; --lazy: #bfe0f3; --other: #eceff2; --lock: #6d4a86;";
const DARK =
  "--ground: #14171a; --ink: #e6e6e6; --soft: #a8b0b8; --line: #3a4048; --panel: #1d2227; --bad: #ff9455; --link: #7cc4f0; " +
  "--forker: #2f8fcb; --forker-ink: #000; --user: #c4713c; --user-ink: #000; --lazy: #23506b; --other: #262c33; --lock: #b08acb;";

/** Content of the page's one style element. */
export const STYLE: string = `
:root { color-scheme: light; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) { color-scheme: dark; ${DARK} } }
:root[data-theme=dark] { color-scheme: dark; ${DARK} }
* { box-sizing: border-box; }
html { scroll-padding-top: 4.5rem; }
body { margin: 0 auto; padding: 1rem clamp(.75rem, 3vw, 3rem) 4rem; max-width: 125em; background: var(--ground); color: var(--ink);
  font: clamp(15px, .35vw + 13px, 24px)/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5em; line-height: 1.25; margin: .3em 0 .2em; } h2 { font-size: 1.25em; margin: 2em 0 .5em; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.08em; margin: 1.6em 0 .3em; } h4 { font-size: 1em; margin: 0 0 .3em; } p, li, dd { max-width: 80ch; } a { color: var(--link); }
code, .input, pre { font-family: ui-monospace, monospace; font-size: .92em; } .hash { font-size: .75em; }
.skip { position: absolute; left: -100vw; } .skip:focus { left: 1rem; background: var(--ground); padding: .3em; z-index: 3; }
header p { margin: 0; } nav { display: flex; flex-wrap: wrap; gap: .1em 1em; align-items: center; padding: .4em 0; }
button, select, input { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--soft); border-radius: .3em; padding: .1em .5em; }
#theme { margin-left: auto; } :focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
.answer { background: var(--panel); border-left: .3rem solid var(--link); padding: .6rem 1rem .4rem; } .answer h2 { display: none; }
.answer .figure { font-size: 1.15em; font-weight: 600; margin: .1em 0 .5em; max-width: none; } .answer dl { margin: 0; }
.answer dl div { display: grid; grid-template-columns: 9.5em 1fr; gap: 0 1em; border-top: 1px solid var(--line); padding: .25em 0; }
.answer data { white-space: nowrap; } .answer dt { font-weight: 600; } .answer dd { margin: 0; max-width: 100ch; }
.soft, caption, .none { color: var(--soft); } .bad { color: var(--bad); font-weight: 700; }
.controls { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: .3em 1em; align-items: center; background: var(--panel); border: 1px solid var(--line); padding: .4em .8em; }
.controls[hidden] { display: none; } .controls p { margin: 0; flex-basis: 100%; font-size: .9em; color: var(--soft); max-width: none; }
.controls input { width: 6.5em; } .controls select { max-width: 16em; }
.charts { display: grid; gap: 1rem 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); align-items: start; }
figure { margin: 1rem 0 0; min-width: 0; } figcaption h3 { margin: 0; } figcaption p { margin: .1em 0 .6em; color: var(--soft); }
.plot { min-width: 0; overflow-x: auto; } .plot svg { display: block; max-width: 100%; } .plot svg text { font-family: system-ui, sans-serif; }
#plot-commands path, #plot-policies path { cursor: pointer; }
#tip { position: fixed; z-index: 9; pointer-events: none; max-width: 24rem; background: var(--ground); border: 1px solid var(--soft); border-radius: .3em; padding: .3em .6em; font-size: .85em; box-shadow: 0 2px 8px #0004; }
#tip[hidden] { display: none; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-size: .9em; } caption { text-align: left; padding-bottom: .3em; }
th, td { text-align: left; vertical-align: top; padding: .22em .8em .22em 0; border-bottom: 1px solid var(--line); overflow-wrap: normal; font-weight: normal; }
thead th { font-weight: 600; vertical-align: bottom; } thead button { border: 0; padding: 0; background: none; font-weight: 600; text-align: inherit; cursor: pointer; }
thead button::after { content: "↕"; color: var(--soft); font-size: .8em; margin-left: .15em; } [aria-sort=ascending] button::after { content: "▲"; } [aria-sort=descending] button::after { content: "▼"; }
tbody th code, td code { white-space: nowrap; } td .hash { white-space: normal; } tbody th[scope=row]:not(.n) { min-width: 9em; } td.wide, th.wide { min-width: 16em; } td:not(.n) { min-width: 7em; } td .input, th .input { display: inline-block; min-width: 8ch; overflow-wrap: anywhere; } th .input { min-width: 16ch; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
:target { background: var(--panel); outline: 2px solid var(--link); outline-offset: 3px; }
details { margin: .4em 0; } summary { cursor: pointer; color: var(--link); width: fit-content; }
pre { overflow: auto; max-height: 24rem; background: var(--panel); padding: .6em .8em; margin: .4em 0; white-space: pre; }
.fork { border: 1px solid var(--line); border-radius: .4em; padding: .7em 1em; margin: 1em 0; } .fork p, .fork ul { margin: .2em 0; }
.lanes { width: 100%; min-width: 34rem; max-width: 75rem; height: auto; } .lanes text { font-size: 12px; fill: var(--ink); } .lanes .cpu { fill: var(--soft); }
.lanes .time { font-size: 11px; text-anchor: middle; fill: var(--soft); } .lanes .tick { stroke: var(--line); } .lanes .name { pointer-events: none; paint-order: stroke; stroke-width: 3px; }
.lanes .name { stroke: var(--ground); } .lanes .on-forker { fill: var(--forker-ink); stroke: var(--forker); } .lanes .on-user { fill: var(--user-ink); stroke: var(--user); } .lanes .on-lazy { stroke: var(--lazy); } .lanes .on-other { stroke: var(--other); }
.forker { fill: var(--forker); } .user { fill: var(--user); } .lazy { fill: var(--lazy); stroke: var(--soft); stroke-width: .5; } .kept { fill: none; stroke: var(--soft); stroke-dasharray: 2 2; } .other { fill: var(--other); }
.lock { fill: var(--lock); } .window { fill: none; stroke: var(--ink); stroke-dasharray: 4 3; stroke-width: 1.2; }
.shade { stroke: var(--bad); stroke-width: 2; } .hatch { fill: var(--bad); fill-opacity: .75; } .hatch-line { stroke: var(--bad); stroke-width: 2; fill: none; }
.legend { list-style: none; padding: 0; margin: .5em 0; display: flex; flex-wrap: wrap; gap: .2em 1.4em; font-size: .9em; } .legend li { max-width: none; } .key { width: 26px; height: 14px; vertical-align: -2px; }
@media (max-width: 40rem) { .answer dl div { grid-template-columns: 1fr; } .controls { position: static; } nav { font-size: .92em; } }
@media print {
  :root, :root[data-theme] { color-scheme: light; ${LIGHT} --ground: #fff; --ink: #000; --soft: #333; --panel: #fff; }
  body { font-size: 9pt; max-width: none; padding: 0; } .scroll, .plot, pre { overflow: visible; max-height: none; } pre { white-space: pre-wrap; }
  .charts { grid-template-columns: 1fr 1fr; } figure, tr, .fork svg, .answer { break-inside: avoid; } h2, h3, h4 { break-after: avoid; }
  nav, .controls, .skip, #tip, .spec, thead button::after { display: none; } .lanes { min-width: 0; } table { font-size: .8em; } a { color: inherit; text-decoration: none; }
  * { print-color-adjust: exact; }
}
`;
