import type { Doc } from "./document.ts";
import { docOf, set } from "./samples.ts";
import { type Kept, Saving, type SavingState } from "./saving.ts";

function equal(given: unknown, wanted: unknown): void {
  if (JSON.stringify(given) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(given)} is not ${JSON.stringify(wanted)}`);
  }
}

type Answer = { version: string; saved_at: string };

/** A server, a clock and a computer that keeps things, all by hand. */
class World {
  now = 0;
  kept: Kept | null = null;
  states: SavingState[] = [];
  server = { version: "v0", document: docOf(set("a")) as Doc };
  fails: { status: number } | null = null;
  puts = 0;
  #timers: { at: number; run: () => void }[] = [];
  saving: Saving<Answer>;

  constructor() {
    this.saving = new Saving<Answer>(this.server.document, "v0", {
      put: (document, version) => {
        this.puts++;
        if (this.fails) return Promise.reject(this.fails);
        if (version !== this.server.version) return Promise.reject({ status: 409 });
        this.server = { version: `v${this.puts}`, document };
        return Promise.resolve({ version: this.server.version, saved_at: "" });
      },
      fault: (error) => ({
        ...(error as { status: number }),
        message: "no",
        theirs: { ...this.server, saved_by: "Grace", saved_at: "" },
      }),
      saved: () => {},
      changed: (state) => this.states.push(state),
      keep: (kept) => (this.kept = kept),
      later: (run, milliseconds) => {
        const timer = { at: this.now + milliseconds, run };
        this.#timers.push(timer);
        return () => (this.#timers = this.#timers.filter((one) => one !== timer));
      },
      now: () => this.now,
    });
  }

  async pass(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    for (;;) {
      const next = this.#timers.filter((one) => one.at <= end).sort((one, other) => one.at - other.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.now = next.at;
      next.run();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
    this.now = end;
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

const other = (name: string) => docOf(set("a", name));

Deno.test("an edit is on this computer at once and on the server within two seconds, however long one types", async () => {
  const world = new World();
  for (let key = 0; key < 20; key++) {
    world.saving.edit(other(`n${key}`));
    equal(world.kept?.document, other(`n${key}`));
    await world.pass(100);
  }
  await world.pass(1500);
  equal(world.server.document, other("n19"));
  equal(world.saving.state, "saved");
  equal(world.kept, null);
  equal(world.puts <= 4, true);
});

Deno.test("saved is a comparison: an edit taken back is saved, with nothing sent", async () => {
  const world = new World();
  world.saving.edit(other("x"));
  world.saving.edit(docOf(set("a")));
  await world.pass(3000);
  equal([world.saving.state, world.puts, world.kept], ["saved", 0, null]);
});

Deno.test("without a network edits wait here, and go when it is back", async () => {
  const world = new World();
  world.fails = { status: 0 };
  world.saving.edit(other("x"));
  await world.pass(1000);
  equal(world.saving.state, "offline");
  equal(world.kept?.document, other("x"));
  world.fails = null;
  world.saving.wake();
  await world.pass(10);
  equal([world.saving.state, world.server.document], ["saved", other("x")]);
});

Deno.test("a login that has ended keeps trying, and loses nothing", async () => {
  const world = new World();
  world.fails = { status: 401 };
  world.saving.edit(other("x"));
  await world.pass(10_000);
  equal(world.saving.state, "signed_out");
  world.fails = null;
  await world.pass(20_000);
  equal(world.saving.state, "saved");
});

Deno.test("somebody else's save is a conflict until one is chosen; nothing is thrown away", async () => {
  const world = new World();
  world.server = { version: "v9", document: other("theirs") };
  world.saving.edit(other("mine"));
  await world.pass(2000);
  equal([world.saving.state, world.saving.theirs?.saved_by], ["conflict", "Grace"]);
  world.saving.edit(other("mine, too"));
  await world.pass(5000);
  equal(world.server.document, other("theirs"));
  equal(world.kept?.document, other("mine, too"));
  equal(await world.saving.flush(), false);
  equal(await world.saving.keepMine(), true);
  equal(world.server.document, other("mine, too"));

  const second = new World();
  second.server = { version: "v9", document: other("theirs") };
  second.saving.edit(other("mine"));
  await second.pass(2000);
  second.saving.take(second.saving.theirs!.document, second.saving.theirs!.version);
  equal([second.saving.state, second.kept], ["saved", null]);
});

Deno.test("a save whose answer was lost is no conflict", async () => {
  const world = new World();
  world.saving.edit(other("x"));
  world.server = { version: "v5", document: other("x") };
  await world.pass(2000);
  equal([world.saving.state, world.saving.version], ["saved", "v5"]);
});

Deno.test("edits found on this computer go on from where they stood, or ask first", async () => {
  const world = new World();
  const theirs = { ...world.server, saved_by: "", saved_at: "" };
  world.saving.resume({ version: "v0", document: other("found"), at: 0 }, theirs);
  await world.pass(2000);
  equal([world.saving.state, world.server.document], ["saved", other("found")]);
  const old = new World();
  old.saving.resume({ version: "older", document: other("found"), at: 0 }, theirs);
  equal(old.saving.state, "conflict");
});

Deno.test("what the server refuses is said, and tried again with the next edit", async () => {
  const world = new World();
  world.fails = { status: 413 };
  world.saving.edit(other("x"));
  await world.pass(60_000);
  equal([world.saving.state, world.puts], ["refused", 1]);
  world.fails = null;
  world.saving.edit(other("y"));
  await world.pass(2000);
  equal(world.saving.state, "saved");
});
