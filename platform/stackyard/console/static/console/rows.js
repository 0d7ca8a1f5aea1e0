// "Add a row" for tables of fields. Without this file the button sends the form, and the server adds the rows.
"use strict";
for (const button of document.querySelectorAll("button[data-more-rows]")) {
  const body = document.getElementById(button.dataset.moreRows);
  const blank = body.querySelector("template");
  const total = document.querySelector(`input[name="${body.dataset.prefix}-TOTAL_FORMS"]`);
  // Not the button that Enter in a field presses.
  button.type = "button";
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const row = blank.content.cloneNode(true);
    const number = total.value;
    for (const element of row.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
      for (const name of ["name", "id", "for", "aria-describedby"]) {
        const value = element.getAttribute(name);
        if (value) element.setAttribute(name, value.replace("__prefix__", number));
      }
    }
    total.value = String(Number(number) + 1);
    blank.before(row);
    blank.previousElementSibling.querySelector("input").focus();
  });
}
