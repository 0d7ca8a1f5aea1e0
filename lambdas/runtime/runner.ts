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

const { stringify, parse } = JSON;
const { isArray } = Array;
const { keys, defineProperty, freeze, getOwnPropertyDescriptor } = Object;
const tagOf = Function.prototype.call.bind(Object.prototype.toString) as (value: unknown) => string;
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
  const refused = REFUSED.get(tagOf(object).slice(8, -1));
  if (refused !== undefined) throw cannot(refused, path);
  const copy: Record<string, Json> = { __proto__: null } as never;
  for (const key of keys(object)) {
    const item = plain(object[key], /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${stringify(key)}]`, seen);
    if (item !== undefined) copy[key.toWellFormed()] = item;
  }
  return copy;
}

/** By the object's tag: asking for the classes themselves would load them all at the start. */
const REFUSED = new Map([
  ["Map", "a Map (Object.fromEntries makes an object of it)"], ["Set", "a Set (spread it into a list)"],
  ["WeakMap", "a WeakMap"], ["WeakSet", "a WeakSet"], ["Promise", "a Promise (is an await missing?)"],
  ["RegExp", "a regular expression"], ["DataView", "a DataView"], ["ReadableStream", "a stream"],
  ["Response", "a Response (await its json() or text())"], ["Blob", "a Blob (await its bytes())"],
  ["Headers", "Headers (Object.fromEntries makes an object of them)"], ["FormData", "FormData"], ["Request", "a Request"],
]);

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
      if (place.line < 1 || compiled === null || place.line > compiled.lines) continue;
      first ??= place;
      const name = match[1].replace(/(eval|anonymous) $/, "").trimEnd();
      const where = `${file}:${place.line}:${place.column}`;
      text += /at( async)?$/.test(name) ? `\n${name} ${where}` : `\n${name} (${where})`;
    } else if (!line.includes(import.meta.url) && !line.includes("ext:")) {
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
interface Compiled { names: string[]; code: string; lines: number; body: Body }
let compiled: Compiled | null = null;
let packages: Record<string, unknown> | null = null;

/** The lambda as a function of these names; made once and kept, since a slot runs one lambda only. */
function bodyOf(order: Order, names: string[]): Body {
  if (compiled === null || order.code !== undefined || compiled.names.join() !== names.join()) {
    const code = order.code ?? compiled!.code;
    const source = `"use strict";return(async()=>{\n${code}\n})()\n//# sourceURL=${order.file}`;
    const body = new RealFunction(...names, source) as unknown as Body;
    compiled = { names, code, lines: code.split("\n").length, body };
  }
  return compiled.body;
}

/** TypeScript to JavaScript, lines and columns kept; nothing of it is run. */
async function compile(token: number, source: string): Promise<void> {
  try {
    const { stripTypeScriptTypes } = await import("node:module");
    const [code, imports, head] = withoutImports(strip(stripTypeScriptTypes, source));
    new AsyncFunction(`"use strict";\n${code}`);
    send(DONE, token, stringify({ value: { code, imports, head } }));
  } catch (error) {
    send(DONE, token, stringify({ error: syntaxFailure(error as Error) }));
  }
}

// deno-lint-ignore no-explicit-any
function strip(types: any, source: string): string {
  try {
    return types(source);
  } catch (error) {
    // Only the other mode says where a syntax error is.
    if ((error as Error).message.startsWith("[InvalidSyntax]")) types(source, { mode: "transform" });
    throw error;
  }
}

function syntaxFailure(error: Error): Failure {
  const said = toText(error.message).replace(/^SyntaxError: /, "").split("\n\nSyntaxError")[0];
  const place = /(?:\n +)?(?: at )?at file:\S*?:(\d+):(\d+)|at file:\S*?:(\d+):(\d+)/.exec(said);
  let message = said.split("\n")[0].replace(/ at file:\S+$/, "");
  if (message.startsWith("Cannot use import")) message += "; imports stand before everything else";
  const [line, column] = place ? [+(place[1] ?? place[3]), +(place[2] ?? place[4])] : [null, null];
  return { name: "SyntaxError", message, code: "SYNTAX", stack: "", line, column };
}

const BLANK = /(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*/y;
const NAME = "[\\p{ID_Start}$_][\\p{ID_Continue}$\\u200c\\u200d]*";
const TEXT = `"[^"\\\\\\n]*"|'[^'\\\\\\n]*'`;
const IMPORT = new RegExp(
  `import\\b\\s*(?:(?<all>\\*\\s*as\\s+${NAME})|(?<main>${NAME})?\\s*,?\\s*(?:\\*\\s*as\\s+(?<rest>${NAME})|(?<some>\\{[^{}]*\\}))?)` +
    `\\s*(?:(?<=[\\s}])from)?\\s*(?<from>${TEXT})[ \\t]*(?<more>with\\b)?;?`,
  "uy",
);

/**
 * Turns the import declarations at the top into what a function body can hold, line for line (ECMA-262 §16.2.2):
 * the code, what it imports, and where the declarations end.
 */
function withoutImports(code: string): [string, string[], number] {
  const imports: string[] = [];
  let made = "", at = 0, head = 0;
  while (true) {
    BLANK.lastIndex = at;
    BLANK.exec(code);
    made += code.slice(at, BLANK.lastIndex);
    IMPORT.lastIndex = at = BLANK.lastIndex;
    const found = IMPORT.exec(code);
    if (found === null) return [made + code.slice(at), imports, head];
    const { all, main, rest, some, from, more } = found.groups!;
    const specifier = from.slice(1, -1);
    if (more) throw importFault("An import takes no attributes here.", code, at);
    if (!/^(npm|node):/.test(specifier)) {
      throw importFault(`"${specifier}" can't be imported: only npm: and node: packages can.`, code, at);
    }
    imports.push(specifier);
    const whole = all?.replace(/^\*\s*as\s+/, "") ?? rest;
    const names = [main && `default:${main}`, some?.slice(1, -1).replace(/\bas\b/g, ":").trim()].filter(Boolean).join();
    const value = `await $import(${stringify(specifier)})`;
    made += whole
      ? `const ${whole}=${value}${names ? `,{${names}}=${whole}` : ""};`
      : names ? `const {${names.replace(/\s+/g, " ")}}=${value};` : `${value};`;
    made += "\n".repeat(found[0].split("\n").length - 1);
    at = head = at + found[0].length;
  }
}

/** A fault of an import, spelled as Deno spells those that it finds: with its place at the end. */
function importFault(message: string, code: string, at: number): Error {
  const before = code.slice(0, at).split("\n");
  return new SyntaxError(`${message} at file:///code:${before.length}:${before.at(-1)!.length + 1}`);
}

/** Runs a bundle, a script that sets `packages`; Node's own modules come from Deno. */
function load(bundle: string): Record<string, unknown> {
  const require = (name: string) => {
    const found = process.getBuiltinModule(name);
    if (found === undefined) throw new TypeError(`A package asks for "${name}", which is not there.`);
    return found;
  };
  return new RealFunction("require", `${bundle}\nreturn packages;\n//# sourceURL=packages.js`)(require);
}

/** What an import in the code has become: a package of the bundle, or one that Deno brings. */
function importOf(specifier: string): Promise<unknown> | unknown {
  if (specifier.startsWith("node:")) {
    void process;
    return import(specifier);
  }
  const found = packages?.[specifier];
  if (found === undefined) throw new TypeError(`The package "${specifier}" is not in this lambda's bundle: publish it again.`);
  return found;
}

// ---------------------------------------------------------------- a run

const OF_ITEM = ["item", "index", "items", "result", "$this", "$index", "$parent", "$result"];
let current: Run | null = null;
const ambient = new AsyncVariable();

class Run {
  token: number;
  order: Order;
  isOver = false;
  logged = 0;
  rpcs = new Map<number, (answer: [Json, Json]) => void>();
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
      if (this.order.bundle !== undefined) packages = load(this.order.bundle);
      const value = this.order.mode === "filter" ? await this.filter() : await this.body();
      if (this.rpcs.size + this.waiting.length) await this.settled();
      const said = toJson(value, "result");
      // A text has at most three bytes for each of its units: most need not be encoded to be measured.
      if (said.length * 3 > this.order.output_bytes && encode(said).length > this.order.output_bytes) {
        throw new RangeError(`The result is larger than ${this.order.output_bytes / 1e6} MB.`);
      }
      this.finish(`{"value":${said}}`);
    } catch (error) {
      this.fail(error);
    }
  }

  /** All calls that nobody waited for are answered; one turn more, so that a failed one is heard of. */
  async settled(): Promise<void> {
    await new NativePromise<void>((resolve) => this.idle = resolve);
    await new NativePromise((resolve) => setTimeout(resolve, 0));
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

  /** What the code sees by which name. */
  names(): Record<string, unknown> {
    const order = this.order;
    const [now, today, yesterday, tomorrow] = order.dates.map((milliseconds) => new NativeDate(milliseconds));
    return {
      input: order.input, env: order.env, auth: order.auth, run: order.run, now, today, yesterday, tomorrow,
      db: database(this), fn: functions(this), email: service(this, "email"), cache: service(this, "cache"),
      files: files(this),
      log, $import: importOf, $input: order.input, $env: order.env, $auth: order.auth, ...order.names,
    };
  }

  body(): Promise<unknown> {
    const names = this.names();
    const listed = keys(names);
    return bodyOf(this.order, listed)(...listed.map((name) => names[name]));
  }

  async filter(): Promise<unknown> {
    const { operation, items = [] } = this.order;
    const names = this.names();
    const listed = keys(names);
    const constants = listed.map((name) => names[name]);
    const body = bodyOf(this.order, [...OF_ITEM, ...listed]);
    const found: unknown[] = [];
    let result = this.order.initial;
    for (let index = 0; index < items.length; index++) {
      const item = items[index];
      const value = await body(item, index, items, result, item, index, items, result, ...constants);
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

  /** Ask the platform. A function of its own that throws, so that the stack leads to the line that awaits it. */
  async rpc(method: string, args: unknown[], signal?: AbortSignal): Promise<Json> {
    if (this.isOver) throw new NativeError(`${method} was called after the run had ended.`);
    const params = `[${args.map((value, index) => toJson(value, `${method} argument ${index + 1}`)).join()}]`;
    const [value, problem] = await new NativePromise<[Json, Json]>((resolve, reject) => {
      let id = 0;
      const go = () => {
        id = ++this.lastRpc;
        this.rpcs.set(id, resolve);
        send(RPC, this.token, `[${id},${stringify(method)},${params}]`);
      };
      signal?.addEventListener("abort", () => {
        reject(signal.reason);
        if (this.rpcs.has(id) && !this.isOver) {
          // The platform closes its connection. It must not hear of a call that was answered meanwhile, nor of a later run's.
          send(RPC, this.token, `[${id},"call_off",[]]`);
          this.settle([id, null, null]);
        } else this.waiting = this.waiting.filter((one) => one !== go);
      });
      if (this.rpcs.size < RPCS_AT_ONCE) go();
      else this.waiting.push(go);
    });
    if (problem) throw new Problem(problem);
    return value;
  }

  settle([id, value, problem]: [number, Json, Json]): void {
    const resolve = this.rpcs.get(id);
    if (resolve === undefined) return;
    this.rpcs.delete(id);
    resolve([value, problem]);
    const next = this.waiting.shift();
    if (next) next();
    else if (this.rpcs.size === 0 && this.idle) this.idle();
  }

  // ---- transactions: what does not belong to the innermost open one waits until it has ended

  gate(): Promise<void> {
    return new NativePromise<void>((resolve) => this.gates.push(resolve));
  }

  async ordered(method: string, args: unknown[], of: symbol | undefined): Promise<Json> {
    while (this.transactions.at(-1) !== of) await this.gate();
    return await this.rpc(method, args);
  }

  async transaction(work: (tx: unknown) => unknown, outer: symbol | undefined): Promise<unknown> {
    if (typeof work !== "function") throw new TypeError("db.transaction takes a function: async (tx) => { … }");
    const own = Symbol("transaction");
    while (this.transactions.at(-1) !== outer) await this.gate();
    this.transactions.push(own);
    try {
      await this.rpc("db.begin", []);
      return await this.inside(work, own);
    } finally {
      this.transactions.splice(this.transactions.indexOf(own), 1);
      for (const gate of this.gates.splice(0)) gate();
    }
  }

  async inside(work: (tx: unknown) => unknown, own: symbol): Promise<unknown> {
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

/** In order with `db`, since a file is a row, too; bytes come as bytes. */
const files = (run: Run) =>
  methods((name) => async (...args) => {
    // deno-lint-ignore no-explicit-any
    const said = await run.ordered(`files.${name}`, args, ambient.get()) as any;
    return name === "read" && typeof said === "object" ? Uint8Array.fromBase64(said.$bytes) : said;
  });

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
  const { method, url, redirect } = request;
  const sent = { method, url, headers: [...request.headers], body, redirect };
  // deno-lint-ignore no-explicit-any
  const said = await run.rpc("fetch", [sent], request.signal) as any;
  if (redirect === "error" && REDIRECTS.has(said.status)) throw new TypeError(`${url} redirects, and that is to be an error.`);
  return responseOf(said, url);
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const BODILESS = new Set([101, 103, 204, 205, 304]);

// deno-lint-ignore no-explicit-any
function responseOf(said: any, asked: string): Response {
  const bytes = said.body && !BODILESS.has(said.status) ? Uint8Array.fromBase64(said.body.$bytes) : null;
  const isKnown = said.status >= 200 && said.status <= 599;
  const response = new Response(bytes, {
    status: isKnown ? said.status : 500, statusText: said.statusText ?? "", headers: said.headers ?? [],
  });
  const is = (name: string, value: unknown) => defineProperty(response, name, { value });
  if (!isKnown) is("status", said.status);
  is("redirected", said.redirected === true);
  is("url", said.redirected ? said.url : asked.split("#")[0]);
  return response;
}

// deno-lint-ignore no-explicit-any
const consoleOf = new Console((text: string, level: number) => write(text, level)) as any;
const log = Object.assign((...args: unknown[]) => consoleOf.log(...args), {
  debug: consoleOf.debug, info: consoleOf.info, warn: consoleOf.warn, error: consoleOf.error,
});

const endTimers: VoidFunction[] = [];
function clearTimers(): void {
  for (const end of endTimers) end();
}

/** A timer function that forgets nothing it started, so that the next run finds none of them ticking. */
// deno-lint-ignore no-explicit-any
function tracked(start: any, clear: any): unknown {
  const running = new Set();
  endTimers.push(() => {
    for (const timer of running) clear(timer);
    running.clear();
  });
  return (...args: unknown[]) => {
    const timer = start(...args);
    running.add(timer);
    if (running.size > 10_000) running.delete(running.values().next().value);
    return timer;
  };
}

/** A global of another making, made when it is first asked for: what loads it costs milliseconds. */
function late(name: string, make: (native: unknown) => unknown): void {
  const native = getOwnPropertyDescriptor(globalThis, name)!;
  const put = (value: unknown) => defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true });
  defineProperty(globalThis, name, {
    get() {
      const value = make(native.get ? native.get.call(globalThis) : native.value);
      put(value);
      return value;
    },
    set: put, configurable: true, enumerable: true,
  });
}

// deno-lint-ignore no-explicit-any
function furnishProcess(process: any): unknown {
  for (const [name, level] of [["stdout", 1], ["stderr", 3]] as const) {
    const say = (text: string | Uint8Array, ...rest: unknown[]) => {
      write(typeof text === "string" ? text : decode(text), level);
      const done = rest.at(-1);
      if (typeof done === "function") queueMicrotask(done as VoidFunction);
      return true;
    };
    const value = { write: say, isTTY: false, fd: level, on() {}, once() {}, emit() {}, end() {} };
    defineProperty(process, name, { value, writable: true, configurable: true, enumerable: true });
  }
  return process;
}

/** The globals as a lambda finds them: its console and fetch go to the supervisor, and no stream is left open. */
function furnish(): void {
  const put = (where: object, name: string, value: unknown) =>
    defineProperty(where, name, { value, writable: true, configurable: true, enumerable: true });
  put(globalThis, "console", consoleOf);
  put(globalThis, "fetch", remoteFetch);
  for (const kind of ["Timeout", "Interval", "Immediate"]) {
    late(`set${kind}`, (native) => tracked(native, (globalThis as unknown as Record<string, unknown>)[`clear${kind}`]));
  }
  late("process", furnishProcess);
  // Each would map half a gigabyte more than a slot may have, and end it.
  put(globalThis, "Worker", class Worker {
    constructor() { throw new TypeError("Workers are not available in a lambda."); }
  });
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
