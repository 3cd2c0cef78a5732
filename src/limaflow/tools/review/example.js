// One example in the document: to be read, to be edited, and what is known about it.
import { differences, formatted, make } from "/text.js";

const ROLES = { system: "System", user: "Prompt", assistant: "Response" };
const DECIDED = { keep: "kept", edit: "edited", reject: "rejected" };
const MISSING = "The original is not there: the results hold no candidate of this provenance and prompt.";
const MARKS = { objects: "✗", strict: "~", content: "✓" };

// How the texts are shown: `formatted`, `plain` as a model is trained on them, `source` as they were found.
export function showExample(place, detail, mode) {
  if (mode === "source") return place.replaceChildren(banner(detail), ...sources(detail));
  const turns = detail.messages.map((message, n) => {
    const before = detail.original?.[n].content;
    const changed = before !== undefined && before !== message.content;
    const swapped = changed && message.role === "user" && known(detail).includes(message.content);
    const text = changed && !swapped
      ? make("div", "text plain", differences(before, message.content))
      : mode === "plain"
        ? make("div", "text plain", message.content)
        : make("div", "text", formatted(message.html));
    const note = swapped ? " · as you swapped it" : changed ? " · as you edited it" : "";
    return make("section", `turn ${message.role}`, make("h2", "", ROLES[message.role] + note), text);
  });
  const asked = detail.messages.findIndex(({ role }) => role === "user");
  turns.splice(asked + 1, 0, beside(detail, mode));
  place.replaceChildren(banner(detail), ...turns.filter(Boolean));
}

// The title of an example whose prompt is the body, or the body where the title is.
export function otherPrompt(detail) {
  const prompt = detail.messages.find(({ role }) => role === "user").content;
  const [title, body] = known(detail);
  const other =
    prompt === title ? { name: "Body", text: body, html: detail.found?.body_html } : { name: "Title", text: title };
  return other.text && other.text !== prompt ? other : null;
}

// Title and body, as far as they are known.
function known({ found, provenance }) {
  return [found?.title || provenance.title, found?.body];
}

function beside(detail, mode) {
  const other = otherPrompt(detail);
  if (!other) return null;
  const text =
    other.html && mode === "formatted" ? make("div", "text", formatted(other.html)) : make("div", "text plain", other.text);
  const said = [`${other.name}, not in the prompt `, make("span", "hint", make("kbd", "", "S"), " swaps")];
  return other.name === "Title"
    ? make("section", "beside", make("h2", "", said), text)
    : make("details", "beside", make("summary", "", said), text);
}

function sources({ found, searching }) {
  if (!found) return [make("p", "soft", searching ? "The files of candidates are still being read …" : MISSING)];
  return Object.entries(found.found).map(([part, text]) =>
    make("section", "turn", make("h2", "", `${part} as found (${part === "title" ? "text" : found.markup})`), make("div", "text plain source", text)),
  );
}

function banner(detail) {
  if (!detail.mine) return "";
  const { decision, reason } = detail.mine;
  return make("p", `banner ${decision}`, `You ${DECIDED[decision]} this${reason ? `: ${reason}` : "."}`);
}

export function showEditor(place, detail, { save, drop, say }) {
  const fields = detail.messages.map((message) => {
    const field = make("textarea");
    field.rows = 1;
    field.value = message.content;
    field.setAttribute("aria-label", ROLES[message.role]);
    field.addEventListener("input", () => fit(field));
    return field;
  });
  const start = fields.map((field) => field.value);
  const changed = () => fields.some((field, n) => field.value !== start[n]);
  const saveNow = () => save(detail.messages.map(({ role }, n) => ({ role, content: fields[n].value })));
  let warned = false;
  const leave = () => {
    if (changed() && !warned) {
      warned = true;
      say("Esc again drops your changes.");
    } else drop();
  };
  const saving = make("button", "edit", "Save ", make("kbd", "", "Ctrl+Enter"));
  const leaving = make("button", "", "Drop ", make("kbd", "", "Esc"));
  saving.type = leaving.type = "button";
  saving.addEventListener("click", saveNow);
  leaving.addEventListener("click", leave);
  const form = make(
    "div",
    "editor",
    fields.map((field, n) => make("section", "turn", make("h2", "", ROLES[detail.messages[n].role]), field)),
    make("p", "", saving, " ", leaving),
  );
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) saveNow();
    else if (event.key === "Escape") leave();
    else {
      warned = false;
      return;
    }
    event.preventDefault();
  });
  place.replaceChildren(form);
  fields.forEach(fit);
  fields.at(-1).focus();
  fields.at(-1).setSelectionRange(0, 0);
  place.scrollTop = 0;
  return { changed, alive: () => form.isConnected };
}

function fit(field) {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 4}px`;
}

export function showAbout(place, detail, elsewhere) {
  place.replaceChildren(
    ...[others(detail), rules(detail), near(detail, elsewhere), origin(detail)].filter(Boolean),
  );
}

function others(detail) {
  if (!detail.others?.length) return null;
  return make(
    "section",
    "",
    make("h2", "", "Other reviewers"),
    detail.others.map((other) => {
      const said = `${other.reviewer} ${DECIDED[other.decision]} this${other.reason ? `: ${other.reason}` : ""}`;
      const before = (detail.original ?? detail.messages).map((m) => m.content);
      const changes = other.messages
        .filter((m, n) => m.content !== before[n])
        .map((m) => make("div", "text plain", differences(before[other.messages.indexOf(m)], m.content)));
      return changes.length
        ? make("details", other.decision, make("summary", "", said), changes)
        : make("p", other.decision, said);
    }),
  );
}

function rules(detail) {
  const of = (verdict) => detail.rules.filter((saying) => saying.verdict === verdict);
  const name = ({ rule }) => rule.replaceAll("_", " ");
  const loud = [...of("objects"), ...of("strict")].map((saying) =>
    line(
      saying.verdict,
      saying.verdict === "strict" ? `${name(saying)}, if it were stricter` : name(saying),
      make("q", "", saying.detail),
    ),
  );
  const silent = of("content");
  const quiet = silent.length ? line("content", "no objection", make("q", "", silent.map(name).join(", "))) : "";
  return make(
    "section",
    "",
    make("h2", "", "What the rules say"),
    detail.rules.length
      ? make("ul", "rules", loud, quiet)
      : make("p", "soft", "No rules are configured for this kind of source."),
    measures(detail),
  );
}

function line(verdict, ...content) {
  return make("li", verdict, make("span", "mark", MARKS[verdict]), make("span", "", content));
}

function measures({ messages, limits }) {
  const said = (role) => messages.filter((m) => m.role === role).map((m) => m.content).join("\n");
  const number = (value) => value.toLocaleString("en");
  const response = said("assistant");
  const { min_response_chars: least, max_response_chars: most } = limits ?? {};
  const range = [least && `at least ${number(least)}`, most && `at most ${number(most)}`].filter(Boolean);
  const words = response.split(/\s+/).filter(Boolean).length;
  return make(
    "p",
    "soft",
    `Response: ${number(response.length)} characters${range.length ? ` (${range.join(", ")})` : ""}, ` +
      `${number(words)} words. Prompt: ${number(said("user").length)} characters.`,
  );
}

function near(detail, { listed, open }) {
  const found = detail.near.map(({ id, similarity, shared, messages }) => {
    const button = make("button", "", "Go there");
    button.type = "button";
    button.addEventListener("click", () => open(id));
    return make(
      "details",
      "",
      make("summary", "", make("strong", "", `${Math.round(100 * similarity)} %`), ` of the ${shared}: ${messages[0].content.slice(0, 120)}`),
      messages.slice(1).map((m) => make("div", "text plain", m.content)),
      listed(id) ? button : make("p", "soft", "It lies in the reserve."),
    );
  });
  return make(
    "section",
    "",
    make("h2", "", "Near duplicates"),
    found.length ? found : make("p", "soft", "None in the sample or its reserve."),
  );
}

function origin(detail) {
  const { provenance } = detail;
  const number = (value) => (value === null ? "" : String(value));
  const facts = [
    ["Source", detail.source],
    ["Stratum", detail.stratum === detail.source ? "" : detail.stratum],
    ["Score", number(provenance.score)],
    ["Score of the prompt", number(provenance.prompt_score)],
    ["Authors", provenance.authors.join(", ")],
    ["Licence", provenance.licence],
    ["Came for", detail.replaces],
    ["Id", detail.id],
  ].filter(([, value]) => value);
  const links = provenance.urls.filter((url) => /^https?:\/\//.test(url)).map((url) => {
    const link = make("a", "", url.replace(/^https?:\/\//, ""));
    link.href = url;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    return make("dd", "", link);
  });
  return make(
    "section",
    "",
    make("h2", "", "Where it comes from"),
    make("dl", "", facts.map(([name, value]) => [make("dt", "", name), make("dd", "", value)]), links.length ? make("dt", "", "Links") : "", links),
  );
}
