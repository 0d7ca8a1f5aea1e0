import assert from "node:assert/strict";
import { fill, T, TN } from "./words.ts";

Deno.test("placeholders are filled, unknown ones stay to be seen", () => {
  assert.equal(fill("{a} and {b}", { a: 1 }), "1 and {b}");
  assert.equal(fill("{a}", { a: "{b}", b: 2 }), "{b}");
});

Deno.test("without a catalogue the text itself is shown", () => {
  assert.equal(T("Saved at {time}", { time: "10:42" }), "Saved at 10:42");
  assert.equal(TN("{count} step", "{count} steps", 1), "1 step");
  assert.equal(TN("{count} step", "{count} steps", 1200), "1,200 steps");
});

Deno.test("a catalogue's words are used", () => {
  const page = globalThis as Record<string, unknown>;
  page.django = { gettext: () => "{time} gespeichert", ngettext: () => "{count} Schritte" };
  try {
    assert.equal(T("Saved at {time}", { time: "10:42" }), "10:42 gespeichert");
    assert.equal(TN("{count} step", "{count} steps", 2), "2 Schritte");
  } finally {
    delete page.django;
  }
});
