// Texts of strangers as document nodes. Nothing here ever parses them into the page itself.
const TAGS = new Set(
  "P BR EM STRONG CODE PRE UL OL LI BLOCKQUOTE H1 H2 H3 H4 H5 H6 HR TABLE THEAD TBODY TR TH TD VAR SUP SUB".split(" "),
);

// A new element with its class and content: text, nodes, or lists of them.
export function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content.flat(Infinity).filter((part) => part !== null && part !== ""));
  return element;
}

// Known tags of the server's HTML, without any attribute but where a numbered list starts.
export function formatted(html) {
  const inert = new DOMParser().parseFromString(html, "text/html");
  const result = document.createDocumentFragment();
  result.append(...copied(inert.body));
  return result;
}

function copied(node) {
  return [...node.childNodes].flatMap((child) => {
    if (child.nodeType === Node.TEXT_NODE) return [child.textContent];
    if (child.nodeType !== Node.ELEMENT_NODE) return [];
    if (!TAGS.has(child.tagName)) return copied(child);
    const element = make(child.tagName, "", copied(child));
    if (child.tagName === "OL" && child.start > 1) element.start = child.start;
    return [element];
  });
}

// The words of `after` and `before` as nodes: what an edit put in, and what it took out.
export function differences(before, after) {
  const a = before.split(/(\s+)/), b = after.split(/(\s+)/);
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const nodes = [b.slice(0, start).join("")];
  for (const [kind, text] of aligned(a.slice(start, a.length - end), b.slice(start, b.length - end)))
    nodes.push(kind ? make(kind, "", text) : text);
  nodes.push(end ? b.slice(-end).join("") : "");
  return nodes;
}

const MOST_CELLS = 4e6;

// Longest common subsequence; changes too large to align are shown whole.
function aligned(a, b) {
  if (a.length * b.length > MOST_CELLS) return [["del", a.join("")], ["ins", b.join("")]];
  const width = b.length + 1;
  const length = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      length[i * width + j] =
        a[i] === b[j]
          ? length[(i + 1) * width + j + 1] + 1
          : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
  const parts = [];
  const add = (kind, word) => {
    if (parts.at(-1)?.[0] === kind) parts.at(-1)[1] += word;
    else parts.push([kind, word]);
  };
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) (add("", a[i]), (i += 1), (j += 1));
    else if (j === b.length || (i < a.length && length[(i + 1) * width + j] >= length[i * width + j + 1]))
      (add("del", a[i]), (i += 1));
    else (add("ins", b[j]), (j += 1));
  }
  return parts;
}
