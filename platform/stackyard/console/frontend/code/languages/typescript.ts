/** TypeScript for the code editor: the grammar alone, since what completes comes from the workspace's declarations. */
import { typescriptLanguage } from "@codemirror/lang-javascript";
import { LanguageSupport } from "@codemirror/language";

export const typescript = new LanguageSupport(typescriptLanguage);
