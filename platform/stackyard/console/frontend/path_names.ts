/** The names in braces of an endpoint's path: `/customers/{customer_id}` → `["customer_id"]`, each once. */
export function pathNames(path: string): string[] {
  const names = [...path.matchAll(/\{([^{}/]*)\}/g)].map((found) => found[1]!).filter((name) => name);
  return [...new Set(names)];
}

/** What the server will take such an input for. */
export function inputType(name: string): "int" | "text" {
  return name.endsWith("id") ? "int" : "text";
}

/** Method and path of a table's usual endpoint, to fill in what nobody has typed yet. */
export function usual(start: string, table: string): { method: string; path: string } | null {
  const one = `${single(table)}_id`;
  const paths: Record<string, [string, string]> = {
    list: ["GET", `/${table}`],
    get: ["GET", `/${table}/{${one}}`],
    create: ["POST", `/${table}`],
    update: ["PATCH", `/${table}/{${one}}`],
    replace: ["PUT", `/${table}/{${one}}`],
    delete: ["DELETE", `/${table}/{${one}}`],
  };
  const found = paths[start];
  return found && table ? { method: found[0], path: found[1] } : null;
}

function single(table: string): string {
  if (table.endsWith("ies")) return `${table.slice(0, -3)}y`;
  return table.endsWith("s") && !table.endsWith("ss") && table.length > 1 ? table.slice(0, -1) : table;
}
