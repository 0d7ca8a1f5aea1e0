/** Putting texts into the clipboard. */

/** Whether a text is in the clipboard now; pages that did not come over https have none. */
export async function copied(text: string): Promise<boolean> {
  try {
    if (text) await navigator.clipboard.writeText(text);
    return text !== "";
  } catch {
    return false;
  }
}
