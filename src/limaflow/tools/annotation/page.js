"use strict";
// The page of one packet. Answers lie in this browser's storage, or with the local server.
const $ = (id) => document.getElementById(id);
const packet = JSON.parse($("packet").textContent);
const items = packet.items;
const dialogues = packet.turn_choices.length > 0; // answers are whole dialogues, whose turns are graded
const STORAGE = `limaflow annotation ${packet.hash}`;
const SETTLING_MS = 800;

let log = []; // choices that stand, in the order in which they were made: {item, hash, choice, time}
let current = 1;
let busy = false;
let scrolled = 0;
const shownMs = items.map(() => 0); // how long each item has been on the screen, since the page was opened
const seen = items.map(() => new Set()); // numbers of the answers whose end has been in view
let lookedAt = null; // when the screen was last looked at; null while no item is shown, or nobody can see it

// -- hashes, of what is shown: a file that was changed on its way says so

function sha256(text) {
  const data = new TextEncoder().encode(text);
  const length = ((data.length + 8) >> 6) * 64 + 64;
  const bytes = new Uint8Array(length);
  bytes.set(data);
  bytes[data.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(length - 8, Math.floor(data.length / 2 ** 29));
  view.setUint32(length - 4, data.length << 3);
  const state = Uint32Array.from(sha256.start);
  const w = new Uint32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let at = 0; at < length; at += 64) {
    for (let i = 0; i < 16; i += 1) w[i] = view.getUint32(at + 4 * i);
    for (let i = 16; i < 64; i += 1) {
      const a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + sha256.rounds[i] + w[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((x, i) => (state[i] += x));
  }
  return [...state].map((x) => x.toString(16).padStart(8, "0")).join("");
}
// The constants of FIPS 180-4: fractions of the square and cube roots of the first primes.
const primes = [];
for (let n = 2; primes.length < 64; n += 1) if (primes.every((p) => n % p)) primes.push(n);
const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) >>> 0;
sha256.start = primes.slice(0, 8).map((p) => fraction(Math.sqrt(p)));
sha256.rounds = primes.map((p) => fraction(Math.cbrt(p)));

const hashOf = (...parts) => sha256(JSON.stringify(parts));
const itemHash = (item) => hashOf(item.question, ...item.answers);
const turnParts = dialogues ? [packet.turn_title, packet.turn_choices, packet.turn_instructions] : [];
const packetHash = (hashes) => hashOf(packet.annotator, packet.instrument, packet.form, packet.title, packet.choices, packet.instructions, packet.template, ...turnParts, hashes);

function whole() {
  const hashes = items.map(itemHash);
  const changed = items.findIndex((item, i) => item.hash !== hashes[i]);
  if (changed >= 0) return `Item ${changed + 1} was changed on its way to you.`;
  return packetHash(hashes) === packet.hash ? "" : "This file was changed on its way to you.";
}

// -- where answers lie

const browser = {
  load() {
    try {
      return JSON.parse(localStorage.getItem(STORAGE) ?? "[]");
    } catch {
      this.lost = true;
      return log;
    }
  },
  keep(made) {
    try {
      localStorage.setItem(STORAGE, JSON.stringify(made));
    } catch {
      this.lost = true;
    }
    if (this.lost) tell("This browser keeps nothing for this page: save your answers (E) before you close it.");
    return made;
  },
  add(entry) {
    return this.keep([...this.load(), { ...entry, time: new Date().toISOString() }]);
  },
  undo() {
    return this.keep(this.load().slice(0, -1));
  },
};

async function ask(path, body) {
  let answer, said;
  try {
    answer = await fetch(path, body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    said = await answer.text();
  } catch {
    throw new Error(
      "The server does not answer: what you choose now is not saved. Nothing chosen before is lost. " +
        "Start `limaflow annotate serve` again and open its new address.",
    );
  }
  if (answer.status === 403) throw new Error(said);
  const value = JSON.parse(said);
  if (!answer.ok) throw new Error(value.error);
  return value;
}

const server = {
  load: () => ask("/api/answers"),
  add: (entry) => ask("/api/answer", entry),
  undo: () => ask("/api/undo", {}),
};
const store = packet.served ? server : browser;

// -- what is shown

function tell(message) {
  $("trouble").textContent = message;
  $("trouble").hidden = !message;
}

function say(message) {
  $("said").textContent = message;
}

function choices() {
  return new Map(log.map((entry) => [entry.item, entry]));
}

function show(id, text) {
  $(id).textContent = text || "(empty)";
  $(id).classList.toggle("empty", !text);
}

// -- whole dialogues: each turn is a block that carries the hash of its own text, so that no answer can pose as a turn

function turnsIn(text) {
  const turns = [];
  for (let at = 0; ; ) {
    const opening = openingFrom(text, at);
    if (!opening) return turns;
    at = opening.start;
    const closing = `\n${opening.nonce}>>>`;
    for (let end = text.indexOf(closing, at); end >= 0; end = text.indexOf(closing, end + 1)) {
      const said = text.slice(at, end);
      if (hashOf(opening.role, said).slice(0, 12) !== opening.nonce) continue;
      turns.push({ role: opening.role, text: said });
      at = end + closing.length;
      break;
    }
  }
}

// The next line that opens a block. Only \n ends a line here; a multiline expression knows more ends.
function openingFrom(text, from) {
  const opening = /<<<(system|user|assistant) ([0-9a-f]{12})\n/g;
  opening.lastIndex = from;
  for (let found = opening.exec(text); found; found = opening.exec(text))
    if (!found.index || text[found.index - 1] === "\n")
      return { role: found[1], nonce: found[2], start: found.index + found[0].length };
  return null;
}

const turns = dialogues ? items.map((item) => item.answers.map(turnsIn)) : [];
const drafts = items.map(() => null); // grades of turns that are not yet part of a choice
const answersIn = (dialogue) => dialogue.filter((turn) => turn.role === "assistant").length;

function gradesOf(number) {
  return drafts[number - 1] ?? choices().get(number)?.turns ?? items[number - 1].answers.map(() => []);
}

// The first turn without a grade: {dialogue, turn}, both from 0; null where all are graded.
function openTurn(number) {
  const grades = gradesOf(number);
  for (const [dialogue, said] of turns[number - 1].entries())
    if (grades[dialogue].length < answersIn(said)) return { dialogue, turn: grades[dialogue].length };
  return null;
}

const nameOf = (dialogue) => $(`answer-${dialogue + 1}-title`).textContent.toLowerCase();

function element(kind, properties, ...children) {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...children);
  return made;
}

function drawDialogues() {
  const open = openTurn(current);
  const grades = gradesOf(current);
  turns[current - 1].forEach((said, dialogue) => {
    const shown = [];
    let answers = 0;
    // The next turn is shown once the one before it is graded.
    for (const turn of said) {
      if (answers > grades[dialogue].length) break;
      shown.push(turn.role === "assistant" ? gradedTurn(turn, dialogue, answers, grades[dialogue][answers], open) : spoken(turn));
      if (turn.role === "assistant") answers += 1;
    }
    if (grades[dialogue].length >= answersIn(said)) shown.push(element("li", { className: "end", textContent: "End of the dialogue" }));
    $(`answer-${dialogue + 1}`).replaceChildren(...shown);
  });
  for (const button of document.querySelectorAll("[data-choice]")) button.setAttribute("aria-disabled", String(Boolean(open)));
}

const WHO = { system: "System", user: "User", assistant: "Assistant" };

function spoken(turn, title = WHO[turn.role]) {
  const said = element("div", { className: `said${turn.text ? "" : " empty"}`, dir: "auto", textContent: turn.text || "(empty)" });
  return element("li", { className: `turn ${turn.role}` }, element("h3", { textContent: title }), said);
}

function gradedTurn(turn, dialogue, number, grade, open) {
  const made = spoken(turn, `${WHO.assistant}, turn ${number + 1}`);
  const here = open?.dialogue === dialogue && open.turn === number;
  made.classList.toggle("open", here);
  made.tabIndex = -1;
  const group = element("div", { className: "grades" });
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", `${packet.turn_title} (${nameOf(dialogue)}, turn ${number + 1})`);
  packet.turn_choices.forEach(([word, label], i) => {
    const button = element("button", { type: "button" }, ...(here ? [element("kbd", { textContent: i + 1 }), " "] : []), label);
    button.setAttribute("aria-pressed", String(word === grade));
    button.addEventListener("click", () => gradeTurn(dialogue, number, word));
    group.append(button);
  });
  made.append(group);
  return made;
}

function gradeTurn(dialogue, number, word) {
  if (busy) return;
  look();
  const grades = gradesOf(current).map((of) => [...of]);
  grades[dialogue][number] = word;
  drafts[current - 1] = grades;
  draw();
  const next = openTurn(current);
  say(next ? `${nameOf(dialogue)}, turn ${number + 1}: ${word}` : `${nameOf(dialogue)}, turn ${number + 1}: ${word}. All turns are graded: ${packet.title}`);
  const shown = next ? document.querySelector(".turn.open") : document.querySelector(`#answer-${dialogue + 1} li.turn:nth-last-child(2)`);
  shown?.focus({ preventScroll: true });
  shown?.scrollIntoView({ block: "nearest" });
  look();
}

// Take back the last grade of a turn that is not yet part of a choice; false where there is none.
function ungrade() {
  const grades = dialogues && drafts[current - 1]?.map((of) => [...of]);
  const last = grades ? grades.findLastIndex((of) => of.length) : -1;
  if (last < 0) return false;
  grades[last].pop();
  drafts[current - 1] = grades;
  draw();
  say(`Taken back: ${nameOf(last)}, turn ${grades[last].length + 1}`);
  return true;
}

function draw() {
  const item = items[current - 1];
  const made = choices();
  const choice = made.get(current)?.choice;
  $("number").textContent = `${current} of ${items.length}${choice ? `, chosen: ${choice}` : ""}`;
  if (dialogues) drawDialogues();
  else {
    show("question", item.question);
    item.answers.forEach((text, i) => show(`answer-${i + 1}`, text));
  }
  for (const button of document.querySelectorAll("[data-choice]"))
    button.setAttribute("aria-pressed", String(button.dataset.choice === choice));
  $("bar").max = items.length;
  $("bar").value = made.size;
  $("counts").textContent = `${made.size} of ${items.length} answered`;
}

// -- what the annotator has had before them

// Add the time since the last look to the item on the screen, and the answers whose end is in view.
function look() {
  if (lookedAt === null) return;
  const now = performance.now();
  shownMs[current - 1] += now - lookedAt;
  lookedAt = now;
  const footer = document.querySelector("footer");
  const bottom = innerHeight - (getComputedStyle(footer).position === "sticky" ? footer.offsetHeight : 0);
  items[current - 1].answers.forEach((_, i) => {
    if ($(`answer-${i + 1}`).getBoundingClientRect().bottom <= bottom + 1) seen[current - 1].add(i + 1);
  });
}

// What is recorded of how a choice on the current item came about.
function circumstances() {
  look();
  const numbers = items[current - 1].answers.map((_, i) => i + 1);
  return { shown_ms: Math.round(shownMs[current - 1]), unseen: numbers.filter((n) => !seen[current - 1].has(n)) };
}

function go(number) {
  look();
  current = number;
  draw();
  scrollTo(0, 0);
  if (!document.hidden) lookedAt = performance.now();
  look();
  $("item").focus({ preventScroll: true });
}

function following() {
  const made = choices();
  const numbers = items.map((_, i) => i + 1);
  return [...numbers.slice(current), ...numbers.slice(0, current)].find((n) => !made.has(n));
}

function done() {
  say(
    packet.served
      ? "All are answered and saved. Thank you; you may close this page."
      : "All are answered. Save them (E) and send the file back. Thank you.",
  );
}

// -- what is done; one thing at a time, as a key pressed before the last one took effect is a slip

async function trying(work) {
  if (busy) return;
  busy = true;
  try {
    await work();
    if (!browser.lost) tell("");
  } catch (error) {
    tell(error.message);
  }
  busy = false;
}

async function choose(choice) {
  const item = current;
  const ungraded = dialogues && openTurn(item);
  if (ungraded) {
    document.querySelector(".turn.open")?.focus();
    return say(`Grade turn ${ungraded.turn + 1} of the ${nameOf(ungraded.dialogue)} first.`);
  }
  const open = !choices().has(item);
  const how = circumstances();
  log = await store.add({ item, hash: itemHash(items[item - 1]), choice, ...how, ...(dialogues && { turns: gradesOf(item) }) });
  drafts[item - 1] = null;
  say(`${item}: ${choice}${how.unseen.length ? "; the end of an answer was not in view yet (U takes it back)" : ""}`);
  $("instructions").open = false;
  const next = open ? following() : Math.min(item + 1, items.length);
  go(next ?? item);
  if (choices().size === items.length) done();
}

async function undo() {
  if (ungrade()) return;
  log = await store.load();
  const last = log.at(-1);
  if (!last) return say("There is nothing to undo.");
  log = await store.undo();
  if (last.turns) drafts[last.item - 1] = last.turns;
  go(last.item);
  say(`Taken back: ${last.item}, ${last.choice}`);
}

function step(by) {
  const next = current + by;
  if (next < 1 || next > items.length) return say(by > 0 ? "This is the last one." : "This is the first one.");
  say("");
  go(next);
}

function nextOpen() {
  const next = following();
  if (!next) return done();
  say("");
  go(next);
}

// -- saving as a file, and going on from one

function exported() {
  const made = choices();
  const answers = [...made.keys()].sort((a, b) => a - b).map((item) => {
    const { hash, choice, time, shown_ms = null, unseen = null, turns } = made.get(item);
    return { item, hash, choice, time, shown_ms, unseen, ...(turns && { turns }) };
  });
  const held = { format: `limaflow answers ${dialogues ? 3 : 2}`, annotator: packet.annotator, packet: packetHash(items.map(itemHash)), answers };
  return { ...held, hash: answersHash(held) };
}

// Files of version 1, which older pages saved, do not say how a choice came about.
function answersHash({ format, annotator, packet, answers }) {
  const recorded = format !== "limaflow answers 1";
  const rows = answers.map((a) => [a.item, a.hash, a.choice, a.time, ...(recorded ? [a.shown_ms, a.unseen] : []), ...(a.turns ? [a.turns] : [])]);
  return hashOf(annotator, packet, rows);
}

let address = "";
async function save() {
  log = await store.load();
  const value = exported();
  const text = `${JSON.stringify(value, null, 1)}\n`;
  const left = items.length - value.answers.length;
  $("left").textContent = left ? `${left} of ${items.length} are not answered yet. You can go on later and save again.` : `All ${items.length} are answered.`;
  URL.revokeObjectURL(address);
  address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  $("download").href = address;
  $("download").download = `${packet.annotator}.answers.json`;
  $("answers").value = text;
  $("resuming").hidden = packet.served;
  if (!$("saving").open) $("saving").showModal();
  $("download").focus();
}

async function copy() {
  $("answers").select();
  try {
    await navigator.clipboard.writeText($("answers").value);
  } catch {
    document.execCommand("copy");
  }
  $("copy").textContent = "Copied";
}

async function resume(file) {
  let held;
  try {
    held = JSON.parse(await file.text());
  } catch {
    throw new Error(`${file.name} is not a file of answers.`);
  }
  if (held?.packet !== packet.hash) throw new Error(`${file.name} holds no answers to these questions.`);
  if (held.hash !== answersHash(held)) throw new Error(`${file.name} was changed.`);
  const made = choices();
  log = browser.keep([...held.answers.filter((a) => !made.has(a.item)), ...browser.load()]);
  draw();
  await save();
}

// -- keys

// ↓ scrolls while there is more to read, and shortly after; only then does it choose.
function atEnd() {
  return innerHeight + scrollY >= document.documentElement.scrollHeight - 2 && Date.now() - scrolled > SETTLING_MS;
}
addEventListener(
  "scroll",
  () => {
    scrolled = Date.now();
    look();
  },
  { passive: true },
);
addEventListener("resize", look);
document.addEventListener("visibilitychange", () => {
  look();
  lookedAt = document.hidden || !$("number")?.textContent ? null : performance.now();
});

const KEYS = {
  u: () => trying(undo),
  b: () => step(-1),
  f: () => step(1),
  n: nextOpen,
  i: () => {
    $("instructions").open = !$("instructions").open;
    scrollTo(0, 0);
  },
  e: () => trying(save),
  "?": () => $("keys").showModal(),
};

const buttons = [...document.querySelectorAll("[data-choice]")];
const chosenBy = (button) => () => trying(() => choose(button.dataset.choice));
buttons.forEach((button, i) => (KEYS[i + 1] = chosenBy(button)));
if (dialogues)
  packet.turn_choices.forEach(([word], i) => {
    const chosen = KEYS[i + 1];
    KEYS[i + 1] = () => {
      const open = openTurn(current);
      return open ? gradeTurn(open.dialogue, open.turn, word) : chosen?.();
    };
  });
if (packet.form === "pairwise") ["ArrowLeft", "ArrowRight", "ArrowDown"].forEach((key, i) => (KEYS[key] = KEYS[i + 1]));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!Object.hasOwn(KEYS, key) || (key === "ArrowDown" && !atEnd())) return;
  event.preventDefault();
  if (!event.repeat) KEYS[key]();
});
for (const button of document.querySelectorAll("[data-key]")) button.addEventListener("click", () => KEYS[button.dataset.key]());
for (const button of buttons) button.addEventListener("click", chosenBy(button));
$("copy").addEventListener("click", copy);
$("file").addEventListener("change", () => {
  const [file] = $("file").files;
  $("file").value = "";
  if (!file) return;
  $("saving").close();
  trying(() => resume(file));
});
addEventListener("storage", (event) => {
  if (event.key !== STORAGE) return;
  log = browser.load();
  draw();
});
addEventListener("beforeunload", (event) => {
  if (browser.lost && log.length) event.preventDefault();
});

// -- start

const changed = whole();
if (changed) {
  tell(`${changed} Ask for it again; nothing can be answered here.`);
  for (const part of document.querySelectorAll("main, footer, .tools")) part.remove();
  busy = true;
} else {
  if (packet.served) history.replaceState(null, "", "/"); // the secret address leaves the address bar
  trying(async () => {
    log = await store.load();
    $("instructions").open = !log.length;
    current = items.length; // so that the search for an open one starts with the first
    go(following() ?? 1);
    if (choices().size === items.length) done();
  });
}
