import { explain, suggest } from "./completion.ts";
import { membersOf, membersOfType, readDeclarations } from "./declarations.ts";

const known = readDeclarations(`
interface Records {
  // Both ways of asking.
  query<T extends TableName>(table: T, where?: Where<T>, options?: { page: number }): Promise<Paged<T>>;
  query<T extends TableName>(table: T, where?: Where<T>): Promise<Tables[T][]>;
  get<T extends TableName>(table: T, value: unknown): Promise<Tables[T] | null>;
}
interface Tables {
  orders: { id: number; total: number; "odd-name": string; meta: { a: string; }; };
  customers: { id: number; name: string; };
}
interface NewRecords {
  orders: { total: number; note?: string | null; };
}
interface Functions {
  twice: (input: { n: number; }) => Promise<number>;
}
interface Variables {
  API_KEY: string;
}
declare const input: any;
declare const env: Variables;
declare const db: Records;
declare const fn: Functions & { call(name: string, input?: object): Promise<any> };
declare const auth: { id: number | null; kind: string } | null;
declare const $env: Variables;
`);

function names(code: string, input: unknown = null): string[] | null {
  const at = code.indexOf("|");
  return suggest(known, code.replace("|", ""), at, input)?.members.map((one) => one.name) ?? null;
}

function same(got: unknown, wanted: unknown): void {
  const [one, other] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`got ${one}, wanted ${other}`);
}

Deno.test("declarations are read as far as completion needs them", () => {
  same(membersOf('a: string; b?(x: number): void; a: number; "c-d": { e: 1; };').map((one) => one.name), [
    "a",
    "b",
    "c-d",
  ]);
  same(membersOfType(known, "Functions & { call(): void }").map((one) => one.name), ["twice", "call"]);
  same(membersOfType(known, 'Tables["orders"]').map((one) => one.name), ["id", "total", "odd-name", "meta"]);
});

Deno.test("members, tables, fields and names are suggested where they can stand", () => {
  same(names("await db.|"), ["query", "get"]);
  same(names("env.A|"), ["API_KEY"]);
  same(names("fn.|"), ["twice", "call"]);
  same(names("auth?.|"), ["id", "kind"]);
  same(names('db.query("|'), ["orders", "customers"]);
  same(names('db.query("orders", { |'), ["id", "total", "odd-name", "meta"]);
  same(names('db.add("orders", { total: 1, n|'), ["total", "note"]);
  same(names('db.get("orders", 1)\n{ |'), null);
  same(names("input.cust|", { customer: 1, other: 2 }), ["customer", "other"]);
  same(names("input.customer.|", { customer: { id: 1 } }), ["id"]);
  same(names("unknown.|"), null);
});

Deno.test("a variable has the type of what it was set to", () => {
  same(names('const order = await db.get("orders", 1);\norder.|'), ["id", "total", "odd-name", "meta"]);
  same(names('const order = await db.get("orders", 1);\norder.meta.|'), ["a"]);
  same(names('const all = await db.query("customers");\nfor (const one of all) {\n  one.|'), ["id", "name"]);
  same(names('const all = await db.query("customers");\nreturn all.map((c) => c.|'), ["id", "name"]);
  same(names('const all = await db.query("customers");\nall.|')?.includes("map"), true);
});

Deno.test("a word explains itself", () => {
  same(explain(known, "env.API_KEY", 6)?.text, "API_KEY: string");
  same(
    explain(known, 'const o = await db.get("orders", 1);\no', 38)?.text,
    "o: record of orders: id, total, odd-name, meta",
  );
  same(explain(known, "nothing", 3), null);
});
