import {
  beside,
  type Column,
  fromEdit,
  hasHead,
  isSame,
  moved,
  sheetRows,
  shown,
  toEdit,
  withHead,
} from "./model.ts";

function equal(actual: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${one} is not ${other}`);
}

function column(name: string, editor = "text", isFixed = false): Column {
  return {
    name,
    type: editor,
    editor,
    isFixed,
    isRequired: false,
    isNumber: false,
    canSort: true,
    choices: [],
    operators: [],
    hint: "",
  };
}

Deno.test("keys lead within the grid", () => {
  equal(moved({ row: 0, column: 0 }, "ArrowUp", false, 3, 2), { row: 0, column: 0 });
  equal(moved({ row: 0, column: 0 }, "PageDown", false, 3, 2), { row: 2, column: 0 });
  equal(moved({ row: 1, column: 0 }, "End", true, 3, 2), { row: 2, column: 1 });
  equal(moved({ row: 1, column: 0 }, "x", false, 3, 2), null);
  equal(beside({ row: 0, column: 1 }, 1, 3, 2), { row: 1, column: 0 });
  equal(beside({ row: 0, column: 0 }, -1, 3, 2), null);
});

Deno.test("cells are shown and edited fitly, and come back as they were", () => {
  const place = column("place", "place"), seen = column("seen", "moment"), meta = column("meta", "code");
  equal(shown(place, '{"lat": 52.5, "lng": 13.4}'), "52.5, 13.4");
  equal(fromEdit(place, "52.5, 13.4"), '{"lat":52.5,"lng":13.4}');
  equal(shown(seen, "2026-01-23T10:00:00.000Z"), "2026-01-23 10:00:00");
  equal(fromEdit(seen, toEdit(seen, "2026-01-23T10:00:00.000Z")), "2026-01-23T10:00:00.000Z");
  equal(fromEdit(meta, '{ "a": 1 }'), '{"a":1}');
  equal(isSame(meta, '{"a": 1}', '{"a":1}'), true);
  equal(isSame(meta, '{"a": 1}', '{"a":2}'), false);
  equal(fromEdit(meta, ""), null);
});

Deno.test("a sheet is read with its quotes, and gets a head where it has none", () => {
  equal(sheetRows('a\tb\n"x\ty"\t"say ""hi""\nnow"\n'), [["a", "b"], ["x\ty", 'say "hi"\nnow']]);
  const columns = [column("id", "number", true), column("name"), column("e_mail")];
  equal(hasHead(["Name", "E-Mail", "other"], columns), true);
  equal(hasHead(["Ann", "ann@example.com"], columns), false);
  equal(
    withHead([["Ann", "a@b.c", "x"], ["Bob"]], columns, 0),
    "name\te_mail\tcolumn_3\nAnn\ta@b.c\tx\nBob\t\t\n",
  );
  equal(withHead([["name"], ['"']], columns, 0), 'name\n""""\n');
});
