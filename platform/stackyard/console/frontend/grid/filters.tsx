/** Conditions on the records: a field, a comparison, a text; all of them together. */
import { Icon } from "../icons/icon.tsx";
import { T } from "../words.ts";
import type { Filter } from "./model.ts";
import type { GridStore } from "./store.ts";

const BARE = new Set(["empty", "filled"]);

export function Filters({ store }: { store: GridStore }) {
  const columns = store.props.columns.filter((column) => column.operators.length);
  const put = (filters: Filter[], isReady = true) => {
    store.filters.value = filters;
    if (isReady) void store.load();
  };
  const add = () => {
    const at = store.props.columns[store.active.value.column];
    const column = at?.operators.length ? at : columns[0]!;
    put([...store.filters.value, [column.name, column.operators[0]!, ""]], false);
  };
  return (
    <div class="grid-filters" role="search" aria-label={T("Filter records")}>
      {store.filters.value.map((filter, place) => (
        <One
          key={place}
          store={store}
          filter={filter}
          put={(changed) => {
            const all = store.filters.value.map((one, other) => other === place ? changed : one);
            put(all, BARE.has(changed[1]) || changed[2] !== "");
          }}
          remove={() => put(store.filters.value.filter((_, other) => other !== place))}
        />
      ))}
      <button type="button" class="button" onClick={add}>
        <Icon name="filter" /> {T("Add filter")}
      </button>
    </div>
  );
}

type OneProps = { store: GridStore; filter: Filter; put: (changed: Filter) => void; remove: () => void };

function One({ store, filter: [field, word, text], put, remove }: OneProps) {
  const column = store.column(field)!;
  const change = (name: string) => {
    const operators = store.column(name)!.operators;
    put([name, operators.includes(word) ? word : operators[0]!, text]);
  };
  return (
    <span class="grid-filter">
      <select aria-label={T("Field")} value={field} onChange={(event) => change(event.currentTarget.value)}>
        {store.props.columns.filter((one) => one.operators.length).map((one) => (
          <option key={one.name}>{one.name}</option>
        ))}
      </select>
      <select
        aria-label={T("How")}
        value={word}
        onChange={(event) => put([field, event.currentTarget.value, text])}
      >
        {column.operators.map((one) => <option key={one} value={one}>{store.props.operators[one]}</option>)}
      </select>
      {!BARE.has(word) && (column.choices.length && word !== "contains"
        ? (
          <select
            aria-label={T("Value")}
            value={text}
            onChange={(event) => put([field, word, event.currentTarget.value])}
          >
            <option value="" />
            {column.choices.map((one) => <option key={one}>{one}</option>)}
          </select>
        )
        : (
          <input
            type="search"
            aria-label={T("Value")}
            placeholder={T("Value")}
            value={text}
            onChange={(event) => put([field, word, event.currentTarget.value])}
          />
        ))}
      <button
        type="button"
        class="plain"
        aria-label={T("Remove filter")}
        title={T("Remove filter")}
        onClick={remove}
      >
        <Icon name="close" />
      </button>
    </span>
  );
}
