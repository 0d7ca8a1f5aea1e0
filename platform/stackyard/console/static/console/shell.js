// The frame of every page: the menu button of narrow pages, menus that close, copying. Without this file menus simply stay open.
"use strict";
{
  const button = document.getElementById("menu-button");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") !== "true"));
    });
  }

  const menus = document.querySelectorAll("details[data-menu]");
  document.addEventListener("click", (event) => {
    for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
  });
  for (const menu of menus) {
    menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && menu.open) {
        menu.open = false;
        menu.querySelector("summary").focus();
        event.stopPropagation();
      }
    });
  }

  for (const copy of document.querySelectorAll("button[data-copy]")) {
    const text = copy.textContent;
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent);
      copy.textContent = window.django ? window.django.gettext("Copied") : "Copied";
      setTimeout(() => { copy.textContent = text; }, 2000);
    });
  }
}
