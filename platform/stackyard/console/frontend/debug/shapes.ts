/** What the server says of a run (console/trial_request.py), and of what there is to run with (console/debugging.py). */

export type InputForm = {
  name: string;
  type?: string;
  place: string;
  required?: boolean;
  list?: boolean;
  nullable?: boolean;
  description?: string;
  values?: string[];
  sensitive?: boolean;
  table?: string;
  [option: string]: unknown;
};

export type Inputs = Record<string, unknown>;
export type Sample = { name: string; inputs: Inputs; caller: string };
export type Choice = { value: string; label: string };
export type PastRequest = {
  id: number;
  method: string;
  path: string;
  query: string;
  status: number;
  created_at: number;
};

export type Overview = {
  inputs: InputForm[];
  values: Inputs;
  caller: string;
  callers: Choice[];
  samples: Sample[];
  requests: PastRequest[];
  tables: string[];
};

export type Query = { sql: string; milliseconds: number; rows: number };

export type TracedLine = {
  line: string;
  key: string;
  within: string;
  number: string;
  step: string;
  label: string;
  function: string;
  goes_out: boolean;
  repeats: boolean;
  entered: number;
  kept: number;
  began: number;
  milliseconds: number;
  failed: boolean;
  way: string;
  turns: number;
  value?: string;
  bytes?: number | null;
  cut?: boolean;
  queries?: Query[];
  debug?: string[];
};

/** One time that a line ran, in a round of a loop. */
export type RoundEntry = {
  number: number;
  rounds: number[];
  began: number;
  milliseconds: number;
  way: string;
  turns: number;
  failed: boolean;
  value: string;
  cut: boolean;
};

export type ProblemSaid = {
  code: string;
  message: string;
  suggestion?: string;
  details?: { field?: string; message?: string }[];
  place?: { line: string; path: string; column: number | null };
};

export type Difference = { what: string; path: (string | number)[]; old: unknown; new: unknown };

export type Comparison = {
  status: number;
  milliseconds: number;
  bytes: number;
  body: string;
  is_same: boolean;
  is_cut: boolean;
  differences: Difference[] | null;
};

export type Result = {
  id: string;
  state: "done";
  status: number;
  began_at: string;
  milliseconds: number;
  bytes: number;
  is_json: boolean;
  body: string;
  body_cut: boolean;
  headers: { name: string; value: string }[];
  stopped: boolean;
  stopped_at: string | null;
  kept: boolean;
  problem: ProblemSaid | null;
  queries: number;
  steps: number;
  lines: TracedLine[];
  curl: string;
  comparison: Comparison | null;
};

/** The document has faults, or the caller is not let in: nothing ran. */
export type NotRun = { id: string; state: "refused"; status: number; error: ProblemSaid };
export type Running = { id: string; state: "running" };
export type Answered = Result | NotRun | Running;
export type Part = { text: string; from: number; total: number; next: number | null };
