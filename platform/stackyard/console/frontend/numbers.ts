/** Numbers, sizes, durations and moments as the page's language writes them. */
import { language, T } from "./words.ts";

export function number(value: number, options?: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(language(), options).format(value);
}

/** Milliseconds for people: `<1 ms`, `34 ms`, `1.2 s`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1) return T("<1 ms");
  if (milliseconds < 1000) return unit(Math.round(milliseconds), "millisecond");
  return unit(milliseconds / 1000, "second", milliseconds < 10_000 ? 1 : 0);
}

/** Bytes for people: `512 B`, `1.4 kB`, `5 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return unit(bytes, "byte");
  if (bytes < 1_000_000) return unit(bytes / 1000, "kilobyte", 1);
  return unit(bytes / 1_000_000, "megabyte", 1);
}

export function percent(share: number): string {
  return number(share, { style: "percent", maximumFractionDigits: share < 0.1 ? 1 : 0 });
}

/** A moment in the reader's own zone, to the second. */
export function moment(at: Date | string | number): string {
  return new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "medium" }).format(
    new Date(at),
  );
}

/** Only the time of day: `10:42`. */
export function timeOfDay(at: Date | string | number): string {
  return new Intl.DateTimeFormat(language(), { timeStyle: "short" }).format(new Date(at));
}

function unit(value: number, name: string, digits = 0): string {
  return number(value, {
    style: "unit",
    unit: name,
    unitDisplay: name === "byte" ? "narrow" : "short",
    maximumFractionDigits: digits,
  });
}
