/** A record's data: a value for each field of the table that is given one. */
import { Icon } from "../../../icons/icon.tsx";
import { T } from "../../../words.ts";
import type { Field as TableField } from "../../answers.ts";
import { expressionOf, isObject, type Json } from "../../model/document.ts";
import { typeWords } from "../../model/scope.ts";
import { about } from "../../problems.ts";
import { IconButton } from "../icons.tsx";
import { ValueBox, type ValueProps } from "../value_box.tsx";
import { focusSoon } from "./collections.tsx";
import { Field } from "./field.tsx";

export function DataField({ fields, ...props }: ValueProps & { fields: readonly TableField[] }) {
  const { value, id } = props;
  if (value !== undefined && !isObject(value) || expressionOf(value) !== null) return <ValueBox {...props} />;
  const map = isObject(value) ? value : {};
  const own = fields.filter((field) => !field.system);
  const needed = own.filter((field) => field.required && field.default === undefined && !(field.name in map));
  const shown = [...Object.keys(map), ...needed.map((field) => field.name)];
  const rest = own.filter((field) => !shown.includes(field.name));
  const set = (name: string, next: Json | undefined) => {
    const { [name]: _, ...others } = map;
    if (next !== undefined) return props.onChange({ ...map, [name]: next });
    props.onChange(others);
  };
  return (
    <div class="data-fields">
      {shown.map((name, at) => {
        const field = own.find((one) => one.name === name);
        return (
          <Field
            key={name}
            editor={props.editor}
            id={at === 0 ? id : `${id}-${name}`}
            label={name}
            required={field?.required && field.default === undefined}
            problems={about(props.problems ?? [], [name])}
            aside={
              <span class="aside">
                <span class="type">{field && typeWords({ ...field.value, nullable: false })}</span>
                {name in map && (
                  <IconButton
                    icon="minus"
                    size={14}
                    label={T("Take {name} away", { name })}
                    onClick={() => set(name, undefined)}
                  />
                )}
              </span>
            }
          >
            <ValueBox
              {...props}
              id={at === 0 ? id : `${id}-${name}`}
              label={name}
              value={map[name]}
              type={field?.value}
              problems={about(props.problems ?? [], [name])}
              onChange={(next) => set(name, next === undefined ? (name in map ? "" : undefined) : next)}
            />
          </Field>
        );
      })}
      <span class="adds">
        {rest.length > 0 && (
          <select
            class="add-field"
            id={shown.length === 0 ? id : undefined}
            aria-label={T("Add a field")}
            value=""
            onChange={(event) => {
              const name = event.currentTarget.value;
              set(name, "");
              focusSoon(shown.length === 0 ? id : `${id}-${name}`);
            }}
          >
            <option value="">{T("Add a field…")}</option>
            {rest.map((field) => <option key={field.name} value={field.name}>{field.name}</option>)}
          </select>
        )}
        <button type="button" class="add-button" onClick={() => props.onChange({ $expr: "" })}>
          <Icon name="variable" size={14} /> {T("Take all from a variable")}
        </button>
      </span>
    </div>
  );
}
