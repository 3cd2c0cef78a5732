"use strict";
// What every page shares that lists records and shows the one that is read.

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function offer(select, values) {
  for (const value of values) {
    const option = element("option", value);
    option.value = value;
    select.append(option);
  }
}

// j and k (or the arrows) step through the list, / begins a search, Esc or Enter leaves it.
function walk(search, step) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === search) {
      if (event.key === "Escape" || event.key === "Enter") {
        event.preventDefault();
        search.blur();
      }
      return;
    }
    if (event.target.tagName === "SELECT") return;
    const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      step(by);
    } else if (event.key === "/") {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });
}
