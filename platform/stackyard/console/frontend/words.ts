/**
 * The console's words in the person's language, from Django's JavaScript catalogue (`console/words.py` serves it).
 *
 * The first argument is always a plain string in double quotes: `manage.py words` finds it there. Never build a sentence
 * from translated pieces: use placeholders.
 */
type Catalogue = {
  gettext(text: string): string;
  ngettext(one: string, many: string, count: number): string;
};

const untranslated: Catalogue = {
  gettext: (text) => text,
  ngettext: (one, many, count) => (count === 1 ? one : many),
};

function catalogue(): Catalogue {
  return (globalThis as { django?: Catalogue }).django?.gettext
    ? (globalThis as unknown as { django: Catalogue }).django
    : untranslated;
}

type Values = Record<string, string | number>;

/** A text with its `{placeholders}` filled; an unknown placeholder stays as it is, so that it is seen. */
export function fill(text: string, values: Values = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** `T("Saved at {time}", { time })` */
export function T(text: string, values?: Values): string {
  return fill(catalogue().gettext(text), values);
}

/** `TN("{count} step", "{count} steps", n)`: `count` is filled in by itself, as a number of the language. */
export function TN(one: string, many: string, count: number, values?: Values): string {
  return fill(catalogue().ngettext(one, many, count), { count: count.toLocaleString(language()), ...values });
}

/** The language of the page, such as `en` or `de`. */
export function language(): string {
  return globalThis.document?.documentElement.lang || "en";
}
