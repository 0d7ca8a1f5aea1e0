import { secondsLeft } from "./time_left.ts";

Deno.test("time left is said in the unit that people would use", () => {
  const said = [0.4, 12.4, 89, 120, 5399, 7200, 40_000].map(secondsLeft);
  const wanted = [
    "almost done",
    "about 12 seconds left",
    "about 89 seconds left",
    "about 2 minutes left",
    "about 2 hours left",
    "about 2 hours left",
    "about 11 hours left",
  ];
  if (said.join() !== wanted.join()) throw new Error(said.join());
});
