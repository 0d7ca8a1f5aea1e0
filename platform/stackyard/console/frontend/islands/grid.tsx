/** A table's records as a sheet. Without this script the page has a plain table and forms. */
import { mount } from "../island.ts";
import { Grid } from "../grid/view.tsx";

mount("grid", Grid);
