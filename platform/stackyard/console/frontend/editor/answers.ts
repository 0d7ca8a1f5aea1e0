/** What the server sends the editor (`console/stack_editor.py`, `stack_facts.py`, `stacks/palette.py`). */
import type { Doc, Json, Kinds, ValueType } from "./model/document.ts";
import type { ScopeAnswer } from "./model/scope.ts";
import type { Expression } from "./model/sentences.ts";

export type Fix =
  | { do: "set"; path: (string | number)[]; value: Json; name: string }
  | { do: "rename"; path: (string | number)[]; to: string; name: string }
  | { do: "remove"; path: (string | number)[]; name: string };

export type Fault = {
  path: (string | number)[];
  code: string;
  message: string;
  suggestion: string | null;
  line_id: string | null;
  column: number | null;
  level: "error" | "warning";
  fixes: Fix[];
};

export type State = {
  version: string;
  saved_at: string;
  saved_by: string;
  has_changes: boolean;
  live: number | null;
};

export type Saved = State & ScopeAnswer & { problems: Fault[] };

export type Field = {
  name: string;
  type: string;
  value: ValueType;
  operators: string[];
  required?: boolean;
  unique?: boolean;
  system?: boolean;
  private?: boolean;
  /** The table of a reference. */
  refers_to?: string;
  default?: Json;
};

export type InputType = {
  name: string;
  label: string;
  help: string;
  options: { [name: string]: { kind: string; help: string; choices: string[] } };
};

export type Catalogue = {
  tables: { [name: string]: { description: string; fields: Field[] } };
  functions: { [name: string]: { inputs: { [name: string]: Json } } };
  lambdas: string[];
  variables: { [name: string]: boolean };
  input_types: InputType[];
  methods?: string[];
  auth?: [name: string, label: string, help: string][];
  limits?: { [name: string]: { default: number; maximum: number; unit: string; label: string } };
};

export type Opened = Saved & {
  document: Doc;
  expressions: { [source: string]: Expression };
  catalogue: Catalogue;
  address: string;
  workspace: { id: number; name: string };
  csrf?: string;
};

export type Palette = { groups: [name: string, title: string][]; kinds: Kinds };

export type FilterKind = {
  name: string;
  family: string;
  help: string;
  takes: ValueType;
  gives: ValueType;
  parameters: {
    name: string;
    type: ValueType;
    required?: boolean;
    is_lambda?: boolean;
    repeats?: boolean;
    default?: Json;
  }[];
  example: [source: string, result: string] | null;
};
export type Filters = { families: [name: string, title: string][]; filters: { [name: string]: FilterKind } };

export type Change = {
  what: "added" | "removed" | "changed" | "moved";
  text: string;
  line_id: string | null;
};
export type Version = {
  number: number;
  message: string;
  author: string;
  created_at: string;
  is_live: boolean;
};
