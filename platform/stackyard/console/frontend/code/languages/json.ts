/** JSON for the code editor. */
import { json as language } from "@codemirror/lang-json";

export const json = language();
