// The page: what is shown, what each key does. All decisions live in the server's ledger.
import { List } from "/list.js";
import { otherPrompt, showAbout, showEditor, showExample } from "/example.js";
import { make } from "/text.js";

const $ = (id) => document.getElementById(id);
const POLL_MS = 4000;
const ALIKE = 0.5;
const REASONS = [
  "wrong or misleading",
  "shallow, or beside the question",
  "prompt does not stand alone",
  "refers to what is not there",
  "opinion or personal story",
  "out of date",
  "unsafe or offensive",
  "formatting debris",
  "too like another",
];

const rows = new Map();
let version = 0;
let shown = []; // ids that pass the filter, in order
let current = null;
let detail = null;
let editor = null;
let mode = "formatted"; // or plain, source
let found = null; // ids that hold the text looked for
let given = []; // reasons that the ledger holds
let busy = false;
let problem = null;
let notes = []; // what the server wants the reviewer to know
const list = new List($("list"), $("rows"), (id) => editor || trying(() => go(id)));

// -- talking to the server

class Lost extends Error {}

async function ask(path, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...body, since: version }),
  };
  let answer;
  let said;
  try {
    answer = await fetch(path, options);
    said = await answer.text();
  } catch {
    throw new Lost(
      "The server does not answer: what you do now is not saved. Nothing decided before is lost. " +
        "Start `limaflow review` again and open its new address.",
    );
  }
  if (answer.status === 403) throw new Lost(said);
  const value = JSON.parse(said);
  if (!answer.ok) throw new Error(value.error);
  return value;
}

// One thing at a time: a key pressed before the last one has taken effect is a slip.
async function trying(work) {
  if (busy) return;
  busy = true;
  await telling(work);
  busy = false;
}

async function telling(work) {
  try {
    await work();
    if (busy || problem instanceof Lost) problem = null;
  } catch (error) {
    problem = error;
  }
  trouble();
}

function trouble() {
  $("trouble").textContent = [problem?.message, ...notes].filter(Boolean).join(" ");
  $("trouble").hidden = !$("trouble").textContent;
}

function say(message) {
  $("said").textContent = message;
}

function take(changes) {
  version = changes.version;
  given = changes.reasons;
  for (const row of changes.rows) rows.set(row.id, row);
  for (const id of changes.gone) rows.delete(id);
  $("dataset").textContent = changes.dataset;
  $("reviewer").textContent = changes.reviewer;
  $("ledger").textContent = changes.ledger;
  document.title = `Review of ${changes.dataset}`;
  const empty = Object.entries(changes.empty).map(([source, n]) => `${n} of ${source}`);
  notes = [...changes.warnings];
  if (empty.length) notes.push(`The reserve is used up; places left empty: ${empty.join(", ")}. Raise curation.reserve_share.`);
  if (changes.rows.length || changes.gone.length) {
    count();
    filter();
  }
}

// -- the list

function count() {
  const every = [...rows.values()];
  const of = (what) => every.filter((row) => row.mine === what).length;
  const decided = every.length - of("");
  $("bar").max = every.length || 1;
  $("bar").value = decided;
  $("counts").textContent =
    `${decided} of ${every.length} · ${of("keep")} kept · ${of("edit")} edited · ${of("reject")} rejected`;
  const sources = [...new Set(every.map((row) => row.source))].sort();
  bySource(every, sources);
  if ($("source").options.length !== sources.length + 1) {
    const chosen = $("source").value;
    $("source").replaceChildren(new Option("every source", ""), ...sources.map((s) => new Option(s, s)));
    $("source").value = chosen;
  }
}

function bySource(every, sources) {
  const line = (tag, cells) => make("tr", "", cells.map((cell) => make(tag, "", String(cell))));
  const lines = sources.map((source) => {
    const own = every.filter((row) => row.source === source);
    const of = (what) => own.filter((row) => row.mine === what).length;
    return line("td", [source, own.length - of(""), own.length, of("keep"), of("edit"), of("reject")]);
  });
  $("by-source").replaceChildren(line("th", ["Source", "decided", "of", "kept", "edited", "rejected"]), ...lines);
}

const STATES = {
  all: () => true,
  open: (row) => row.mine === "",
  keep: (row) => row.mine === "keep",
  edit: (row) => row.mine === "edit",
  reject: (row) => row.mine === "reject",
  came: (row) => row.replaces !== "",
  disputed: (row) => row.disputed,
  objects: (row) => row.objects.length > 0,
  strict: (row) => row.strict.length > 0,
  alike: (row) => row.like >= ALIKE,
};
const ORDERS = {
  drawn: null,
  long: (a, b) => b.chars - a.chars,
  short: (a, b) => a.chars - b.chars,
  low: (a, b) => (a.score ?? Infinity) - (b.score ?? Infinity),
  alike: (a, b) => b.like - a.like,
};

function filter() {
  const source = $("source").value;
  const fits = STATES[$("state").value];
  let kept = [...rows.values()].filter(
    (row) => fits(row) && (!source || row.source === source) && (!found || found.has(row.id)),
  );
  const order = ORDERS[$("order").value];
  if (order) kept = kept.sort(order);
  shown = kept.map((row) => row.id);
  list.show(kept, current);
}

async function filterAnew() {
  const text = $("text").value.trim();
  found = text ? new Set(await ask(`/api/search?text=${encodeURIComponent(text)}`)) : null;
  filter();
  list.reveal();
  list.draw();
  say(`${shown.length} shown`);
  if (!shown.includes(current) && shown.length) await go(shown[0]);
}

// -- one example

async function go(id) {
  current = id;
  history.replaceState(null, "", `/#${id}`);
  list.show(list.rows, id);
  const got = await ask(`/api/example/${id}`);
  if (current !== id) return;
  detail = got;
  draw();
  $("example").scrollTop = 0;
  $("example").scrollIntoView(); // on a small screen the whole page scrolls
  $("about").scrollTop = 0;
  // Letters that are still being typed into the search must not become decisions.
  if (!document.activeElement.matches("input")) $("example").focus({ preventScroll: true });
}

function draw() {
  showExample($("example"), detail, mode);
  showAbout($("about"), detail, { listed: (id) => rows.has(id), open: (id) => trying(() => go(id)) });
}

// The original of the example on the screen may have been found meanwhile.
async function lookAgain() {
  const got = await ask(`/api/example/${current}`);
  if (got.id !== current || editor || busy || got.searching) return;
  detail = got;
  draw();
}

function step(by) {
  const at = shown.indexOf(current);
  const next = shown[at < 0 ? 0 : at + by];
  if (next) return go(next);
  say(by > 0 ? "This is the last one." : "This is the first one.");
}

// The next one in the list as it was, from the current one on and then from its start.
function following(before, wanted) {
  const at = before.indexOf(current);
  const ahead = [...before.slice(at + 1), ...before.slice(0, Math.max(at, 0)), ...shown];
  return ahead.find((id) => rows.has(id) && id !== current && wanted(rows.get(id)));
}

async function onward(before, wasOpen) {
  const next = wasOpen ? following(before, STATES.open) : before[before.indexOf(current) + 1];
  if (next && rows.has(next)) return go(next);
  const open = [...rows.values()].some(STATES.open);
  say(open ? "Nothing is left in this filter." : "All are decided. Thank you.");
  return go(current);
}

async function decide(decision, more = {}) {
  const before = shown;
  const row = rows.get(current);
  const wasOpen = !row || row.mine === "";
  if (decision === "keep" && row?.mine === "edit") {
    say("Kept with your edit; U takes the edit back.");
    return onward(before, true);
  }
  take(await ask("/api/decide", { id: current, decision, ...more }));
  say(`${decision === "keep" ? "Kept" : "Rejected"}: ${row?.prompt ?? current}`);
  await onward(before, wasOpen);
}

async function undo() {
  const changes = await ask("/api/undo", {});
  take(changes);
  if (!changes.undone) return say("There is nothing to undo.");
  say("Taken back.");
  await go(changes.undone);
}

async function swap() {
  const other = otherPrompt(detail);
  if (!other) return say(detail.searching ? "Still looking for the original." : "There is no title or body to swap.");
  const asked = detail.messages.findIndex(({ role }) => role === "user");
  const messages = detail.messages.map(({ role, content }, n) => ({ role, content: n === asked ? other.text : content }));
  take(await ask("/api/decide", { id: current, decision: "edit", messages }));
  await go(current);
  say(`The ${other.name.toLowerCase()} is the prompt now; K goes on, U takes it back.`);
}

function turnTo(wanted) {
  mode = wanted;
  $("mode").textContent = mode === "formatted" ? "Plain text" : "Formatted";
  draw();
}

function reject() {
  const offered = [...new Set([...given.slice(0, 4), ...REASONS])].slice(0, 9);
  $("reasons").replaceChildren(
    ...offered.map((reason) => {
      const button = make("button", "", reason);
      button.type = "button";
      button.addEventListener("click", () => rejectWith(reason));
      return make("li", "", button);
    }),
  );
  $("reason").value = "";
  $("rejecting").showModal();
  $("reason").focus();
}

function rejectWith(reason) {
  $("rejecting").close();
  trying(() => decide("reject", { reason }));
}

$("rejecting").addEventListener("keydown", (event) => {
  const chosen = $("reasons").children[Number(event.key) - 1];
  if (/^[1-9]$/.test(event.key) && !$("reason").value && chosen) {
    event.preventDefault();
    rejectWith(chosen.textContent);
  } else if (event.key === "Enter" && event.target === $("reason")) {
    event.preventDefault();
    rejectWith($("reason").value);
  }
});

function edit() {
  const end = () => {
    editor = null;
    document.body.classList.remove("editing");
  };
  editor = showEditor($("example"), detail, {
    save: (messages) =>
      trying(async () => {
        take(await ask("/api/decide", { id: current, decision: "edit", messages }));
        end();
        say("Edit saved; K goes on.");
        await go(current);
      }),
    drop: () => {
      end();
      draw();
      say("");
      $("example").focus();
    },
    say,
  });
  document.body.classList.add("editing");
  say("Ctrl+Enter saves, Esc drops.");
}

// -- keys

const KEYS = {
  k: () => trying(() => decide("keep")),
  r: reject,
  e: edit,
  u: () => trying(undo),
  n: () => trying(async () => step(1)),
  p: () => trying(async () => step(-1)),
  ArrowRight: () => KEYS.n(),
  ArrowLeft: () => KEYS.p(),
  g: () =>
    trying(async () => {
      const next = following(shown, STATES.open);
      if (next) await go(next);
      else say("Nothing undecided is left here.");
    }),
  m: () => turnTo(mode === "formatted" ? "plain" : "formatted"),
  o: () => turnTo(mode === "source" ? "formatted" : "source"),
  s: () => trying(swap),
  f: () => {
    $("state").selectedIndex = ($("state").selectedIndex + 1) % $("state").options.length;
    telling(filterAnew);
  },
  "/": () => $("text").focus(),
  "?": () => $("keys").showModal(),
};
const NEEDS_EXAMPLE = new Set(["k", "r", "e", "m", "o", "s"]);

function press(key) {
  if (editor || (NEEDS_EXAMPLE.has(key) && detail?.id !== current)) return;
  KEYS[key]();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape" && event.target.closest("header")) $("example").focus();
    return;
  }
  if (event.repeat && !event.key.startsWith("Arrow")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!(key in KEYS)) return;
  event.preventDefault();
  press(key);
});
for (const button of document.querySelectorAll("[data-key]"))
  button.addEventListener("click", () => press(button.dataset.key));
let typing = 0;
$("text").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => telling(filterAnew), 200);
});
for (const id of ["state", "source", "order"])
  $(id).addEventListener("change", () => {
    $("example").focus();
    telling(filterAnew);
  });
$("filters").addEventListener("submit", (event) => {
  event.preventDefault();
  $("example").focus();
});
addEventListener("beforeunload", (event) => {
  if (editor?.changed()) event.preventDefault();
});

// -- start

await trying(async () => {
  const wanted = location.hash.slice(1);
  history.replaceState(null, "", `/#${wanted}`); // the secret address leaves the address bar
  take(await ask("/api/rows"));
  const first = rows.has(wanted) ? wanted : (shown.find((id) => STATES.open(rows.get(id))) ?? shown[0]);
  if (first) await go(first);
  else say("There is nothing to review.");
});
setInterval(
  () =>
    telling(async () => {
      take(await ask(`/api/rows?since=${version}`));
      if (detail?.searching && detail.id === current && !editor) await lookAgain();
    }),
  POLL_MS,
);
