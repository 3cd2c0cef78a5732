// The list of examples: only the rows in sight are in the document, so its length does not matter.
const HEIGHT = 46;
const MARK = { keep: "✓", edit: "✎", reject: "✗", "": "·" };

export class List {
  constructor(frame, inner, chosen) {
    this.frame = frame;
    this.inner = inner;
    this.rows = [];
    this.current = null;
    frame.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(frame);
    inner.addEventListener("click", (event) => {
      const row = event.target.closest("[data-id]");
      if (row) chosen(row.dataset.id);
    });
  }

  show(rows, current) {
    const moved = current !== this.current;
    this.rows = rows;
    this.current = current;
    this.inner.style.height = `${rows.length * HEIGHT}px`;
    if (moved) this.reveal();
    this.draw();
  }

  reveal() {
    const at = this.rows.findIndex((row) => row.id === this.current) * HEIGHT;
    const { scrollTop, clientHeight } = this.frame;
    if (at >= 0 && (at < scrollTop + HEIGHT || at + 2 * HEIGHT > scrollTop + clientHeight))
      this.frame.scrollTop = at - clientHeight / 3;
  }

  draw() {
    const first = Math.max(0, Math.floor(this.frame.scrollTop / HEIGHT) - 5);
    const count = Math.ceil(this.frame.clientHeight / HEIGHT) + 10;
    this.inner.replaceChildren(
      ...this.rows.slice(first, first + count).map((row, n) => this.line(row, first + n)),
    );
  }

  line(row, place) {
    const line = document.createElement("div");
    line.className = `row ${row.mine}`;
    line.dataset.id = row.id;
    line.style.top = `${place * HEIGHT}px`;
    if (row.id === this.current) line.setAttribute("aria-current", "true");
    const notes = [row.source, row.score === null ? "" : `score ${row.score}`];
    if (row.replaces) notes.push("replacement");
    if (row.disputed) notes.push("disagree");
    if (row.objects.length) notes.push("rule");
    if (row.like >= 0.5) notes.push("alike");
    for (const [name, text] of [
      ["mark", MARK[row.mine]],
      ["title", row.prompt],
      ["notes", notes.filter(Boolean).join(" · ")],
    ]) {
      const part = document.createElement("span");
      part.className = name;
      part.textContent = text;
      line.append(part);
    }
    return line;
  }
}
