/** Problems of the check, each at its line and the part of it that is wrong, whatever moved since. */
import type { Fault, Fix } from "./answers.ts";
import {
  type Doc,
  isObject,
  type Json,
  type Kinds,
  type Line,
  withKeyRenamed,
  withPart,
} from "./model/document.ts";
import { remove, withLine } from "./model/tree.ts";

type Path = (string | number)[];

export type Problem = Fault & {
  /** Where in the line (`params.value`), or in the document when it is about no line. */
  part: Path;
};

export function located(faults: readonly Fault[], document: Doc): Problem[] {
  return faults.map((fault) => ({ ...fault, part: fault.path.slice(lineDepth(document, fault)) }));
}

/** How much of a fault's path leads to its line. */
function lineDepth(document: Doc, fault: Fault): number {
  if (fault.line_id === null) return 0;
  let at: unknown = document;
  let depth = 0;
  fault.path.forEach((key, index) => {
    at = Array.isArray(at) ? at[Number(key)] : isObject(at) ? at[key] : undefined;
    if (isObject(at) && at.id === fault.line_id && typeof at.step === "string") depth = index + 1;
  });
  return depth;
}

export function byLine(problems: readonly Problem[]): Map<string, Problem[]> {
  const found = new Map<string, Problem[]>();
  for (const problem of problems) {
    const key = problem.line_id ?? (problem.path[0] === "response" ? "response" : "");
    found.set(key, [...(found.get(key) ?? []), problem]);
  }
  return found;
}

/** Those about a part of a line, or about something inside that part. */
export function about(problems: readonly Problem[], part: Path): Problem[] {
  return problems.filter((problem) =>
    part.every((key, index) => String(problem.part[index]) === String(key))
  );
}

/** The document with a fix done, or the same one when what it is about is gone. */
export function fixed(document: Doc, problem: Problem, fix: Fix, kinds: Kinds): Doc {
  const path = fix.path.slice(problem.path.length - problem.part.length);
  if (problem.line_id === null) return changed(document as unknown as Json, fix, fix.path) as unknown as Doc;
  if (path.length === 0) return fix.do === "remove" ? remove(document, [problem.line_id], kinds) : document;
  return withLine(
    document,
    problem.line_id,
    kinds,
    (line) => changed(line as unknown as Json, fix, path) as unknown as Line,
  );
}

function changed(value: Json, fix: Fix, path: Path): Json {
  switch (fix.do) {
    case "set":
      return withPart(value, path, fix.value);
    case "rename":
      return withKeyRenamed(value, path, fix.to);
    case "remove":
      return withPart(value, path, undefined);
  }
}
