/** Tables beside the one that is read, and what is worked out of groups: as the form has them. */
import { freeName, type Relation } from "./addons.ts";
import { isObject, type Json } from "./document.ts";
import type { Catalogue, Field } from "../answers.ts";

export type Join = { table?: string; as?: string; match?: { [theirs: string]: string }; type?: string };
export type Group = { field: string; part?: string; time_zone?: string; as?: string };
export type Measure = { name: string; function: string; field: string };

/** The joins of a value that the form can show; null for anything else. */
export function joinsOf(value: Json | undefined): Join[] | null {
  if (value === undefined) return [];
  return Array.isArray(value) && value.every(isObject) ? value as Join[] : null;
}

/** What a join along a relation begins with: `match` as addons have it, `type` left when a record may have none. */
export function joinAlong(relation: Relation, taken: readonly string[]): Join {
  const { table, match, as } = relation.addon;
  return { table, as: freeName(as, taken, table), match, type: "left" };
}

/** The fields a query can name: the table's own, and each joined table's as `as.field`. */
export function joinedFields(table: unknown, joins: Json | undefined, tables: Catalogue["tables"]): Field[] {
  const own = typeof table === "string" ? tables[table]?.fields ?? [] : [];
  const beside = (joinsOf(joins) ?? []).flatMap((join) =>
    (tables[join.table ?? ""]?.fields ?? []).map((field) => ({
      ...field,
      name: `${join.as ?? join.table}.${field.name}`,
    }))
  );
  return [...own, ...beside];
}

/** `group_by`: names, or maps with a part of a time; one of them may stand alone. Null for anything else. */
export function groupsOf(value: Json | undefined): Group[] | null {
  if (value === undefined) return [];
  const all = Array.isArray(value) ? value : [value];
  const groups: Group[] = [];
  for (const one of all) {
    if (typeof one === "string") groups.push({ field: one });
    else if (isObject(one) && typeof one.field === "string") groups.push(one as Group);
    else return null;
  }
  return groups;
}

/** A group is written as its field's name where that says all. */
export function groupsAsJson(groups: readonly Group[]): Json | undefined {
  if (groups.length === 0) return undefined;
  return groups.map((one) => (one.part || one.time_zone || one.as ? one : one.field)) as Json;
}

/** `aggregate`: names with `count` or `{function: field}`. Null for anything else. */
export function measuresOf(value: Json | undefined): Measure[] | null {
  if (value === undefined) return [];
  if (!isObject(value)) return null;
  const found: Measure[] = [];
  for (const [name, what] of Object.entries(value)) {
    if (what === "count") found.push({ name, function: "count", field: "" });
    else if (isObject(what) && Object.keys(what).length === 1) {
      const [of, field] = Object.entries(what)[0]!;
      if (typeof field !== "string") return null;
      found.push({ name, function: of, field });
    } else return null;
  }
  return found;
}

export function measuresAsJson(measures: readonly Measure[]): Json | undefined {
  if (measures.length === 0) return undefined;
  return Object.fromEntries(
    measures.map((
      one,
    ) => [one.name, one.field || one.function !== "count" ? { [one.function]: one.field } : "count"]),
  );
}

/** What an aggregated record holds, to sort by; empty when the query does not aggregate. */
export function outputsOf(groups: Json | undefined, measures: Json | undefined): string[] {
  return [
    ...(groupsOf(groups) ?? []).map((one) => one.as || nameOfGroup(one)),
    ...(measuresOf(measures) ?? []).map((one) => one.name),
  ];
}

/** What a group is called unless it says so. */
export function nameOfGroup({ field, part }: Group): string {
  const name = field.replaceAll(".", "_");
  return part ? `${name}_${part}` : name;
}

/** A name for a measure that no other has. */
export function nameOfMeasure(of: string, field: string, taken: readonly string[]): string {
  const name = field ? `${of}_${field.replaceAll(".", "_")}` : of;
  return freeName(name, taken, name);
}
