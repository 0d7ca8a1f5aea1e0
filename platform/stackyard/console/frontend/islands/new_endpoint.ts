/** The form of a new endpoint: shows at once which inputs the path makes, and fills in a template's address. */
import { inputType, pathNames, usual } from "../path_names.ts";
import { T, TN } from "../words.ts";

const form = document.querySelector("[data-new-endpoint]")?.closest("form");
const field = <Kind extends HTMLElement>(name: string) => form?.querySelector<Kind>(`[name=${name}]`) ?? null;
const path = field<HTMLInputElement>("path");
const method = field<HTMLSelectElement>("method");
const start = field<HTMLSelectElement>("start");
const table = field<HTMLSelectElement>("table");

if (form && path && method && start && table) {
  const found = document.createElement("div");
  found.className = "path-inputs";
  found.setAttribute("role", "status");
  path.closest(".form-row")!.append(found);
  let typed = path.value !== "/";

  const show = () => {
    const names = pathNames(path.value);
    found.replaceChildren();
    if (!names.length) return;
    found.append(TN("Input:", "Inputs:", names.length), " ");
    for (const name of names) {
      const pill = document.createElement("code");
      pill.className = "pill";
      pill.textContent = name;
      found.append(pill, ` ${inputType(name)} · ${T("path")} · ${T("required")}  `);
    }
  };
  const fill = () => {
    table.closest<HTMLElement>(".form-row")!.hidden = start.value === "empty";
    if (start.value !== "empty" && !table.value && table.options.length === 2) table.selectedIndex = 1;
    const name = table.value ? table.selectedOptions[0]!.text.split(" · ").pop()! : "";
    const address = usual(start.value, name);
    if (!address) return;
    method.value = address.method;
    if (!typed) path.value = address.path;
    show();
  };
  path.addEventListener("input", () => {
    typed = path.value !== "/" && path.value !== "";
    show();
  });
  start.addEventListener("change", fill);
  table.addEventListener("change", fill);
  show();
  fill();
}
