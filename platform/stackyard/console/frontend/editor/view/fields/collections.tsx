/** Lists and objects, entry by entry; each entry is a value box again. */
import { useState } from "preact/hooks";
import { Icon } from "../../../icons/icon.tsx";
import { T } from "../../../words.ts";
import { isObject, type Json, withKeyRenamed } from "../../model/document.ts";
import { about } from "../../problems.ts";
import { IconButton } from "../icons.tsx";
import { ValueBox, type ValueProps } from "../value_box.tsx";

export function ListEditor(props: ValueProps) {
  const items = Array.isArray(props.value) ? props.value : [];
  const set = (next: Json[]) => props.onChange(next);
  return (
    <div class="entries">
      {items.map((item, at) => (
        <div class="entry" key={at}>
          <ValueBox
            {...props}
            id={`${props.id}-${at}`}
            label={T("Entry {number} of {field}", { number: at + 1, field: props.label })}
            value={item}
            type={props.type?.of}
            long={false}
            problems={[]}
            onChange={(value) => set(items.map((one, index) => (index === at ? value ?? null : one)))}
          />
          <IconButton
            icon="minus"
            size={14}
            label={T("Take entry {number} away", { number: at + 1 })}
            onClick={() => set(items.filter((_, index) => index !== at))}
          />
        </div>
      ))}
      <button
        type="button"
        class="add-button"
        id={items.length === 0 ? props.id : undefined}
        onClick={() => {
          set([...items, ""]);
          focusSoon(`${props.id}-${items.length}`);
        }}
      >
        <Icon name="plus" size={14} /> {T("Add an entry")}
      </button>
    </div>
  );
}

type MapProps = ValueProps & {
  /** Names that are known, such as the inputs of a function. */
  known?: readonly string[];
};

export function MapEditor(props: MapProps) {
  const map = isObject(props.value) ? props.value : {};
  const missing = (props.known ?? []).filter((name) => !(name in map));
  const [added, setAdded] = useState(0);
  const add = (name: string) => {
    props.onChange({ ...map, [name]: "" });
    setAdded(added + 1);
    focusSoon(name.startsWith("name") ? `${props.id}-${name}-key` : `${props.id}-${name}`);
  };
  return (
    <div class="entries">
      {Object.entries(map).map(([name, value], at) => (
        <div class="entry named" key={at}>
          <input
            type="text"
            class="code key"
            id={`${props.id}-${name}-key`}
            aria-label={T("Name of entry {number} of {field}", { number: at + 1, field: props.label })}
            value={name}
            spellcheck={false}
            autocomplete="off"
            onChange={(event) => {
              const next = event.currentTarget.value.trim();
              if (next && next !== name && !(next in map)) props.onChange(withKeyRenamed(map, [name], next));
              else event.currentTarget.value = name;
            }}
          />
          <ValueBox
            {...props}
            id={`${props.id}-${name}`}
            label={name}
            value={value}
            type={props.type?.fields?.[name]}
            long={false}
            problems={about(props.problems ?? [], [name])}
            onChange={(next) => props.onChange({ ...map, [name]: next ?? null })}
          />
          <IconButton
            icon="minus"
            size={14}
            label={T("Take {name} away", { name })}
            onClick={() => {
              const { [name]: _, ...rest } = map;
              props.onChange(Object.keys(rest).length ? rest : {});
            }}
          />
        </div>
      ))}
      <span class="adds">
        {missing.map((name) => (
          <button type="button" class="add-button" key={name} onClick={() => add(name)}>
            <Icon name="plus" size={14} /> {name}
          </button>
        ))}
        <button
          type="button"
          class="add-button"
          id={Object.keys(map).length === 0 ? props.id : undefined}
          onClick={() => add(freeKey(map))}
        >
          <Icon name="plus" size={14} /> {T("Add an entry")}
        </button>
      </span>
    </div>
  );
}

function freeKey(map: { [key: string]: Json }): string {
  if (!("name" in map)) return "name";
  for (let number = 2;; number++) if (!(`name${number}` in map)) return `name${number}`;
}

export function focusSoon(id: string): void {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const field = document.getElementById(id);
      field?.focus();
      if (field instanceof HTMLInputElement) field.select();
    })
  );
}
