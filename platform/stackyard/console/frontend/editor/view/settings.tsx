/** What is the owner's own beside its stack: address, who may call, limits. */
import { T } from "../../words.ts";
import type { Json } from "../model/document.ts";
import { about } from "../problems.ts";
import type { Editor } from "../store.ts";
import { Field, ProblemList } from "./fields/field.tsx";
import { JsonField, TextField, Texts } from "./fields/plain.tsx";

const KNOWN = new Set([
  "format",
  "inputs",
  "lines",
  "response",
  "name",
  "method",
  "path",
  "description",
  "auth",
  "tags",
  "limit_per_second",
  "limit_per_caller",
  "request_bytes",
  "response_bytes",
  "timeout_seconds",
]);

export function SettingsTab({ editor }: { editor: Editor }) {
  const doc = editor.doc.value;
  const { methods, auth, limits } = editor.catalogue.value;
  const of = (name: string) => about(editor.problems.value.filter((one) => one.line_id === null), [name]);
  const set = (name: string, value: Json | undefined, label: string) =>
    editor.setSetting([name], value, label);
  const methodsOf = Array.isArray(doc.auth) ? doc.auth.map(String) : [];
  const others = Object.keys(doc).filter((key) => !KNOWN.has(key));
  const unplaced = editor.problems.value.filter((one) =>
    one.line_id === null && (one.path.length === 0 || one.path[0] === "format")
  );
  return (
    <section class="tab-page" aria-label={T("Settings")}>
      <ProblemList editor={editor} problems={unplaced} />
      <div class="form grid">
        <Field editor={editor} id="setting-name" label={T("Name")} required problems={of("name")}>
          <TextField
            id="setting-name"
            label={T("Name")}
            code
            value={doc.name as Json}
            onChange={(next) => set("name", next ?? "", T("Name"))}
          />
        </Field>
        {methods && (
          <>
            <Field editor={editor} id="setting-method" label={T("Method")} required problems={of("method")}>
              <select
                id="setting-method"
                class="wide"
                value={String(doc.method)}
                onChange={(event) => set("method", event.currentTarget.value, T("Method"))}
              >
                {!methods.includes(String(doc.method)) && (
                  <option value={String(doc.method)}>{String(doc.method ?? "")}</option>
                )}
                {methods.map((one) => <option key={one} value={one}>{one}</option>)}
              </select>
            </Field>
            <Field
              editor={editor}
              id="setting-path"
              label={T("Path")}
              required
              problems={of("path")}
              help={T("What stands in braces is an input: /customers/{customer_id}").replace(
                "{customer_id}",
                "{customer_id}",
              )}
            >
              <TextField
                id="setting-path"
                label={T("Path")}
                code
                value={doc.path as Json}
                onChange={(next) => set("path", next ?? "", T("Path"))}
              />
            </Field>
          </>
        )}
        <Field editor={editor} id="setting-description" label={T("Description")} problems={of("description")}>
          <textarea
            id="setting-description"
            class="wide"
            rows={3}
            value={String(doc.description ?? "")}
            onInput={(event) => set("description", event.currentTarget.value || undefined, T("Description"))}
          />
        </Field>
        {auth && (
          <Field
            editor={editor}
            id="setting-auth"
            label={T("Who may call")}
            required
            problems={of("auth")}
            group
          >
            <div class="several tall" id="setting-auth">
              {auth.map(([name, label, help]) => (
                <label key={name}>
                  <input
                    type="checkbox"
                    checked={methodsOf.includes(name)}
                    onChange={(event) =>
                      set(
                        "auth",
                        event.currentTarget.checked
                          ? [...methodsOf, name]
                          : methodsOf.filter((one) => one !== name),
                        T("Who may call"),
                      )}
                  />
                  <span>
                    {label}
                    <span class="help">{help}</span>
                  </span>
                </label>
              ))}
            </div>
          </Field>
        )}
        {limits && (
          <>
            {Object.entries(limits).map(([name, limit]) => (
              <Field
                key={name}
                editor={editor}
                id={`setting-${name}`}
                label={limit.label}
                problems={of(name)}
                help={limit.default < limit.maximum
                  ? T("{unit}; {default} unless set, at most {maximum}", {
                    unit: limit.unit,
                    default: limit.default.toLocaleString(),
                    maximum: limit.maximum.toLocaleString(),
                  })
                  : T("{unit}; no limit unless set", { unit: limit.unit })}
              >
                <TextField
                  id={`setting-${name}`}
                  label={limit.label}
                  number
                  placeholder={limit.default < limit.maximum ? String(limit.default) : ""}
                  value={doc[name] as Json | undefined}
                  onChange={(next) => set(name, next, limit.label)}
                />
              </Field>
            ))}
            <Field
              editor={editor}
              id="setting-tags"
              label={T("Tags")}
              problems={of("tags")}
              help={T("They group endpoints in the documentation.")}
            >
              <Texts
                id="setting-tags"
                label={T("Tags")}
                value={doc.tags as Json | undefined}
                onChange={(next) => set("tags", next, T("Tags"))}
              />
            </Field>
          </>
        )}
        {others.map((name) => (
          <Field
            key={name}
            editor={editor}
            id={`setting-${name}`}
            label={name.replaceAll("_", " ")}
            problems={of(name)}
          >
            <JsonField
              id={`setting-${name}`}
              label={name}
              value={doc[name] as Json}
              onChange={(next) => set(name, next, name)}
            />
          </Field>
        ))}
      </div>
      <p class="page-links">
        <a href="?plain=1">{T("Edit as a plain form")}</a>
        <a href={`${editor.address}revisions/`}>{T("All versions")}</a>
        <a href={`${editor.address}delete/`} class="danger-text">
          {T("Delete this {kind}", { kind: editor.kind })}
        </a>
      </p>
    </section>
  );
}
