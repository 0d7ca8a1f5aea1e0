/** What can be done with the records: add, delete what is selected; and what is not saved. */
import { useState } from "preact/hooks";
import { Icon } from "../icons/icon.tsx";
import { T, TN } from "../words.ts";
import type { Place } from "./model.ts";
import { type GridStore, NEW } from "./store.ts";

type Props = { store: GridStore; focus: (at: Place) => void };

export function Toolbar({ store, focus }: Props) {
  const chosen = store.chosen.value.size;
  const start = () => {
    store.begin();
    focus(store.active.value);
  };
  return (
    <div class="grid-tools">
      {store.props.canWrite && (
        <button type="button" class="button default" onClick={start}>
          <Icon name="plus" /> {T("Add row")}
        </button>
      )}
      {chosen > 0 && store.props.canWrite && <Remove key={chosen} store={store} count={chosen} />}
      <State store={store} />
    </div>
  );
}

function Remove({ store, count }: { store: GridStore; count: number }) {
  const [isAsked, ask] = useState(false);
  if (!isAsked) {
    return (
      <button type="button" class="button danger" onClick={() => ask(true)}>
        <Icon name="trash" /> {TN("Delete {count} record", "Delete {count} records", count)}
      </button>
    );
  }
  return (
    <span class="ask" role="group" aria-label={T("Delete for good?")}>
      {T("Delete for good?")}
      <button
        type="button"
        class="button danger"
        ref={(place) => place?.focus()}
        onClick={() => void store.remove()}
      >
        {T("Yes, delete")}
      </button>
      <button type="button" class="button" onClick={() => ask(false)}>{T("No")}</button>
    </span>
  );
}

function State({ store }: { store: GridStore }) {
  const wrong = [...store.unsaved.value].filter(([, state]) => state.problem);
  const mine = wrong.filter(([key]) => !key.startsWith(`${NEW}/`)).length;
  return (
    <span class="grid-state">
      {mine > 0 && (
        <span class="bad">
          <Icon name="error" /> {TN("{count} cell is not saved", "{count} cells are not saved", mine)}
          <button type="button" class="button" onClick={() => store.tryAgain()}>{T("Try again")}</button>
        </span>
      )}
      <span role="status" class="quiet">{store.said.value}</span>
    </span>
  );
}
