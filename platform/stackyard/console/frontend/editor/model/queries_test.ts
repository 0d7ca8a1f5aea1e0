import { groupsAsJson, groupsOf, joinedFields, joinsOf, measuresAsJson, measuresOf } from "./queries.ts";
import type { Json } from "./document.ts";

function same(got: unknown, wanted: unknown): void {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(got)} is not ${JSON.stringify(wanted)}`);
  }
}

Deno.test("groups and measures come back as they were written", () => {
  const groups: Json = ["status", { field: "created_at", part: "month", as: "month" }];
  same(groupsAsJson(groupsOf(groups)!), groups);
  same(groupsOf("status"), [{ field: "status" }]);
  const measures: Json = {
    orders: "count",
    buyers: { count_distinct: "customer" },
    named: { count: "name" },
  };
  same(measuresAsJson(measuresOf(measures)!), measures);
});

Deno.test("what the form cannot show stays JSON", () => {
  same(groupsOf([3]), null);
  same(measuresOf({ a: { sum: "x", avg: "y" } }), null);
  same(joinsOf({ table: "x" }), null);
  same(measuresAsJson([]), undefined);
});

Deno.test("fields of joined tables are called as.field", () => {
  const field = (name: string) => ({ name, type: "int", value: { name: "int" }, operators: [] });
  const tables = {
    orders: { description: "", fields: [field("id")] },
    customers: { description: "", fields: [field("city")] },
  };
  const names = joinedFields("orders", [{ table: "customers", as: "buyer" }], tables as never)
    .map((one) => one.name);
  same(names, ["id", "buyer.city"]);
});
