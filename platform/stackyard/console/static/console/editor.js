// The text editor of a function stack: line numbers, marks at lines with faults, indenting, jumping, shortcuts.
// Everything it does is a convenience: the form around it works without this file.
"use strict";
{
  const INDENT = "  ";
  const box = document.querySelector("[data-editor]");
  const area = box && box.querySelector("textarea");
  const form = area && area.form;

  const lineStart = (text, position) => text.lastIndexOf("\n", position - 1) + 1;

  // Typed through the browser's own editing, so that its undo knows about it.
  const type = (text) => {
    if (!document.execCommand("insertText", false, text)) {
      area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input"));
    }
  };

  const replaceLines = (change) => {
    const start = lineStart(area.value, area.selectionStart);
    let end = area.value.indexOf("\n", Math.max(area.selectionEnd - 1, start));
    if (end < 0) end = area.value.length;
    const changed = area.value.slice(start, end).split("\n").map(change).join("\n");
    area.setSelectionRange(start, end);
    type(changed);
    area.setSelectionRange(start, start + changed.length);
  };

  const press = (name) => {
    const button = form.querySelector(`button[name="do"][value="${name}"]`);
    if (button && !button.disabled) form.requestSubmit(button);
  };

  let leaves = false; // Escape lets the next Tab leave the text, so that nobody is caught in it.
  const onKey = (event) => {
    const command = event.ctrlKey || event.metaKey;
    if (event.key === "Escape") {
      leaves = true;
      return;
    }
    if (event.key === "Tab" && !leaves && !command && !event.altKey) {
      event.preventDefault();
      const many = area.value.slice(area.selectionStart, area.selectionEnd).includes("\n");
      if (event.shiftKey) replaceLines((line) => line.replace(/^ {1,2}/, ""));
      else if (many) replaceLines((line) => (line ? INDENT + line : line));
      else type(INDENT);
    } else if (event.key === "Enter" && !command && !event.shiftKey) {
      const before = area.value.slice(lineStart(area.value, area.selectionStart), area.selectionStart);
      const blanks = before.match(/^ */)[0];
      const deeper = /[:{([]\s*$/.test(before) ? INDENT : "";
      if (blanks || deeper) {
        event.preventDefault();
        type(`\n${blanks}${deeper}`);
      }
    }
    leaves = false;
  };

  const onShortcut = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    // The visual editor has taken the form's place: its own shortcuts count, the form's text is of when the page came.
    if (event.defaultPrevented || form.closest("[hidden]")) return;
    if (event.key.toLowerCase() === "s") {
      event.preventDefault();
      press("save");
    } else if (event.key === "Enter") {
      event.preventDefault();
      press("try");
    }
  };

  const jump = (line, column) => {
    const lines = area.value.split("\n");
    const row = Math.min(line, lines.length) - 1;
    const offset = lines.slice(0, row).reduce((sum, text) => sum + text.length + 1, 0);
    const start = offset + Math.min(column - 1, lines[row].length);
    area.focus();
    area.setSelectionRange(start, start);
    const height = parseFloat(getComputedStyle(area).lineHeight);
    area.scrollTop = Math.max(0, (row - 4) * height);
    area.scrollIntoView({ block: "nearest" });
  };

  const drawGutter = (gutter, marks) => {
    const count = area.value.split("\n").length;
    if (gutter.childElementCount !== count) {
      gutter.replaceChildren(...Array.from({ length: count }, (_, index) => {
        const number = document.createElement("span");
        number.textContent = String(index + 1);
        const level = marks.get(index + 1);
        if (level) number.className = level;
        return number;
      }));
    }
    gutter.scrollTop = area.scrollTop;
  };

  if (form) {
    const gutter = document.createElement("div");
    gutter.className = "gutter";
    gutter.setAttribute("aria-hidden", "true");
    box.prepend(gutter);
    box.classList.add("numbered");

    const marks = new Map();
    const places = document.querySelectorAll("a[data-line]");
    for (const link of places) {
      const line = Number(link.dataset.line);
      if (marks.get(line) !== "error") marks.set(line, link.dataset.level);
      link.addEventListener("click", (event) => {
        event.preventDefault();
        jump(line, Number(link.dataset.column));
      });
    }

    drawGutter(gutter, marks);
    area.addEventListener("input", () => drawGutter(gutter, marks));
    area.addEventListener("scroll", () => { gutter.scrollTop = area.scrollTop; });
    area.addEventListener("keydown", onKey);
    document.addEventListener("keydown", onShortcut);

    // Where the cursor was before the page was sent comes back with the answer.
    const caret = form.querySelector("input[name=caret]");
    const held = caret.value.match(/^(\d+),(\d+)$/);
    if (held) {
      area.focus({ preventScroll: true });
      area.setSelectionRange(Number(held[1]), Number(held[1]));
      area.scrollTop = Number(held[2]);
    }

    const asLoaded = area.value;
    let sending = false;
    form.addEventListener("submit", () => {
      sending = true;
      caret.value = `${area.selectionStart},${Math.round(area.scrollTop)}`;
    });
    window.addEventListener("pageshow", () => { sending = false; });
    window.addEventListener("beforeunload", (event) => {
      const unsaved = box.dataset.editor === "unsaved" || area.value !== asLoaded;
      if (unsaved && !sending) event.preventDefault();
    });
  }
}
