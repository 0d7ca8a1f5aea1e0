// The inside of a slot: one Deno process that runs the code of one lambda, a run at a time.
//
// It talks to its supervisor in frames over stdin and stdout: four bytes length, one byte kind, four bytes the
// run's token (big endian), then the payload in UTF-8. What follows here keeps honest code comfortable;
// the supervisor trusts none of it. Built-ins are kept under names of our own before any lambda runs, so that
// code which changes a prototype breaks its own process and nothing else.

const READY = 1, RUN = 2, LOG = 3, RPC = 4, RES = 5, DONE = 6, COMPILE = 7;
const HEADER = 9;
const RPCS_AT_ONCE = 8;
const DEEPEST = 200;
const LONGEST_TEXT = 20_000;
// `new Function` puts two lines before its body, and the body has one line before the lambda's own.
const LINES_BEFORE = 3;

type Json = unknown;
interface Place { line: number; column: number }
interface Failure {
  name: string; message: string; code?: string; status?: number; suggestion?: string; details?: Json;
  stack: string; line: number | null; column: number | null;
}
interface Order {
  code?: string; bundle?: string; file: string; names: Record<string, Json>; input: Json;
  env: Record<string, string>; auth: Json; run: Json; dates: number[]; mode: string;
  operation?: string; items?: Json[]; initial?: Json; log_bytes: number; output_bytes: number;
}
interface Pending { resolve: (value: Json) => void; reject: (error: unknown) => void }

const { stringify, parse } = JSON;
const { isArray } = Array;
const { keys, defineProperty, freeze } = Object;
const { min } = Math;
const toText = String, NativeDate = Date, NativeError = Error, NativePromise = Promise;
const RealFunction = Function;
const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
const encoder = new TextEncoder(), decoder = new TextDecoder();
const encode = encoder.encode.bind(encoder), decode = decoder.decode.bind(decoder);
// deno-lint-ignore no-explicit-any
const internals = (Deno as any)[(Deno as any).internal];
const { AsyncVariable, setAsyncContext } = internals.core;
const { inspectArgs, Console } = internals;
const stdin = Deno.stdin, stdout = Deno.stdout;
const readChunk = stdin.read.bind(stdin), writeSync = stdout.writeSync.bind(stdout);
const exit = Deno.exit;
const nativeFetch = fetch;
const timers = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate };

// ---------------------------------------------------------------- frames

function send(kind: number, run: number, payload: string): void {
  const body = encode(payload);
  const frame = new Uint8Array(HEADER + body.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, body.length);
  view.setUint8(4, kind);
  view.setUint32(5, run);
  frame.set(body, HEADER);
  for (let sent = 0; sent < frame.length;) sent += writeSync(sent ? frame.subarray(sent) : frame);
}

async function listen(): Promise<never> {
  const chunk = new Uint8Array(65_536);
  let held = new Uint8Array(0), used = 0;
  while (true) {
    const count = await readChunk(chunk);
    if (count === null) exit(0);
    if (held.length < used + count!) {
      const larger = new Uint8Array((used + count!) * 2);
      larger.set(held.subarray(0, used));
      held = larger;
    }
    held.set(chunk.subarray(0, count!), used);
    used += count!;
    let at = 0;
    while (used - at >= HEADER) {
      const view = new DataView(held.buffer, at, HEADER);
      const end = at + HEADER + view.getUint32(0);
      if (end > used) break;
      receive(view.getUint8(4), view.getUint32(5), decode(held.subarray(at + HEADER, end)));
      at = end;
    }
    if (at === used) held = held.length > 1_048_576 ? new Uint8Array(0) : held;
    else held.copyWithin(0, at, used);
    used -= at;
  }
}

function receive(kind: number, token: number, payload: string): void {
  if (kind === RES) {
    if (current !== null && current.token === token) current.settle(parse(payload));
  } else if (kind === RUN) {
    current = new Run(token, parse(payload));
    current.start();
  } else if (kind === COMPILE) {
    compile(token, parse(payload));
  }
}

// ---------------------------------------------------------------- values out

/** A value as plain JSON data, or an error that names the path of what JSON can't say. */
function plain(value: unknown, path: string, seen: unknown[]): Json {
  switch (typeof value) {
    case "string": return value.isWellFormed() ? value : value.toWellFormed();
    case "number": return value - value === 0 ? value : null;
    case "boolean": case "undefined": return value;
    case "bigint": return toText(value);
    case "function": throw cannot("a function", path);
    case "symbol": throw cannot("a symbol", path);
  }
  if (value === null) return null;
  const object = value as Record<string, unknown>;
  if (seen.includes(object)) throw cannot("itself", path);
  if (seen.length > DEEPEST) throw cannot(`more than ${DEEPEST} levels`, path);
  seen.push(object);
  const found = plainObject(object, path, seen);
  seen.pop();
  return found;
}

// deno-lint-ignore no-explicit-any
function plainObject(object: any, path: string, seen: unknown[]): Json {
  if (isArray(object)) {
    const list = [];
    for (let i = 0; i < object.length; i++) list.push(plain(object[i], `${path}[${i}]`, seen) ?? null);
    return list;
  }
  if (object instanceof NativeDate) return object.getTime() === object.getTime() ? object.toISOString() : null;
  if (object instanceof Uint8Array) return { $bytes: object.toBase64() };
  if (object instanceof ArrayBuffer) return { $bytes: new Uint8Array(object).toBase64() };
  if (typeof object.toJSON === "function") return plain(object.toJSON(), path, seen);
  if (object instanceof NativeError) {
    return { name: toText(object.name), message: toText(object.message) };
  }
  if (ArrayBuffer.isView(object) && !(object instanceof DataView)) {
    return plain(Array.from(object as Float64Array), path, seen);
  }
  for (const [kind, hint] of REFUSED) if (object instanceof kind) throw cannot(hint, path);
  const copy: Record<string, Json> = { __proto__: null } as never;
  for (const key of keys(object)) {
    const item = plain(object[key], /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${stringify(key)}]`, seen);
    if (item !== undefined) copy[key.toWellFormed()] = item;
  }
  return copy;
}

// deno-lint-ignore no-explicit-any
const REFUSED: [any, string][] = [
  [Map, "a Map (Object.fromEntries makes an object of it)"], [Set, "a Set (spread it into a list)"],
  [WeakMap, "a WeakMap"], [WeakSet, "a WeakSet"], [NativePromise, "a Promise (is an await missing?)"],
  [RegExp, "a regular expression"], [DataView, "a DataView"], [ReadableStream, "a stream"],
  [Response, "a Response (await its json() or text())"], [Blob, "a Blob (await its bytes())"],
];

function cannot(what: string, path: string): Error {
  const error = new TypeError(`${path} holds ${what}, which JSON can't carry.`);
  (error as { code?: string }).code = "NOT_JSON";
  return error;
}

const toJson = (value: unknown, path: string): string => stringify(plain(value, path, [])) ?? "null";

// ---------------------------------------------------------------- errors

/** What a thrown value says, with the stack cut to the lambda's own lines and what it called. */
// deno-lint-ignore no-explicit-any
function failure(thrown: any, file: string): Failure {
  const isObject = thrown !== null && typeof thrown === "object";
  const text = (value: unknown) => toText(value).toWellFormed().slice(0, LONGEST_TEXT);
  const found: Failure = { name: "Error", message: "", stack: "", line: null, column: null };
  try {
    found.name = text(isObject ? thrown.name ?? "Error" : "Error");
    found.message = text(isObject ? thrown.message ?? inspectArgs([thrown]) : thrown);
    if (isObject && typeof thrown.code === "string") found.code = text(thrown.code);
    if (isObject && typeof thrown.status === "number") found.status = thrown.status;
    if (isObject && typeof thrown.suggestion === "string") found.suggestion = text(thrown.suggestion);
    if (isObject && isArray(thrown.details)) found.details = plain(thrown.details, "details", []);
    const [stack, place] = ownFrames(isObject && typeof thrown.stack === "string" ? thrown.stack : "", file);
    found.stack = `${found.name}: ${found.message}${stack}`.slice(0, LONGEST_TEXT);
    if (place) { found.line = place.line; found.column = place.column; }
  } catch { found.message ||= "The thrown value can't be read."; }
  return found;
}

function ownFrames(stack: string, file: string): [string, Place | null] {
  let first: Place | null = null, text = "";
  for (const line of stack.split("\n")) {
    if (!line.startsWith("    at ")) continue;
    const match = /^(.*?)\(?([^() ]+), <anonymous>:(\d+):(\d+)\)?$/.exec(line);
    if (match !== null && match[2] === file) {
      const place = { line: +match[3] - LINES_BEFORE, column: +match[4] };
      if (place.line < 1) continue;
      first ??= place;
      const name = match[1].replace(/(eval|anonymous) $/, "").trimEnd();
      const where = `${file}:${place.line}:${place.column}`;
      text += name.trim() === "at" ? `\n    at ${where}` : `\n${name} (${where})`;
    } else if (!line.includes(import.meta.url)) {
      text += `\n${line}`;
    }
  }
  return [text, first];
}

/** A Problem that the platform answered an rpc with: caught like any error, with code, message and status. */
class Problem extends NativeError {
  override name = "Problem";
  code: string;
  status: number;
  suggestion?: string;
  details?: Json;
  // deno-lint-ignore no-explicit-any
  constructor(said: any) {
    super(said.message);
    this.code = said.code;
    this.status = said.status;
    if (said.suggestion) this.suggestion = said.suggestion;
    if (said.details) this.details = said.details;
  }
}

// ---------------------------------------------------------------- compiling

type Body = (...values: unknown[]) => Promise<unknown>;
interface Compiled { names: string[]; body: Body }
let compiled: Compiled | null = null;
let packages: unknown = null;

function bodyOf(order: Order, names: string[]): Body {
  if (compiled === null || order.code !== undefined || compiled.names.join() !== names.join()) {
    const source = `"use strict";return(async()=>{\n${order.code ?? kept}\n})()\n//# sourceURL=${order.file}`;
    compiled = { names, body: new RealFunction(...names, source) as unknown as Body };
    kept = order.code ?? kept;
  }
  return compiled.body;
}
let kept = "";

/** TypeScript to JavaScript, lines and columns kept; nothing of it is run. */
// deno-lint-ignore no-explicit-any
async function compile(token: number, order: any): Promise<void> {
  try {
    const { stripTypeScriptTypes } = await import("node:module");
    const code = stripTypeScriptTypes(order.code);
    new AsyncFunction(`"use strict";\n${code}`);
    send(DONE, token, stringify({ value: code }));
  } catch (error) {
    send(DONE, token, stringify({ error: syntaxFailure(error as Error) }));
  }
}

function syntaxFailure(error: Error): Failure {
  const said = toText(error.message);
  const match = /^(.*?)(?: at \S*?:(\d+):(\d+))?$/s.exec(said)!;
  return {
    name: "SyntaxError", message: match[1], stack: "",
    line: match[2] ? +match[2] : null, column: match[3] ? +match[3] : null,
  };
}

// ---------------------------------------------------------------- a run

let current: Run | null = null;
const ambient = new AsyncVariable();

class Run {
  token: number;
  order: Order;
  isOver = false;
  logged = 0;
  rpcs = new Map<number, Pending>();
  waiting: (() => void)[] = [];
  lastRpc = 0;
  idle: (() => void) | null = null;
  transactions: symbol[] = [];
  gates: (() => void)[] = [];

  constructor(token: number, order: Order) {
    this.token = token;
    this.order = order;
  }

  async start(): Promise<void> {
    try {
      if (this.order.bundle !== undefined) packages = new RealFunction(`${this.order.bundle}\nreturn packages;`)();
      const value = this.order.mode === "filter" ? await this.filter() : await this.call({});
      if (this.rpcs.size + this.waiting.length) await new NativePromise<void>((resolve) => this.idle = resolve);
      const said = toJson(value, "result");
      if (encode(said).length > this.order.output_bytes) {
        throw new RangeError(`The result is larger than ${this.order.output_bytes / 1e6} MB.`);
      }
      this.finish(`{"value":${said}}`);
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.finish(stringify({ error: failure(error, this.order.file) }));
  }

  finish(payload: string): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimers();
    current = null;
    send(DONE, this.token, payload);
  }

  call(more: Record<string, unknown>): Promise<unknown> {
    const order = this.order;
    const [now, today, yesterday, tomorrow] = order.dates.map((milliseconds) => new NativeDate(milliseconds));
    const values: Record<string, unknown> = {
      input: order.input, env: order.env, auth: order.auth, run: order.run, now, today, yesterday, tomorrow,
      db: database(this), fn: functions(this), email: service(this, "email"), cache: service(this, "cache"),
      log, packages, $input: order.input, $env: order.env, $auth: order.auth, ...order.names, ...more,
    };
    const names = keys(values);
    return bodyOf(order, names).apply(undefined, names.map((name) => values[name]));
  }

  async filter(): Promise<unknown> {
    const { operation, items = [] } = this.order;
    const found: unknown[] = [];
    let result = this.order.initial;
    for (let index = 0; index < items.length; index++) {
      const item = items[index];
      const names = { item, index, items, result, $this: item, $index: index, $parent: items, $result: result };
      const value = await this.call(names);
      delete this.order.code;
      if (operation === "map") found.push(value);
      else if (operation === "reduce") result = value;
      else if (operation === "filter") { if (value) found.push(item); }
      else if (operation === "some" && value) return true;
      else if (operation === "every" && !value) return false;
      else if (operation === "find" && value) return item;
      else if (operation === "find_index" && value) return index;
    }
    const ends: Record<string, unknown> = { some: false, every: true, find: null, find_index: -1, reduce: result };
    return operation! in ends ? ends[operation!] : found;
  }

  // ---- rpc

  rpc(method: string, args: unknown[]): Promise<Json> {
    if (this.isOver) return NativePromise.reject(new NativeError(`${method} was called after the run had ended.`));
    let params: string;
    try {
      params = `[${args.map((value, index) => toJson(value, `${method} argument ${index + 1}`)).join()}]`;
    } catch (error) { return NativePromise.reject(error); }
    return new NativePromise((resolve, reject) => {
      const go = () => {
        const id = ++this.lastRpc;
        this.rpcs.set(id, { resolve, reject });
        send(RPC, this.token, `[${id},${stringify(method)},${params}]`);
      };
      if (this.rpcs.size < RPCS_AT_ONCE) go();
      else this.waiting.push(go);
    });
  }

  // deno-lint-ignore no-explicit-any
  settle([id, value, problem]: any): void {
    const pending = this.rpcs.get(id);
    if (pending === undefined) return;
    this.rpcs.delete(id);
    if (problem) pending.reject(new Problem(problem));
    else pending.resolve(value);
    const next = this.waiting.shift();
    if (next) next();
    else if (this.rpcs.size === 0 && this.idle) this.idle();
  }

  // ---- transactions: what does not belong to the innermost open one waits until it has ended

  async ordered(method: string, args: unknown[], of: symbol | undefined): Promise<Json> {
    while (this.transactions.at(-1) !== of) await new NativePromise<void>((resolve) => this.gates.push(resolve));
    return await this.rpc(method, args);
  }

  open(): void {
    const gates = this.gates;
    this.gates = [];
    for (const gate of gates) gate();
  }

  async transaction(work: (tx: unknown) => unknown, outer: symbol | undefined): Promise<unknown> {
    if (typeof work !== "function") throw new TypeError("db.transaction takes a function: async (tx) => { … }");
    await this.ordered("db.begin", [], outer);
    const own = Symbol("transaction");
    this.transactions.push(own);
    try {
      const before = ambient.enter(own);
      let promise;
      try { promise = work(database(this, own)); } finally { setAsyncContext(before); }
      const value = await promise;
      await this.ordered("db.commit", [], own);
      return value;
    } catch (error) {
      if (!this.isOver) await this.ordered("db.rollback", [], own);
      throw error;
    } finally {
      this.transactions.splice(this.transactions.indexOf(own), 1);
      this.open();
    }
  }
}

// ---------------------------------------------------------------- what the code sees

type Method = (...args: unknown[]) => Promise<unknown>;

/** An object whose every method is one the platform answers. */
function methods(make: (name: string) => Method): unknown {
  const known = new Map<string, Method>();
  return new Proxy(freeze({ __proto__: null }), {
    get(_target, name) {
      if (typeof name !== "string" || name === "then" || name === "toJSON") return undefined;
      let method = known.get(name);
      if (method === undefined) known.set(name, method = make(name));
      return method;
    },
  });
}

const service = (run: Run, kind: string) => methods((name) => (...args) => run.rpc(`${kind}.${name}`, args));

const functions = (run: Run) =>
  methods((name) =>
    name === "call"
      ? (...args) => run.ordered("fn.call", args, ambient.get())
      : (input) => run.ordered("fn.call", [name, input ?? {}], ambient.get())
  );

const database = (run: Run, own?: symbol) =>
  methods((name) => {
    const belongs = () => own ?? ambient.get();
    if (name === "transaction") return (work) => run.transaction(work as never, belongs());
    return (...args) => run.ordered(`db.${name}`, args, belongs());
  });

function write(text: string, level: number): void {
  const run = current;
  if (run === null || run.logged > run.order.log_bytes) return;
  const line = (level === 3 ? "[error] " : level === 2 ? "[warn] " : level === 0 ? "[debug] " : "") + text;
  run.logged += line.length;
  // A longer line would be cut by the supervisor anyway.
  send(LOG, run.token, line.toWellFormed().slice(0, min(line.length, run.order.log_bytes + 1)));
}

/** `fetch` by the platform: it alone has a way out, and it asks the lambda's list of hosts. */
async function remoteFetch(target: string | URL | Request, init?: RequestInit): Promise<Response> {
  const run = current;
  if (run === null) throw new TypeError("fetch was called after the run had ended.");
  const request = new Request(target, init);
  const { protocol } = new URL(request.url);
  if (protocol === "data:" || protocol === "blob:") return nativeFetch(request);
  request.signal.throwIfAborted();
  const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
  const aborted = new NativePromise<never>((_resolve, reject) =>
    request.signal.addEventListener("abort", () => reject(request.signal.reason))
  );
  aborted.catch(() => {});
  const { method, url, redirect } = request;
  const sent = { method, url, headers: [...request.headers], body, redirect };
  // deno-lint-ignore no-explicit-any
  const said = await NativePromise.race([run.rpc("fetch", [sent]), aborted]) as any;
  const bytes = said.body ? Uint8Array.fromBase64(said.body.$bytes) : null;
  const bodiless = [101, 103, 204, 205, 304].includes(said.status);
  const response = new Response(bodiless ? null : bytes, {
    status: said.status, statusText: said.statusText ?? "", headers: said.headers ?? [],
  });
  defineProperty(response, "url", { value: said.url ?? url });
  defineProperty(response, "redirected", { value: (said.url ?? url) !== url });
  return response;
}

// deno-lint-ignore no-explicit-any
const consoleOf = new Console((text: string, level: number) => write(text, level)) as any;
const log = Object.assign((...args: unknown[]) => consoleOf.log(...args), {
  debug: consoleOf.debug, info: consoleOf.info, warn: consoleOf.warn, error: consoleOf.error,
});

// deno-lint-ignore no-explicit-any
const running = new Set<any>();
function clearTimers(): void {
  for (const timer of running) {
    timers.clearTimeout(timer);
    if (typeof timer === "object") timers.clearImmediate(timer);
  }
  running.clear();
}

function tracked(start: (...args: never[]) => unknown): unknown {
  return (...args: never[]) => {
    const timer = start(...args);
    running.add(timer);
    if (running.size > 10_000) running.delete(running.values().next().value);
    return timer;
  };
}

/** The globals as a lambda finds them: its console and fetch go to the supervisor, and no stream is left open. */
function furnish(): void {
  const put = (where: object, name: string, value: unknown) =>
    defineProperty(where, name, { value, writable: true, configurable: true, enumerable: true });
  put(globalThis, "console", consoleOf);
  put(globalThis, "fetch", remoteFetch);
  for (const name of ["setTimeout", "setInterval", "setImmediate"] as const) {
    put(globalThis, name, tracked(timers[name] as never));
  }
  const print = (level: number) => ({
    writeSync: (bytes: Uint8Array) => (write(decode(bytes), level), bytes.length),
    write: (bytes: Uint8Array) => (write(decode(bytes), level), NativePromise.resolve(bytes.length)),
    isTerminal: () => false,
    close() {},
  });
  put(Deno, "stdout", print(1));
  put(Deno, "stderr", print(3));
  put(Deno, "stdin", { read: () => NativePromise.resolve(null), readSync: () => null, isTerminal: () => false, close() {} });
  // deno-lint-ignore no-explicit-any
  delete (Deno as any)[(Deno as any).internal];
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    current?.fail(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    current?.fail(event.error);
  });
}

furnish();
send(READY, 0, stringify({ deno: Deno.version.deno }));
listen();
