/** What the stack is tried with: fields by type or JSON, samples, past requests, records, who calls. */
import { useSignal } from "@preact/signals";
import { Icon } from "../icons/icon.tsx";
import { moment } from "../numbers.ts";
import { T } from "../words.ts";
import { inputsOfJson, type Widget, widgetOf } from "./fields.ts";
import type { Session } from "./session.ts";
import type { InputForm } from "./shapes.ts";

export function InputsForm({ session }: { session: Session }) {
  const inputs = session.inputs.value;
  const json = session.json.value;
  return (
    <section class="debug-inputs" aria-labelledby="debug-inputs-title">
      <header>
        <h3 id="debug-inputs-title">{T("Sample inputs")}</h3>
        <button
          type="button"
          class="quiet-button"
          aria-pressed={json !== null}
          onClick={() => session.toggleJson()}
        >
          {T("JSON")}
        </button>
      </header>
      <Sources session={session} />
      {json !== null
        ? <JsonInputs session={session} json={json} />
        : inputs.length === 0
        ? <p class="quiet">{T("This stack takes no inputs.")}</p>
        : inputs.map((input) => <Field key={input.name} session={session} input={input} />)}
      <SaveSample session={session} />
    </section>
  );
}

function JsonInputs({ session, json }: { session: Session; json: string }) {
  const wrong = inputsOfJson(json);
  const said = typeof wrong !== "string"
    ? ""
    : wrong === "object"
    ? T("The inputs are an object, such as {example}.", { example: '{"customer_id": 1}' })
    : wrong;
  return (
    <div class="debug-field wide">
      <label for="debug-json" class="visually-hidden">{T("Inputs as JSON")}</label>
      <textarea
        id="debug-json"
        class="code"
        rows={8}
        spellcheck={false}
        value={json}
        aria-invalid={said !== ""}
        aria-describedby="debug-json-fault"
        onInput={(event) => session.json.value = event.currentTarget.value}
      />
      <p class="fault" id="debug-json-fault" role={said ? "alert" : undefined}>{said}</p>
    </div>
  );
}

function Field({ session, input }: { session: Session; input: InputForm }) {
  const id = `debug-input-${input.name}`;
  const fault = session.faults.value[input.name] ?? "";
  const kind = `${input.list ? "[] " : ""}${input.type ?? ""}`;
  return (
    <div class={`debug-field ${widgetOf(input) === "json" ? "wide" : ""}`}>
      <label for={id} title={input.description || undefined}>
        <code>{input.name}</code>
        <span class="meta">{input.place} · {kind}{input.required || input.place === "path" ? " *" : ""}</span>
      </label>
      <Value
        id={id}
        input={input}
        widget={widgetOf(input)}
        text={session.texts.value[input.name] ?? ""}
        fault={fault}
        onText={(text) => session.set(input.name, text)}
      />
      {fault && <p class="fault" id={`${id}-fault`} role="alert">{fault}</p>}
    </div>
  );
}

type ValueProps = {
  id: string;
  input: InputForm;
  widget: Widget;
  text: string;
  fault: string;
  onText: (text: string) => void;
};

function Value({ id, input, widget, text, fault, onText }: ValueProps) {
  const common = {
    id,
    value: text,
    "aria-invalid": fault !== "",
    "aria-describedby": fault ? `${id}-fault` : undefined,
    autocomplete: "off",
    spellcheck: false,
  };
  const onInput = (event: { currentTarget: { value: string } }) => onText(event.currentTarget.value);
  if (widget === "json") return <textarea {...common} class="code" rows={4} onInput={onInput} />;
  if (widget === "choice" || widget === "yesno") {
    const values = widget === "yesno" ? ["true", "false"] : input.values ?? [];
    return (
      <select {...common} onInput={onInput}>
        <option value="">{T("(left out)")}</option>
        {values.map((value) => <option key={value} value={value}>{value}</option>)}
      </select>
    );
  }
  return (
    <input
      {...common}
      type={input.sensitive ? "password" : "text"}
      inputMode={widget === "number" ? "decimal" : undefined}
      placeholder={T("(left out)")}
      onInput={onInput}
    />
  );
}

/** Where the inputs can come from. A select that does something is a trap for keyboards: each has its button. */
function Sources({ session }: { session: Session }) {
  const overview = session.overview.value;
  const request = useSignal("");
  const table = useSignal("");
  const record = useSignal("1");
  if (!overview) return null;
  const { samples, requests, tables } = overview;
  return (
    <div class="debug-sources">
      {samples.length > 0 && (
        <p>
          <label for="debug-sample">{T("Saved")}</label>
          <select
            id="debug-sample"
            value={session.sample.value}
            onChange={(event) => session.takeSample(event.currentTarget.value)}
          >
            <option value="">{T("Choose a sample")}</option>
            {samples.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}
          </select>
          {session.sample.value && (
            <button
              type="button"
              class="icon-button"
              title={T("Delete this sample")}
              onClick={() => session.deleteSample(session.sample.value)}
            >
              <Icon name="trash" label={T("Delete this sample")} />
            </button>
          )}
        </p>
      )}
      <details>
        <summary>{T("Use a past request or a record")}</summary>
        {requests.length > 0
          ? (
            <p>
              <label for="debug-request">{T("Past request")}</label>
              <select
                id="debug-request"
                value={request.value}
                onChange={(e) => request.value = e.currentTarget.value}
              >
                <option value="">{T("Choose a request")}</option>
                {requests.map((one) => (
                  <option key={one.id} value={one.id}>
                    {`${one.status} ${one.method} ${one.path}${one.query ? `?${one.query}` : ""} · ${
                      moment(one.created_at)
                    }`}
                  </option>
                ))}
              </select>
              <button
                type="button"
                class="button"
                disabled={!request.value}
                onClick={() => session.takeRequest(Number(request.value))}
              >
                {T("Use")}
              </button>
            </p>
          )
          : session.target.kind === "endpoint" && (
            <p class="quiet">{T("Nobody has called this endpoint yet.")}</p>
          )}
        {tables.length > 0 && (
          <p>
            <label for="debug-table">{T("Record of")}</label>
            <select
              id="debug-table"
              value={table.value}
              onChange={(e) => table.value = e.currentTarget.value}
            >
              <option value="">{T("Choose a table")}</option>
              {tables.map((name) => <option key={name} value={name}>{name}</option>)}
            </select>
            <input
              aria-label={T("Id of the record")}
              class="short"
              inputMode="numeric"
              value={record.value}
              onInput={(e) => record.value = e.currentTarget.value}
            />
            <button
              type="button"
              class="button"
              disabled={!table.value || !record.value}
              onClick={() => session.takeRecord(table.value, record.value)}
            >
              {T("Use")}
            </button>
          </p>
        )}
      </details>
      {session.request.value !== null && (
        <p class="chip">
          <Icon name="compare" /> {T("Compared with request {id}", { id: session.request.value })}
          <button type="button" class="icon-button" onClick={() => session.request.value = null}>
            <Icon name="close" label={T("Do not compare")} />
          </button>
        </p>
      )}
      {session.notice.value && <p class="notice" role="status">{session.notice.value}</p>}
    </div>
  );
}

function SaveSample({ session }: { session: Session }) {
  const name = useSignal("");
  const isOpen = useSignal(false);
  const save = async () => {
    await session.saveSample(name.value);
    isOpen.value = false;
  };
  return (
    <div class="debug-keep">
      {isOpen.value
        ? (
          <>
            <input
              aria-label={T("Name of the sample")}
              value={name.value}
              maxLength={80}
              placeholder={T("Name")}
              ref={(input) => input?.focus()}
              onInput={(event) => name.value = event.currentTarget.value}
              onKeyDown={(event) => {
                if (event.key === "Enter") {
                  event.preventDefault();
                  void save();
                } else if (event.key === "Escape") isOpen.value = false;
              }}
            />
            <button type="button" class="button" disabled={!name.value.trim()} onClick={save}>
              {T("Save")}
            </button>
          </>
        )
        : (
          <button type="button" class="quiet-button" onClick={() => isOpen.value = true}>
            {T("Save these inputs")}
          </button>
        )}
      {session.inputs.value.length > 0 && (
        <button
          type="button"
          class="quiet-button"
          onClick={() => session.useAsExamples()}
        >
          {T("Use as examples")}
        </button>
      )}
    </div>
  );
}

export function Choices({ session }: { session: Session }) {
  const callers = session.overview.value?.callers ?? [];
  return (
    <div class="debug-choices">
      <p>
        <label for="debug-caller">{T("Who calls")}</label>
        <select
          id="debug-caller"
          value={session.caller.value}
          onChange={(event) => session.caller.value = event.currentTarget.value}
        >
          {callers.map((one) => <option key={one.value} value={one.value}>{one.label}</option>)}
        </select>
      </p>
      <p class="check">
        <input
          type="checkbox"
          id="debug-keep"
          checked={session.keepChanges.value}
          onChange={(event) => session.keepChanges.value = event.currentTarget.checked}
        />
        <label for="debug-keep">{T("Keep the changes to records")}</label>
      </p>
      {session.keepChanges.value && (
        <p class="warning">
          <Icon name="warning" /> {T("What this run changes stays changed.")}
        </p>
      )}
    </div>
  );
}
