// What a lambda's code sees. The workspace's own tables, functions and variables are generated beside this file
// as `Tables`, `NewRecords`, `Functions` and `Variables`.

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type TableName = keyof Tables;
type Field<T extends TableName> = keyof Tables[T] & string;
type Comparison<V> = V | Date | {
  $eq?: V | Date; $ne?: V | Date; $gt?: V | Date; $gte?: V | Date; $lt?: V | Date; $lte?: V | Date;
  $in?: readonly V[]; [operator: `$${string}`]: unknown;
};
type Where<T extends TableName> = { [F in Field<T>]?: Comparison<Tables[T][F]> } & {
  $and?: Where<T>[]; $or?: Where<T>[]; $not?: Where<T>; [path: `${string}.${string}`]: unknown;
};
interface Join { table: TableName; as?: string; match: { [theirs: string]: string }; type?: "left" | "inner" }
interface Beside { join?: readonly Join[]; computed?: { [name: string]: string } }
interface Options<T extends TableName> extends Beside {
  sort?: string | readonly string[]; fields?: readonly string[]; addons?: unknown;
  page?: number; perPage?: number; offset?: number; cursor?: string | null; totals?: boolean;
}
type Measure = "count" | { count: string } | { count_distinct: string } | { sum: string } | { avg: string } | { min: string } | { max: string };
type Part = "year" | "quarter" | "month" | "week" | "day" | "hour" | "month_of_year" | "day_of_month" | "day_of_week" | "hour_of_day" | "minute_of_hour";
type Grouping = string | { field: string; part?: Part; time_zone?: string; as?: string };
interface Aggregates<A> extends Beside {
  groupBy?: Grouping | readonly Grouping[]; aggregate?: A; sort?: string | readonly string[];
  page?: number; perPage?: number; offset?: number; totals?: boolean;
}
type Measured<A> = { [K in keyof A]: A[K] extends "count" | { count: string } | { count_distinct: string } | { sum: string } ? number : any };
interface Paged<R> {
  items: R[]; itemsReceived: number; curPage: number; nextPage: number | null; prevPage: number | null;
  offset: number; perPage: number; itemsTotal?: number; pageTotal?: number; nextCursor?: string | null;
}
type Given<R> = { [K in keyof R]: R[K] | Date | (R[K] extends string | null ? Uint8Array : never) };

interface Records {
  // What is joined and computed has no type of its own here.
  query<T extends TableName>(table: T, where: Where<T> | null | undefined, options: Options<T> & (Required<Pick<Beside, "join">> | Required<Pick<Beside, "computed">>)): Promise<any>;
  query<T extends TableName>(table: T, where: Where<T> | null | undefined, options: Options<T> & ({ page: number } | { perPage: number } | { cursor: string | null })): Promise<Paged<Tables[T]>>;
  query<T extends TableName>(table: T, where?: Where<T> | null, options?: Options<T>): Promise<Tables[T][]>;
  first<T extends TableName>(table: T, where?: Where<T> | null, options?: Options<T>): Promise<Tables[T] | null>;
  get<T extends TableName>(table: T, value: unknown, field?: Field<T>): Promise<Tables[T] | null>;
  count<T extends TableName>(table: T, where?: Where<T> | null): Promise<number>;
  exists<T extends TableName>(table: T, where?: Where<T> | null): Promise<boolean>;
  aggregate<T extends TableName, A extends { [name: string]: Measure }>(table: T, where: Where<T> | null | undefined, options: Aggregates<A> & { groupBy: Grouping | readonly Grouping[] } & ({ page: number } | { perPage: number })): Promise<Paged<Measured<A> & { [group: string]: any }>>;
  aggregate<T extends TableName, A extends { [name: string]: Measure }>(table: T, where: Where<T> | null | undefined, options: Aggregates<A> & { groupBy: Grouping | readonly Grouping[] }): Promise<(Measured<A> & { [group: string]: any })[]>;
  aggregate<T extends TableName, A extends { [name: string]: Measure }>(table: T, where: Where<T> | null | undefined, options: Aggregates<A>): Promise<Measured<A>>;
  add<T extends TableName>(table: T, data: Given<NewRecords[T]>): Promise<Tables[T]>;
  addMany<T extends TableName>(table: T, items: readonly Given<NewRecords[T]>[]): Promise<Tables[T][]>;
  editMany<T extends TableName>(table: T, items: readonly (Given<NewRecords[T]> & { id: number })[]): Promise<Tables[T][]>;
  patchMany<T extends TableName>(table: T, items: readonly (Partial<Given<NewRecords[T]>> & { id: number })[]): Promise<Tables[T][]>;
  increment<T extends TableName>(table: T, id: number, field: Field<T>, by?: number): Promise<Tables[T]>;
  clear<T extends TableName>(table: T): Promise<number>;
  edit<T extends TableName>(table: T, value: unknown, data: Given<NewRecords[T]>, field?: Field<T>): Promise<Tables[T]>;
  patch<T extends TableName>(table: T, value: unknown, data: Partial<Given<NewRecords[T]>>, field?: Field<T>): Promise<Tables[T]>;
  upsert<T extends TableName>(table: T, value: unknown, data: Given<NewRecords[T]>, field?: Field<T>): Promise<Tables[T]>;
  delete<T extends TableName>(table: T, value: unknown, field?: Field<T>): Promise<void>;
  deleteMany<T extends TableName>(table: T, where: Where<T>): Promise<number>;
  transaction<R>(work: (tx: Records) => Promise<R>): Promise<R>;
}

/** What the platform answers a call with when it refuses: `code` such as `NOT_FOUND`, `status` as in HTTP. */
interface Problem extends Error {
  code: string; status: number; suggestion?: string; details?: { field: string; code: string; message: string }[];
}
interface Attachment { name: string; content: Uint8Array | string; type?: string }
interface Log {
  (...values: unknown[]): void;
  debug(...values: unknown[]): void; info(...values: unknown[]): void;
  warn(...values: unknown[]): void; error(...values: unknown[]): void;
}

// deno-lint-ignore-file no-explicit-any
declare const input: any;
declare const env: Variables;
declare const auth: { id: number | string | null; kind: string; table: string | null; extras: any } | null;
declare const run: { id: string | null; attempt: number; trigger: string };
declare const now: Date;
declare const today: Date;
declare const yesterday: Date;
declare const tomorrow: Date;
declare const db: Records;
declare const fn: Functions & { call(name: string, input?: object): Promise<any> };
declare const email: {
  send(mail: {
    to: string | readonly string[]; subject: string; text?: string; html?: string; attachments?: readonly Attachment[];
  }): Promise<{ recipients: string[]; message_id: string }>;
};
declare const cache: {
  get(key: string): Promise<any>; has(key: string): Promise<boolean>; delete(key: string): Promise<boolean>;
  set(key: string, value: unknown, seconds?: number): Promise<void>;
  increment(key: string, by?: number, seconds?: number): Promise<number>;
};
interface StoredFile {
  access: "public" | "private"; path: string; name: string; type: "attachment" | "image" | "video" | "audio";
  size: number; mime: string; meta: { width?: number; height?: number }; url?: string | null;
}
declare const files: {
  write(name: string, content: string | Uint8Array, options?: { kind?: StoredFile["type"]; access?: StoredFile["access"] }): Promise<StoredFile>;
  read(file: string | StoredFile): Promise<string>; read(file: string | StoredFile, as: "bytes"): Promise<Uint8Array>;
  list(options?: { search?: string; page?: number; perPage?: number }): Promise<StoredFile[]>;
  delete(file: string | StoredFile): Promise<null>; sign(file: string | StoredFile, seconds?: number): Promise<string>;
};
declare const log: Log;
declare const $input: any;
declare const $env: Variables;
declare const $auth: typeof auth;
