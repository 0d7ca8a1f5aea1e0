/** YAML for the code editor. */
import { yaml as language } from "@codemirror/lang-yaml";

export const yaml = language();
