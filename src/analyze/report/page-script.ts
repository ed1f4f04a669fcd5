// The page's own script: draws the charts, keeps the selections in step, sorts tables, switches the theme. It uses no
// storage, no network and no eval; input text reaches the document as text nodes only.

/** Runs after vega, vega-lite and the expression interpreter; in a page without charts, after nothing. */
export const PAGE_SCRIPT: string = `"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;

  // Theme: the reader's setting, or the button's.
  const theme = byId("theme");
  const next = { auto: "dark", dark: "light", light: "auto" };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const now = next[root.dataset.theme ?? "auto"];
    if (now === "auto") delete root.dataset.theme;
    else root.dataset.theme = now;
    theme.textContent = "Theme: " + now;
  });

  // Tables: a button in each heading.
  const collator = new Intl.Collator("en", { numeric: true });
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.sort ?? cell.textContent;
    const number = text.trim() === "" ? NaN : Number(text);
    return { text, number };
  };
  const compare = (a, b) =>
    Number.isNaN(a.number) || Number.isNaN(b.number) ? collator.compare(a.text, b.text) : a.number - b.number;
  for (const table of document.querySelectorAll("table")) {
    const body = table.tBodies[0];
    if (body.rows.length < 2) continue;
    for (const th of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = th.textContent;
      th.replaceChildren(button);
      button.addEventListener("click", () => {
        const direction = th.getAttribute("aria-sort") === (th.classList.contains("n") ? "descending" : "ascending")
          ? (th.classList.contains("n") ? "ascending" : "descending")
          : (th.classList.contains("n") ? "descending" : "ascending");
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        th.setAttribute("aria-sort", direction);
        const sign = direction === "ascending" ? 1 : -1;
        const rows = [...body.rows].map((row) => ({ row, key: keyOf(row, th.cellIndex) }));
        rows.sort((a, b) => sign * compare(a.key, b.key));
        body.append(...rows.map(({ row }) => row));
      });
    }
  }

  // A link into a closed part opens it.
  const reveal = () => {
    const target = location.hash.length > 1 ? byId(decodeURIComponent(location.hash.slice(1))) : null;
    for (let at = target; at !== null; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target !== null) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);

  const store = byId("chart-data");
  if (store === null || typeof vega === "undefined") return;
  const { charts, datasets, config } = JSON.parse(store.textContent);
  // Letters in pictures grow with those of the page, as far as the rows leave room.
  const scale = Math.max(1, Math.min(1.3, parseFloat(getComputedStyle(document.body).fontSize) / 17));
  for (const part of Object.values(config)) {
    for (const name of Object.keys(part)) if (/fontSize$/i.test(name)) part[name] = Math.round(part[name] * scale);
  }

  const expand = ({ fields, words, rows }) =>
    rows.map((row) => Object.fromEntries(fields.map((field, i) =>
      [field, words[field] === undefined || row[i] === null ? row[i] : words[field][row[i]]])));
  const complete = (chart) => ({
    ...chart.spec,
    description: chart.description,
    datasets: Object.fromEntries(chart.datasets.map((name) => [name, expand(datasets[name])])),
  });

  // Tooltips: text nodes in one box.
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  document.body.append(tip);
  const showTip = (_handler, event, _item, value) => {
    tip.hidden = value === null || value === undefined || value === "";
    if (tip.hidden) return;
    const pairs = typeof value === "object" ? Object.entries(value) : [["", String(value)]];
    tip.replaceChildren(...pairs.map(([name, text]) => {
      const line = document.createElement("div");
      const label = document.createElement("b");
      label.textContent = name === "" ? "" : name + " ";
      line.append(label, String(text));
      return line;
    }));
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 8)) + "px";
    tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - height - 8)) + "px";
  };

  // Selections: one state, given to every view that has a signal of that name.
  const form = byId("controls");
  const selects = { policy: byId("policy"), command: byId("command") };
  const times = { from: byId("from"), to: byId("to") };
  const names = [...selects.command.options].map((option) => option.textContent);
  const span = Number(times.to.dataset.initial);
  const views = [];
  const number = (input) => input.value === "" || !Number.isFinite(input.valueAsNumber) ? Number(input.dataset.initial) : input.valueAsNumber;
  const state = () => ({
    from: number(times.from),
    to: number(times.to),
    policy: selects.policy.value,
    command: selects.command.selectedIndex <= 0 ? null : names[selects.command.selectedIndex],
  });
  const countShown = ({ from, to, command }) => {
    const { fields, words, rows } = datasets.outcomes;
    const at = fields.indexOf("at"), of = fields.indexOf("command"), policy = fields.indexOf("policy"), n = fields.indexOf("forks");
    const valueOf = (row, i) => words[fields[i]] === undefined ? row[i] : words[fields[i]][row[i]];
    let shown = 0, total = 0;
    for (const row of rows) {
      if (row[policy] !== 0) continue;
      const forks = valueOf(row, n);
      total += forks;
      if (valueOf(row, at) >= from && valueOf(row, at) <= to && (command === null || words.command[row[of]] === command)) shown += forks;
    }
    return { shown, total };
  };
  const format = (n) => n.toLocaleString("en-US");
  const apply = () => {
    const now = state();
    const { shown, total } = countShown(now);
    byId("shown").textContent = shown === total
      ? "The charts show all " + format(total) + " forks."
      : "The charts show " + format(shown) + " of " + format(total) + " forks. The sentences above them are of the whole recording.";
    for (const { view, params } of views) {
      let changed = false;
      for (const [name, value] of Object.entries(now)) {
        // A chart that lacks the policy keeps what it shows.
        if (!params.has(name) || (params.get(name) !== null && !params.get(name).includes(value))) continue;
        if (view.signal(name) !== value) { view.signal(name, value); changed = true; }
      }
      if (changed) view.runAsync();
    }
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => {
    for (const { view, brush } of views) if (brush) view.signal("brush_tuple", null).signal("brush_x", []).runAsync();
    apply();
  }));

  const bindBrush = (view) => {
    let timer = 0;
    view.addSignalListener("brush", (_name, value) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        const range = value.at ?? value.start;
        const round = (x) => Number(Math.max(0, Math.min(span, x)).toPrecision(4));
        times.from.value = range ? round(range[0]) : times.from.dataset.initial;
        times.to.value = range ? round(range[1]) : times.to.dataset.initial;
        apply();
      }, 60);
    });
  };
  const choose = (select, index) => {
    if (index < 0 || index >= select.options.length) return;
    select.selectedIndex = select.selectedIndex === index && select === selects.command ? 0 : index;
    apply();
  };

  const draw = async (chart) => {
    const box = byId("plot-" + chart.id);
    const live = document.createElement("div");
    const widthNow = () => Math.max(240, Math.min(1200, box.clientWidth - 2));
    const spec = vegaLite.compile({ ...complete(chart), width: widthNow() }, { config, logger: vega.logger(vega.Error) }).spec;
    const view = new vega.View(vega.parse(spec, null, { ast: true }), {
      expr: vegaInterpreter,
      renderer: "svg",
      hover: true,
      logLevel: vega.Error,
      tooltip: showTip,
    });
    box.replaceChildren(live);
    await view.initialize(live, document.createElement("div")).runAsync();
    // The box around it is the picture to a screen reader, its sentence the description.
    live.querySelector("svg").setAttribute("aria-hidden", "true");
    const params = new Map((chart.spec.params ?? []).map(({ name, bind }) => [name, name === "policy" && bind ? bind.options : null]));
    const brush = chart.id === "over-time";
    views.push({ view, params, brush });
    if (brush) bindBrush(view);
    view.addEventListener("click", (_event, item) => {
      const datum = item?.datum ?? {};
      if (chart.id === "policies" && datum.policy) choose(selects.policy, [...selects.policy.options].findIndex((option) => option.value === datum.policy));
      if (chart.id === "commands" && datum.command) choose(selects.command, names.indexOf(datum.command, 1));
    });
    let width = widthNow();
    new ResizeObserver(() => {
      if (Math.abs(widthNow() - width) < 4) return;
      width = widthNow();
      view.width(width).runAsync();
    }).observe(box);
  };

  for (const details of document.querySelectorAll("details.spec")) {
    details.hidden = false;
    details.addEventListener("toggle", () => {
      if (!details.open || details.childElementCount > 1) return;
      const text = JSON.stringify(complete(charts.find(({ id }) => id === details.dataset.chart)), null, 1);
      const pre = document.createElement("pre");
      pre.tabIndex = 0;
      pre.textContent = text;
      const link = document.createElement("a");
      link.textContent = "Download Vega-Lite";
      link.download = "forkcast-" + details.dataset.chart + ".vl.json";
      link.href = "data:application/json;charset=utf-8," + encodeURIComponent(text);
      const line = document.createElement("p");
      line.append(link);
      details.append(pre, line);
    });
  }

  (async () => {
    for (const chart of charts) {
      try {
        await draw(chart);
      } catch (error) {
        byId("plot-" + chart.id).textContent = "This picture could not be drawn (" + error.message + "); its table has the same figures.";
      }
    }
    form.hidden = false;
    apply();
    root.dataset.drawn = String(views.length);
    reveal();
  })();
})();
`;
