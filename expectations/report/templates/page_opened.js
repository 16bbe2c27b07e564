// Draws the derivation of one finding. Every value becomes a text node: nothing here is read as HTML.

// The class of each kind of minutes on a clock line; its words come with the line.
const KIND_CLASS = {
  credited: "credited", shared: "given", double: "double", session: "rest", rest: "rest", clash: "clash",
  uncounted: "uncounted",
};
const STEPS = [5, 10, 15, 20, 30, 60, 120, 240].map((minutes) => 60 * minutes);
const MOST_TICKS = 12;
const MOST_TICKS_NARROW = 5;
const LONG_TEXT = 40;

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

function scrolled(label, table) {
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table);
}

function drawTable([, caption, headings, rows, right, marked, marks]) {
  const isLong = headings.map((_, place) => rows.some((row) => String(row[place]).length > LONG_TEXT));
  const kind = (place) => (right.includes(place) ? { class: "number" } : isLong[place] ? { class: "long" } : {});
  const head = headings.map((heading, place) => element("th", { scope: "col", ...kind(place) }, heading));
  const body = rows.map((row, number) => element(
    "tr", marked.includes(number) ? { class: "marked" } : {},
    ...row.map((value, place) => element("td", kind(place), value)),
  ));
  const told = [caption, marked.length ? `Marked: ${marks}.` : ""].filter(Boolean).join(" ");
  const table = element(
    "table", {}, ...(told ? [element("caption", {}, told)] : []), element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
  return scrolled(told || headings.join(", "), table);
}

function time(second) {
  const two = (number) => String(number).padStart(2, "0");
  const rest = second % 86400;
  const seconds = rest % 60 ? ":" + two(rest % 60) : "";
  return two(Math.floor(rest / 3600)) + ":" + two(Math.floor(rest / 60) % 60) + seconds;
}

function drawRuns(runs, first, length, describe) {
  const track = element("div", { class: "track", "aria-hidden": "true" });
  for (const [start, end, mark] of runs) {
    const [kind, text, words] = describe(mark);
    const bar = element("span", { class: "minutes " + kind, title: `${time(start)}-${time(end)} ${words}` }, text);
    bar.style.left = `${(100 * (start - first)) / length}%`;
    bar.style.width = `${(100 * (end - start)) / length}%`;
    track.append(bar);
  }
  return track;
}

function drawClock([, rows, owners, legend]) {
  const words = Object.fromEntries(legend);
  const runs = rows.flatMap(([, own]) => own);
  const earliest = Math.min(...runs.map((run) => run[0]));
  const latest = Math.max(...runs.map((run) => run[1]));
  const most = window.innerWidth < 600 ? MOST_TICKS_NARROW : MOST_TICKS;
  const step = STEPS.find((one) => (latest - earliest) / one <= most) || STEPS[STEPS.length - 1];
  const first = earliest - (earliest % step);
  const length = Math.ceil((latest - first) / step) * step;
  const drawing = element("div", { class: "clock" });
  const line = (label, runs, describe) => {
    const said = runs.map(([start, end, mark]) => `${time(start)} to ${time(end)} ${describe(mark)[2]}`).join("; ");
    const text = element("span", { class: "unseen" }, `: ${said}`);
    const track = drawRuns(runs, first, length, describe);
    drawing.append(element("div", { class: "line" }, element("p", {}, label, text), track));
  };
  const axis = element("div", { class: "axis", "aria-hidden": "true" });
  for (let second = first; second <= first + length; second += step) {
    const tick = element("span", {}, time(second));
    tick.style.left = `${(100 * (second - first)) / length}%`;
    axis.append(tick);
  }
  drawing.append(element("div", { class: "line" }, element("p", {}), axis));
  for (const [label, own] of rows) line(label, own, (kind) => [KIND_CLASS[kind], "", words[kind]]);
  const owned = (tags) => ["owner" + (tags.includes("+") ? " clash" : ""), tags, `credited to ${tags}`];
  if (owners.length) line("Whose minute", owners, owned);
  const sample = (kind) => element("span", { class: "minutes " + KIND_CLASS[kind] });
  const listed = legend.map(([kind, said]) => element("li", {}, sample(kind), said));
  drawing.append(element("ul", { class: "legend" }, ...listed));
  return drawing;
}

const DRAWN = {
  clock: drawClock,
  table: drawTable,
  pairs: ([, rows]) => drawPairs(rows),
  section: ([, title, items]) => element("section", {}, element("h4", {}, title), ...items.map(drawItem)),
};

function drawItem(item) {
  return Array.isArray(item) ? DRAWN[item[0]](item) : element("p", {}, item);
}

function drawPairs(pairs) {
  const told = pairs.filter(([, value]) => value !== "");
  return element("dl", { class: "pairs" }, ...told.map(([name, value]) => element(
    "div", {}, element("dt", {}, name), element("dd", {}, value),
  )));
}

function drawFinding(finding, parts) {
  const drawn = element("div", { class: "opened" }, element("p", { class: "message" }, finding.message));
  drawn.append(drawPairs([
    ["Severity", finding.severity], ["Rule", finding.rule_id], ["Discipline", finding.discipline],
    ["Clinic", finding.clinic_id], ["Billed by", finding.billing_provider_id],
    ["Supported minutes", finding.supported_minutes], ["Double-counted minutes", finding.double_counted_minutes],
    ["Lawful by the other method", finding.expected_units_other_method], ["Cap", finding.cap_units],
    ["Billed", finding.billed_codes], ["Documented", finding.documented_codes],
    ["Claims", finding.claim_ids], ["Notes", finding.note_ids],
  ]));
  const decided = [
    ["Disposition", finding.disposition], ["Stands", finding.disposition_status], ["By", finding.disposition_by],
    ["On", finding.disposition_on], ["Why", finding.disposition_reason], ["Waived until", finding.waived_until],
  ];
  if (finding.disposition) drawn.append(element("h3", {}, "What was decided"), drawPairs(decided));
  if (parts) {
    const section = ([title, items]) => element("section", {}, element("h3", {}, title), ...items.map(drawItem));
    drawn.append(element("div", { class: "parts" }, ...parts.map(section)));
  } else {
    const { sources, reference_key: key, citation } = finding;
    drawn.append(drawPairs([["Rows", sources], ["Reference row", key], ["Citation", citation]]));
  }
  const command = element("code", {}, `minutewise explain OUT ${finding.finding_id.slice(0, 12)}`);
  drawn.append(element("p", {}, parts ? "The same in a terminal: " : "The whole derivation: ", command));
  return drawn;
}
