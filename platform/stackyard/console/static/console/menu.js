// The menu button of narrow pages. Without this file the menu simply stands open.
"use strict";
{
  const button = document.getElementById("menu-button");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") !== "true"));
    });
  }
}
