/** What the panel and the rows of the stack say in the same words. */
import { T } from "../words.ts";
import { wayOf } from "./rows.ts";

/** The block that a line took, for people; empty where there is nothing to say. */
export function wayWords(way: string): string {
  const taken = wayOf(way);
  switch (taken.name) {
    case "then":
      return T("Then");
    case "else":
      return T("Otherwise");
    case "else_if":
      return T("Or else if {number}", { number: taken.number });
    case "case":
      return T("Case {number}", { number: taken.number });
    case "default":
      return T("Default");
    case "catch":
      return T("Caught");
    default:
      return "";
  }
}
