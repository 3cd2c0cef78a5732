const { arms, rows } = JSON.parse(document.getElementById("data").textContent);
const [arm, against, judge, outcome, graded, tag, cut, sort, search, count, columns, list, reading] = ["arm", "against", "judge", "outcome", "graded", "tag", "cut", "sort", "search", "count", "columns", "list", "reading"].map((id) => document.getElementById(id));
const FEW = 3;
const hidden = new Set();
let found = [];
let place = 0;

// The readings of one pair by one judge, in one order or both, are one contest.
for (const row of rows) {
  const contests = new Map();
  for (const ruling of row.rulings) {
    const pair = [ruling.shown_first, ruling.shown_second].sort();
    const key = JSON.stringify([ruling.judge, ...pair]);
    if (!contests.has(key)) contests.set(key, { judge: ruling.judge, pair, winners: [] });
    contests.get(key).winners.push(ruling.winner);
  }
  row.contests = [...contests.values()];
  row.answer = new Map(row.answers.map((answer) => [answer.arm, answer]));
}

function seen(contest, view) {
  const [winner] = contest.winners;
  if (contest.winners.includes(null)) return "failed";
  if (contest.winners.some((other) => other !== winner)) return "flipped";
  if (winner === "tie") return "tied";
  return winner === view ? "won" : "lost";
}

function contestsOf(row) {
  return row.contests.filter((contest) =>
    contest.pair.includes(arm.value)
    && (!against.value || contest.pair.includes(against.value))
    && (!judge.value || contest.judge === judge.value));
}

function length(row, name) {
  const answer = row.answer.get(name);
  return answer ? answer.text.length : 0;
}

function others(row) {
  return against.value ? [against.value] : arms.filter((name) => name !== arm.value && row.answer.has(name));
}

function longerBy(row) {
  return length(row, arm.value) - Math.max(0, ...others(row).map((name) => length(row, name)));
}

// The lowest grade by the instrument that is chosen to sort by; rows without one stand last.
function lowest(row, instrument) {
  const grades = row.answer.get(arm.value)?.grades ?? [];
  return Math.min(...grades.filter((grade) => grade.instrument === instrument && grade.value !== null).map((grade) => grade.value));
}

const named = (grade) => `${grade.judge}, ${grade.instrument}: ${grade.word}`;

const orders = {
  longest: (one, other) => length(other, arm.value) - length(one, arm.value),
  longer: (one, other) => longerBy(other) - longerBy(one),
  shorter: (one, other) => longerBy(one) - longerBy(other),
};

function plain(row) {
  row.plain ??= [row.id, row.source, row.prompt, ...row.tags, ...row.turns, ...row.answers.map((a) => a.text), ...row.rulings.map((r) => r.reply)].join("\n").toLowerCase();
  return row.plain;
}

// A tag without a value stands for all of its values.
function isTagged(row) {
  return row.tags.some((label) => label === tag.value || label.startsWith(`${tag.value}: `));
}

function matches(row, words) {
  if (tag.value && !isTagged(row)) return false;
  if (cut.checked && row.answer.get(arm.value)?.finish_reason !== "length") return false;
  if (graded.value && !row.answer.get(arm.value)?.grades.some((grade) => named(grade) === graded.value)) return false;
  const contests = contestsOf(row);
  if (outcome.value && !contests.some((contest) => seen(contest, arm.value) === outcome.value)) return false;
  if ((against.value || judge.value) && !contests.length) return false;
  return !words || plain(row).includes(words);
}

// Of few contests each one is told, of many how often each judge found what.
function shownOf(row) {
  const contests = contestsOf(row);
  if (contests.length <= FEW) return contests.map((contest) => {
    const other = contest.pair[0] === arm.value ? contest.pair[1] : contest.pair[0];
    const became = seen(contest, arm.value);
    return element("span", `${became} against ${other} (${contest.judge})`, became);
  });
  return [...Map.groupBy(contests, (contest) => contest.judge)].map(([name, of]) => {
    const times = [...Map.groupBy(of, (contest) => seen(contest, arm.value))].map(([became, found]) => `${became} ${found.length}`);
    return element("span", `${name}: ${times.sort().join(", ")}`);
  });
}

// Texts that may be harmful are shown on a click.
function folded(row, what, text) {
  if (!row.harmful) return text;
  const shown = element("details", undefined, "harmful");
  shown.append(element("summary", `${what} that may be harmful; shown on click`), text);
  return shown;
}

function answerOf(row, answer) {
  const shown = element("section", undefined, answer.arm === arm.value ? "answer viewed" : "answer");
  const facts = [`${answer.tokens} tokens`, `${answer.text.length} characters`];
  if (answer.finish_reason === "length") facts.push("cut off by the limit");
  for (const [name, grades] of Map.groupBy(answer.grades, (grade) => grade.judge)) facts.push(`${name}: ${grades.map((grade) => grade.word).join(", ")}`);
  shown.append(element("h2", answer.arm), element("div", facts.join("; "), "soft"), folded(row, "An answer", element("div", answer.text || "(empty)", "text")));
  return shown;
}

function rulingOf(ruling) {
  const shown = element("details");
  const winner = ruling.winner === null ? `no verdict: ${ruling.error}` : ruling.winner;
  shown.append(element("summary", `${ruling.judge}: ${ruling.shown_first} shown first, ${ruling.shown_second} second: ${winner}`));
  shown.addEventListener("toggle", () => {
    if (shown.open && shown.children.length === 1) shown.append(element("div", ruling.reply || "(no words)", "text"));
  });
  return shown;
}

function show(next, focus) {
  place = Math.max(0, Math.min(next, found.length - 1));
  reading.replaceChildren();
  for (const button of list.querySelectorAll('[aria-current="true"]')) button.removeAttribute("aria-current");
  const row = found[place];
  if (!row) return;
  const answers = element("div", undefined, "answers");
  answers.append(...arms.filter((name) => row.answer.has(name) && !hidden.has(name)).map((name) => answerOf(row, row.answer.get(name))));
  const visible = (ruling) => !hidden.has(ruling.shown_first) && !hidden.has(ruling.shown_second);
  const name = row.sample ? `${row.id}, sample ${row.sample}` : row.id;
  const facts = [`${row.source}, ${name}`, ...row.tags].join("; ");
  const turns = row.turns.map((turn) => folded(row, "A turn", element("div", `Then: ${turn}`, "prompt text")));
  reading.append(element("div", facts, "soft"), folded(row, "A prompt", element("div", row.prompt, "prompt text")), ...turns, answers, ...row.rulings.filter(visible).map(rulingOf));
  reading.scrollTop = 0;
  const button = list.children[place];
  button.setAttribute("aria-current", "true");
  button.scrollIntoView({ block: "nearest" });
  if (focus) button.focus({ preventScroll: true });
  history.replaceState(null, "", `#${encodeURIComponent(row.id)}`);
}

function refresh() {
  const words = search.value.trim().toLowerCase();
  found = rows.filter((row) => matches(row, words));
  if (sort.value) found.sort(orders[sort.value]);
  list.replaceChildren(...found.map((row, number) => {
    const button = element("button", row.harmful ? `Folded: ${row.tags.join("; ")}` : row.prompt.slice(0, 110));
    button.type = "button";
    button.append(...shownOf(row));
    button.addEventListener("click", () => show(number, false));
    return button;
  }));
  if (!found.length) list.append(element("p", "Nothing is found."));
  count.textContent = `${found.length} of ${rows.length}`;
  show(0, false);
}

offer(arm, arms);
offer(against, arms);
offer(judge, new Set(rows.flatMap((row) => row.rulings.map((ruling) => ruling.judge))));
const marks = rows.flatMap((row) => row.answers.flatMap((answer) => answer.grades));
marks.sort((one, other) => one.judge.localeCompare(other.judge) || one.instrument.localeCompare(other.instrument) || other.value - one.value);
offer(graded, new Set(marks.map(named)));
const tagged = new Set(rows.flatMap((row) => row.tags.flatMap((label) => [label.split(": ")[0], label])));
offer(tag, [...tagged].sort());
if (!tagged.size) tag.parentElement.remove();
for (const instrument of new Set(marks.map((mark) => mark.instrument))) {
  orders[`grade ${instrument}`] = (one, other) => lowest(one, instrument) - lowest(other, instrument) || 0;
  const choice = element("option", `lowest grade, ${instrument}`);
  choice.value = `grade ${instrument}`;
  sort.append(choice);
}
for (const name of arms) {
  const box = element("input");
  box.type = "checkbox";
  box.checked = true;
  box.addEventListener("change", () => {
    if (box.checked) hidden.delete(name);
    else hidden.add(name);
    show(place, false);
  });
  const label = element("label");
  label.append(box, ` ${name}`);
  columns.append(label);
}
for (const control of [arm, against, judge, outcome, graded, tag, cut, sort]) control.addEventListener("change", refresh);
search.addEventListener("input", refresh);
walk(search, (by) => show(place + by, true));

const linked = location.hash;
refresh();
show(Math.max(0, found.findIndex((row) => `#${encodeURIComponent(row.id)}` === linked)), false);
