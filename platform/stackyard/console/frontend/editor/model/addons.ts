/** Which records of other tables belong to those of a table: along its references, and those that refer to it. */
import type { Catalogue } from "../answers.ts";
import type { Json } from "./document.ts";

export type Addon = {
  table?: string;
  match?: { [theirs: string]: string };
  as?: string;
  return?: string;
  fields?: Json;
  sort?: Json;
  addons?: Json;
};

/** A way from a table to another one: what an addon along it begins with. */
export type Relation = {
  by: string;
  isBack: boolean;
  addon: Required<Pick<Addon, "table" | "match" | "as">> & Addon;
};

/** The ways from a table, its own references first, each with a name that the record does not have yet. */
export function relationsOf(
  parent: string,
  tables: Catalogue["tables"],
  taken: readonly string[],
): Relation[] {
  const own = tables[parent]?.fields ?? [];
  const names = [...own.map((field) => field.name), ...taken];
  const along = own.flatMap((field): Relation[] => {
    if (!field.refers_to || !tables[field.refers_to]) return [];
    const as = freeName(field.name.replace(/_id$/, ""), names, field.refers_to);
    const addon = { table: field.refers_to, match: { id: field.name }, as, return: "single" };
    return [{ by: field.name, isBack: false, addon }];
  });
  const back = Object.entries(tables).flatMap(([name, table]) =>
    table.fields.filter((field) => field.refers_to === parent).map((field): Relation => ({
      by: field.name,
      isBack: true,
      addon: {
        table: name,
        match: { [field.name]: "id" },
        as: freeName(name, names, `${name}_${field.name}`),
      },
    }))
  );
  return [...along, ...back];
}

/** A name nobody has: the one wished for, the other one, or one of them with a number. */
export function freeName(wished: string, taken: readonly string[], other: string): string {
  for (const name of [wished, other]) if (!taken.includes(name)) return name;
  for (let number = 2;; number++) if (!taken.includes(`${other}_${number}`)) return `${other}_${number}`;
}
