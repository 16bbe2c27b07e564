// The table of the findings: filters, order, pages, and rows that open.

const { DataTable } = globalThis.minutewiseTables;
const LONGEST_OPTION = 60;

function started() {
  const source = document.getElementById("findings-json");
  if (!source) return;
  const { fields, rules, rows } = JSON.parse(source.textContent);
  const titles = new Map(rules);
  const place = new Map(fields.map((name, index) => [name, index]));
  const at = (row, name) => row[place.get(name)];
  const dollars = (row) => {
    const text = at(row, "at_risk_usd");
    if (text === "") return -2;
    return text === "unknown" ? -1 : Number(text.replace(/[$,]/g, ""));
  };
  const title = (row) => titles.get(at(row, "rule_id")) || at(row, "rule_id");
  const lawful = (row) => (at(row, "expected_units") === "" ? at(row, "cap_units") : at(row, "expected_units"));
  const isCap = (row) => at(row, "expected_units") === "" && at(row, "cap_units") !== "";

  let derivations;
  const partsOf = (row) => {
    derivations ||= JSON.parse(document.getElementById("opened-json").textContent);
    return derivations[rows.indexOf(row)];
  };

  document.getElementById("live").hidden = false;
  document.getElementById("static").hidden = true;
  const table = shownTable();
  const filters = startedFilters();
  startedOpening();
  told();

  function column(name, value, type, text = value) {
    const number = (row) => (value(row) === "" ? -1 : Number(value(row)));
    const sorted = type === "num" && name !== "At risk" ? number : value;
    return {
      className: type === "num" ? "number" : "text",
      type,
      // Values go into text nodes; DataTables would read a string as HTML.
      render: (_, form, row) => (form === "display" ? document.createTextNode(text(row)) : sorted(row)),
      createdCell: (cell) => cell.setAttribute("data-label", name),
      data: null,
      searchable: false,
    };
  }

  function shownTable() {
    const plain = (label, name) => column(label, (row) => at(row, name), "string");
    const columns = [
      { data: null, className: "opener", orderable: false, searchable: false, type: "string", render: () => "" },
      plain("Date", "service_date"), plain("Patient", "patient_id"), plain("Clinician", "provider_id"),
      plain("Payer", "payer_id"), plain("Code", "procedure_code"), column("Rule", title, "string"),
      column("Billed", (row) => at(row, "billed_units"), "num"),
      column("Lawful", lawful, "num", (row) => (isCap(row) ? `cap ${lawful(row)}` : lawful(row))),
      column("At risk", dollars, "num", (row) => at(row, "at_risk_usd")),
      plain("Since last run", "since_last_run"), plain("Disposition", "disposition"),
    ];
    return new DataTable("#findings-table", {
      data: rows,
      columns,
      createdRow: (line, row, index) => addOpener(line, row, index),
      order: [],
      autoWidth: false,
      deferRender: true,
      typeDetect: false,
      pageLength: 50,
      lengthMenu: [25, 50, 100, 250, 1000],
      layout: { topStart: null, topEnd: null, bottomStart: "pageLength", bottomEnd: "paging" },
      language: { lengthMenu: "_MENU_ rows a page", emptyTable: "", zeroRecords: "No finding matches these filters." },
    });
  }

  function addOpener(line, row, index) {
    const words = `${title(row)}, ${at(row, "service_date")}, ${at(row, "patient_id") || at(row, "provider_id")}`;
    const states = { "aria-expanded": "false", "aria-label": `Open: ${words}` };
    const button = element("button", { type: "button", class: "open", ...states });
    button.dataset.row = index;
    line.cells[0].append(button);
    const severity = at(row, "severity");
    const known = ["error", "warning", "review"].includes(severity) ? severity : "other";
    line.cells[6].append(element("span", { class: `severity ${known}` }, severity));
  }

  function startedFilters() {
    const form = document.getElementById("filters");
    const choices = [...form.querySelectorAll("select")];
    for (const choice of choices) fill(choice);
    const text = document.getElementById("filter-text");
    const [from, to] = [document.getElementById("filter-from"), document.getElementById("filter-to")];
    const texts = rows.map((row) => [title(row), ...row].join("\n").toLowerCase());
    const meets = (row, index) => {
      const day = at(row, "service_date");
      if (from.value && day < from.value) return false;
      if (to.value && (!day || day > to.value)) return false;
      if (!text.value.toLowerCase().split(/\s+/).every((word) => texts[index].includes(word))) return false;
      return choices.every((choice) => !choice.value || choice.values[choice.value] === at(row, choice.dataset.field));
    };
    table.search.fixed("filters", (_, row, index) => meets(row, index));
    const applied = () => {
      table.draw();
      told();
    };
    form.addEventListener("input", applied);
    form.addEventListener("submit", (event) => event.preventDefault());
    // The form's values are back only after its reset event.
    form.addEventListener("reset", () => setTimeout(applied));
    return { form };
  }

  function fill(choice) {
    const counts = new Map();
    for (const row of rows) {
      const value = at(row, choice.dataset.field);
      counts.set(value, (counts.get(value) || 0) + 1);
    }
    const name = (value) => (choice.dataset.field === "rule_id" ? titles.get(value) || value : value) || "not given";
    choice.values = [...counts.keys()].sort((one, other) => (String(name(one)) < String(name(other)) ? -1 : 1));
    choice.values.forEach((value, index) => {
      const label = String(name(value)).slice(0, LONGEST_OPTION);
      choice.append(element("option", { value: index }, `${label} (${counts.get(value)})`));
    });
    choice.disabled = choice.values.length < 2;
  }

  function told() {
    const { start, end, recordsDisplay, recordsTotal } = table.page.info();
    const place = recordsDisplay ? `, ${start + 1} to ${end} on this page` : "";
    document.getElementById("shown").textContent = `${recordsDisplay} of ${recordsTotal} findings shown${place}`;
  }

  function startedOpening() {
    const body = document.querySelector("#findings-table tbody");
    const buttons = () => [...body.querySelectorAll("button.open")];
    body.addEventListener("click", (event) => {
      const button = event.target.closest("button.open");
      if (button) set(button, button.getAttribute("aria-expanded") === "false");
      else if (!event.target.closest(".opened") && !String(document.getSelection())) {
        event.target.closest("tr")?.querySelector("button.open")?.click();
      }
    });
    document.getElementById("findings-table").addEventListener("keydown", keyed);
    document.getElementById("open-all").addEventListener("click", () => buttons().forEach((one) => set(one, true)));
    document.getElementById("close-all").addEventListener("click", () => buttons().forEach((one) => set(one, false)));
    table.on("draw", told);
  }

  function keyed(event) {
    if (event.key === "Escape") {
      const line = event.target.closest("tr");
      const button = event.target.closest(".opened")
        ? document.querySelector(`button.open[aria-controls="${event.target.closest(".opened").id}"]`)
        : line?.querySelector("button.open");
      if (button?.getAttribute("aria-expanded") === "true") {
        set(button, false);
        button.focus();
      }
    } else if (event.key === " " && event.target.matches("th [role=button]")) {
      event.preventDefault();
      event.target.click();
    }
  }

  function set(button, isOpen) {
    const line = table.row(button.closest("tr"));
    if (isOpen && !line.child()) {
      const row = line.data();
      const finding = Object.fromEntries(fields.map((name) => [name, at(row, name)]));
      const drawn = drawFinding(finding, partsOf(row));
      drawn.id = `opened-${button.dataset.row}`;
      line.child(drawn, "opened-row");
      button.setAttribute("aria-controls", drawn.id);
    }
    if (isOpen) line.child.show();
    else line.child.hide();
    button.setAttribute("aria-expanded", String(isOpen));
  }
}

started();
