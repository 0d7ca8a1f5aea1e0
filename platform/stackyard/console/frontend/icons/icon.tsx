/** An icon of the sprite `static/console/icons.svg`, which templates use too (`{% icon "table" %}`). */
const SPRITE = new URL("../icons.svg", import.meta.url).pathname;

/** Without a label it is decoration: the text beside it says the same. */
export function Icon({ name, label, size = 16 }: { name: string; label?: string; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : "true"}
      focusable="false"
    >
      <use href={`${SPRITE}#${name}`} />
    </svg>
  );
}
