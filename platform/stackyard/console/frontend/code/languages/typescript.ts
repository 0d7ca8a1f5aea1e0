/** TypeScript for the code editor. */
import { javascript } from "@codemirror/lang-javascript";

export const typescript = javascript({ typescript: true });
