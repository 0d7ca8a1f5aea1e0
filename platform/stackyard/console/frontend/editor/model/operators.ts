/** Operators of expressions and of conditions on records, in words. */
import { T } from "../../words.ts";

export function operatorWords(operator: string): string {
  switch (operator) {
    case "==":
    case "$eq":
      return "=";
    case "!=":
    case "$ne":
      return "≠";
    case "<=":
    case "$lte":
      return "≤";
    case ">=":
    case "$gte":
      return "≥";
    case "$gt":
      return ">";
    case "$lt":
      return "<";
    case "and":
      return T("and");
    case "or":
      return T("or");
    case "not":
      return T("not");
    case "in":
      return T("is in");
    case "is_empty":
      return T("is empty");
    case "is_not_empty":
      return T("is not empty");
    case "is_null":
      return T("is null");
    case "is_not_null":
      return T("is not null");
    case "is_true":
      return T("is true");
    case "is_false":
      return T("is false");
    case "$in":
      return T("is one of");
    case "$nin":
      return T("is none of");
    case "$between":
      return T("is between");
    case "$like":
      return T("is like");
    case "$ilike":
      return T("is like (any case)");
    case "$contains":
      return T("contains");
    case "$starts_with":
      return T("starts with");
    case "$ends_with":
      return T("ends with");
    case "$regex":
      return T("matches");
    case "$exists":
      return T("is set");
    case "$has":
      return T("has");
    case "$has_any":
      return T("has any of");
    case "$has_all":
      return T("has all of");
    case "$search":
      return T("is found by");
    case "$near":
      return T("is near");
    case "$within":
      return T("is within");
    default:
      return operator;
  }
}

/** Operators of a comparison, in the order they are offered; those without a right side last. */
export const COMPARISONS = [
  "==",
  "!=",
  ">",
  ">=",
  "<",
  "<=",
  "in",
  "is_true",
  "is_false",
  "is_empty",
  "is_not_empty",
];
export const WITHOUT_RIGHT = new Set([
  "is_true",
  "is_false",
  "is_empty",
  "is_not_empty",
  "is_null",
  "is_not_null",
]);

/** A comparison as text of the language; the server parses it and gives its one spelling. */
export function comparisonText(left: string, op: string, right: string | null): string {
  switch (op) {
    case "is_true":
      return left;
    case "is_false":
      return `not ${grouped(left)}`;
    case "is_empty":
    case "is_not_empty":
    case "is_null":
    case "is_not_null":
      return `${grouped(left)} | ${op}`;
    default:
      return `${grouped(left)} ${op} ${grouped(right ?? "null")}`;
  }
}

/** In brackets unless it is one word or path, a number or a text: brackets too many are taken away by the server. */
export function grouped(text: string): string {
  return /^[\w$.]+$|^"(?:[^"\\]|\\.)*"$/.test(text) ? text : `(${text})`;
}

/** The operators that can be asked of a field, in the order they are offered. */
const WHERE_ORDER = [
  "$eq",
  "$ne",
  "$gt",
  "$gte",
  "$lt",
  "$lte",
  "$contains",
  "$starts_with",
  "$ends_with",
  "$in",
  "$nin",
  "$between",
  "$exists",
  "$like",
  "$ilike",
  "$regex",
  "$has",
  "$has_any",
  "$has_all",
  "$search",
  "$near",
  "$within",
];

export function whereOperators(known: readonly string[] | undefined): string[] {
  const allowed = new Set(known ?? ["$eq", "$ne"]);
  return WHERE_ORDER.filter((operator) => allowed.has(operator));
}
