/** One person trying one stack: what is filled in, the run that goes on, the last result. */
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import { get, Refused, send } from "../requests.ts";
import { T } from "../words.ts";
import { faultsByInput, inputsOfJson, textsOf, valuesOf } from "./fields.ts";
import type { Rounds } from "./rows.ts";
import type {
  Answered,
  InputForm,
  Inputs,
  NotRun,
  Overview,
  Part,
  Result,
  RoundEntry,
  Sample,
} from "./shapes.ts";

/** What runs, and where it is shown: the stack editor's door, or the plain page's text. */
export type Target = {
  /** `/admin/endpoints/endpoint/7/` */
  address: string;
  kind: string;
  /** The part of the body that says what is on screen: `{document}` or `{text}`. */
  onScreen(): Record<string, unknown>;
  /** The inputs as the document on screen has them; null when only the server knows. */
  inputs?(): InputForm[] | null;
  onResult?(result: Result | null, inputs: Inputs): void;
  choose?(lineId: string): void;
  sentence?(lineId: string): string;
  announce?(text: string): void;
  /** The line chosen in the stack. */
  chosen?: ReadonlySignal<string | null>;
  /** Put examples into the document on screen; without it the server puts them into the draft. */
  setExamples?(inputs: Inputs): void;
};

export type Stop = { line: string; after: boolean };

const ASK_MS = 300;

export class Session {
  readonly overview = signal<Overview | null>(null);
  readonly texts = signal<Record<string, string>>({});
  /** Values of names that no field has: kept, and refused by the run if nobody takes them out. */
  readonly others = signal<Inputs>({});
  readonly json = signal<string | null>(null);
  readonly caller = signal("builder");
  readonly keepChanges = signal(false);
  readonly running = signal<string | null>(null);
  readonly isBusy = signal(false);
  readonly result = signal<Result | null>(null);
  readonly refused = signal<NotRun | null>(null);
  readonly failure = signal<Refused | null>(null);
  readonly notice = signal("");
  readonly request = signal<number | null>(null);
  readonly rounds = signal<Record<string, Rounds>>({});
  readonly sample = signal("");
  #stopped = false;

  readonly inputs = computed<InputForm[]>(() => {
    const places = new Map((this.overview.value?.inputs ?? []).map((input) => [input.name, input.place]));
    const own = this.target.inputs?.();
    return own
      ? own.map((input) => ({ ...input, place: places.get(input.name) ?? input.place }))
      : this.overview.value?.inputs ?? [];
  });

  readonly faults = computed<Record<string, string>>(() => {
    const problem = this.result.value?.problem;
    return problem?.code === "INVALID_INPUT" && !problem.place ? faultsByInput(problem.details ?? []) : {};
  });

  constructor(readonly target: Target, readonly startWithRequest: number | null = null) {
    this.opened = this.#begin();
  }

  url(rest = ""): string {
    return `${this.target.address}debug/${rest}`;
  }

  /** Done once the fields are filled. */
  readonly opened: Promise<void>;

  async #begin(): Promise<void> {
    await this.#guarded(async () => {
      const overview = await get<Overview>(this.url());
      batch(() => {
        this.overview.value = overview;
        this.caller.value = overview.callers.some((one) => one.value === overview.caller)
          ? overview.caller
          : "builder";
        this.fill(overview.values);
      });
      if (this.startWithRequest !== null) await this.takeRequest(this.startWithRequest);
    });
  }

  /** Put values into the fields. */
  fill(values: Inputs): void {
    batch(() => {
      this.texts.value = textsOf(this.inputs.value, values);
      this.others.value = values;
      if (this.json.value !== null) this.json.value = JSON.stringify(values, null, 2);
    });
  }

  set(name: string, text: string): void {
    this.texts.value = { ...this.texts.value, [name]: text };
  }

  /** The inputs to send, or null when the JSON cannot be read (the panel says why). */
  values(): Inputs | null {
    if (this.json.value === null) return valuesOf(this.inputs.value, this.texts.value, this.others.value);
    const read = inputsOfJson(this.json.value);
    return typeof read === "string" ? null : read;
  }

  /** Between fields and JSON, keeping what is filled in. */
  toggleJson(): void {
    const values = this.values();
    if (this.json.value === null) this.json.value = JSON.stringify(values, null, 2);
    else if (values !== null) {
      this.json.value = null;
      this.fill(values);
    }
  }

  async run(stop: Stop | null = null): Promise<void> {
    const inputs = this.values();
    if (this.isBusy.value || inputs === null) return;
    this.#stopped = false;
    batch(() => {
      this.isBusy.value = true;
      this.failure.value = null;
      this.notice.value = "";
    });
    await this.#guarded(async () => {
      let answer = await send<Answered>("POST", this.url("run/"), {
        ...this.target.onScreen(),
        inputs,
        caller: this.caller.value,
        keep_changes: this.keepChanges.value,
        ...(stop ? { stop } : {}),
        ...(this.request.value !== null ? { request: this.request.value } : {}),
      });
      while (answer.state === "running") {
        this.running.value = answer.id;
        if (this.#stopped) await this.#askToStop(answer.id);
        await new Promise((done) => setTimeout(done, ASK_MS));
        answer = await get<Answered>(this.url(`runs/${answer.id}/`));
      }
      this.#take(answer, inputs);
    });
    batch(() => {
      this.isBusy.value = false;
      this.running.value = null;
    });
  }

  #take(answer: Result | NotRun, inputs: Inputs): void {
    batch(() => {
      this.rounds.value = {};
      this.result.value = answer.state === "done" ? answer : null;
      this.refused.value = answer.state === "refused" ? answer : null;
      this.target.onResult?.(this.result.value, inputs);
    });
    this.target.announce?.(
      answer.state === "done"
        ? T("Answered {status} in {time} ms", {
          status: answer.status,
          time: Math.round(answer.milliseconds),
        })
        : T("Not run: {message}", { message: answer.error.message }),
    );
  }

  async cancel(): Promise<void> {
    this.#stopped = true;
    if (this.running.value) await this.#guarded(() => this.#askToStop(this.running.value!));
  }

  async #askToStop(id: string): Promise<void> {
    await send("POST", this.url(`runs/${id}/cancel/`), {});
  }

  async takeRequest(id: number): Promise<void> {
    await this.#guarded(async () => {
      const found = await get<{ inputs: Inputs; missing: string[] }>(this.url(`inputs/?request=${id}`));
      this.fill(found.inputs);
      this.request.value = id;
      this.notice.value = found.missing.length
        ? T("The history hides these, fill them in: {names}", { names: found.missing.join(", ") })
        : T("Filled in from a past request. The answer is compared with the one it got.");
    });
  }

  async takeRecord(table: string, record: string): Promise<void> {
    await this.#guarded(async () => {
      const query = new URLSearchParams({ table, record });
      const found = await get<{ inputs: Inputs }>(this.url(`inputs/?${query}`));
      const names = Object.keys(found.inputs);
      this.fill({ ...(this.values() ?? {}), ...found.inputs });
      this.request.value = null;
      this.notice.value = names.length
        ? T("Filled in from the record: {names}", { names: names.join(", ") })
        : T("No input has the name of a field of this table.");
    });
  }

  takeSample(name: string): void {
    const sample = this.overview.value?.samples.find((one) => one.name === name);
    this.sample.value = name;
    if (!sample) return;
    this.fill(sample.inputs);
    this.request.value = null;
    if (sample.caller) this.caller.value = sample.caller;
  }

  async saveSample(name: string): Promise<void> {
    const inputs = this.values();
    if (inputs === null) return;
    await this.#guarded(async () => {
      await this.#samples("samples/", { name, inputs, caller: this.caller.value });
      this.sample.value = name.trim();
      this.notice.value = T("Saved as {name}.", { name: name.trim() });
    });
  }

  async deleteSample(name: string): Promise<void> {
    await this.#guarded(async () => {
      await this.#samples("samples/delete/", { name });
      this.sample.value = "";
    });
  }

  async #samples(rest: string, body: unknown): Promise<void> {
    const { samples } = await send<{ samples: Sample[] }>("POST", this.url(rest), body);
    if (this.overview.value) this.overview.value = { ...this.overview.value, samples };
  }

  async useAsExamples(): Promise<void> {
    const inputs = this.values();
    if (inputs === null) return;
    if (this.target.setExamples) {
      this.target.setExamples(inputs);
      this.notice.value = T("These values are now the examples of the inputs.");
      return;
    }
    await this.#guarded(async () => {
      const { changed } = await send<{ changed: string[] }>("POST", this.url("examples/"), { inputs });
      this.notice.value = changed.length
        ? T("Now examples in the draft: {names}", { names: changed.join(", ") })
        : T("The examples are these values already.");
    });
  }

  /** Show one round of a loop, or all of it again (0). */
  async chooseRound(key: string, path: number[]): Promise<void> {
    const result = this.result.value;
    const round = path.at(-1) ?? 0;
    if (!result) return;
    if (round < 1) {
      const { [key]: _, ...rest } = this.rounds.value;
      this.rounds.value = rest;
      return;
    }
    await this.#guarded(async () => {
      const url = this.url(`runs/${result.id}/rounds/?rounds=${path.join(",")}`);
      const found = await get<{ lines: Record<string, RoundEntry[]> }>(url);
      this.rounds.value = { ...this.rounds.value, [key]: { round, lines: found.lines } };
    });
  }

  /** All of a value or of the body, part by part. */
  async whole(rest: string): Promise<string | null> {
    const result = this.result.value;
    if (!result) return null;
    let text = "", from: number | null = 0;
    return await this.#guarded(async () => {
      while (from !== null) {
        const url: string = this.url(
          `runs/${result.id}/${rest}${rest.includes("?") ? "&" : "?"}from=${from}`,
        );
        const part: Part = await get<Part>(url);
        text += part.text;
        from = part.next;
      }
      return text;
    });
  }

  async #guarded<Value>(deed: () => Promise<Value>): Promise<Value | null> {
    try {
      return await deed();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.failure.value = error;
      return null;
    }
  }
}
