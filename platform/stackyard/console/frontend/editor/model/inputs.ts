/** Inputs as a document has them. */
import { isObject, type Json } from "./document.ts";

export type Spec = { [option: string]: Json };

export function specOf(given: Json | undefined): Spec {
  return typeof given === "string" ? { type: given } : isObject(given) ? given : { type: "text" };
}

/** Where an input comes from: the path names it, or the method says so. */
export function placeOf(name: string, spec: Spec, doc: { [key: string]: unknown }): string {
  if (String(doc.path ?? "").includes(`{${name}}`)) return "path";
  if (typeof spec.in === "string") return spec.in;
  if (doc.method === undefined) return "";
  return doc.method === "GET" ? "query" : doc.method === "DELETE" ? "query or body" : "body";
}
