const rows = JSON.parse(document.getElementById("rows").textContent);
const [search, split, source, count, list, conversation] = ["search", "split", "source", "count", "list", "conversation"].map((id) => document.getElementById(id));
const MOST_LISTED = 1500;
let found = [];
let place = 0;

for (const row of rows) {
  row.plain = [row.id, row.stratum, row.licence, ...row.tags, ...row.authors, ...row.messages.map((m) => m[1])].join("\n").toLowerCase();
}

function marked(text, words) {
  const shown = element("div", undefined, "text");
  const plain = text.toLowerCase();
  // Folding case changes the length of a few letters; such a text is shown without marks.
  const marks = words && plain.length === text.length;
  let from = 0;
  for (let at = marks ? plain.indexOf(words) : -1; at >= 0; at = plain.indexOf(words, from)) {
    shown.append(text.slice(from, at), element("mark", text.slice(at, at + words.length)));
    from = at + words.length;
  }
  shown.append(text.slice(from));
  return shown;
}

function address(url) {
  if (!/^https?:\/\//.test(url)) return element("span", url);
  const link = element("a", url);
  link.href = url;
  link.rel = "noopener noreferrer";
  link.target = "_blank";
  return link;
}

function facts(row) {
  const table = element("dl");
  const add = (name, ...values) => {
    if (!values.length || values[0] === "" || values[0] === null) return;
    const cell = element("dd");
    values.forEach((value, number) => cell.append(...(number ? [", "] : []), value));
    table.append(element("dt", name), cell);
  };
  add("split, source", row.split, row.source);
  add("stratum", row.stratum);
  add("score", row.score === null ? "" : String(row.score));
  add("authors", ...row.authors);
  add("licence", row.licence);
  add("from", ...row.urls.map(address));
  add("tags", ...row.tags);
  add("review", row.review);
  add("id", row.id);
  return table;
}

function show(next, focus) {
  place = Math.max(0, Math.min(next, found.length - 1));
  conversation.replaceChildren();
  for (const button of list.querySelectorAll('[aria-current="true"]')) button.removeAttribute("aria-current");
  const row = found[place];
  if (!row) return;
  const words = search.value.trim().toLowerCase();
  conversation.append(facts(row));
  for (const [role, content] of row.messages) {
    const said = marked(content, words);
    said.classList.add(role === "user" ? "user" : "assistant");
    conversation.append(element("h2", role), said);
  }
  conversation.scrollTop = 0;
  const button = list.children[place];
  if (button) {
    button.setAttribute("aria-current", "true");
    button.scrollIntoView({ block: "nearest" });
    if (focus) button.focus({ preventScroll: true });
  }
  history.replaceState(null, "", `#${row.id}`);
}

function find() {
  const words = search.value.trim().toLowerCase();
  found = rows.filter((row) => (!split.value || row.split === split.value) && (!source.value || row.source === source.value) && row.plain.includes(words));
  list.replaceChildren(...found.slice(0, MOST_LISTED).map((row, number) => {
    const first = row.messages.find((m) => m[0] === "user") || row.messages[0];
    const button = element("button", first[1].slice(0, 110));
    button.type = "button";
    button.append(element("span", `${row.split}, ${row.source}`));
    button.addEventListener("click", () => show(number, false));
    return button;
  }));
  if (!found.length) list.append(element("p", "Nothing is found."));
  if (found.length > MOST_LISTED) list.append(element("p", `${found.length - MOST_LISTED} more: narrow the search.`));
  count.textContent = `${found.length} of ${rows.length}`;
}

function refresh() {
  find();
  show(0, false);
}

for (const [select, key] of [[split, "split"], [source, "source"]]) offer(select, new Set(rows.map((row) => row[key])));
search.addEventListener("input", refresh);
split.addEventListener("change", refresh);
source.addEventListener("change", refresh);
walk(search, (by) => show(place + by, true));

find();
show(Math.max(0, found.findIndex((row) => `#${row.id}` === location.hash)), false);
