/** Versions: what was published when, what the draft changes in it, and going back. */
import { useEffect, useState } from "preact/hooks";
import { moment } from "../../numbers.ts";
import { get, send } from "../../requests.ts";
import { T } from "../../words.ts";
import type { Change, Opened, Version } from "../answers.ts";
import type { Editor } from "../store.ts";
import { ChangeList } from "./dialogs.tsx";

type Shown = { number: number; changes: Change[]; text: string };

export function VersionsTab({ editor }: { editor: Editor }) {
  const [versions, setVersions] = useState<Version[] | null>(null);
  const [shown, setShown] = useState<Shown | null>(null);
  const [fault, setFault] = useState("");
  const live = editor.state.value.live;
  const saved = editor.state.value.version;
  useEffect(() => {
    get<{ versions: Version[] }>(`${editor.base}versions/`)
      .then((answer) => setVersions(answer.versions), (error) => setFault((error as Error).message));
  }, [live]);
  useEffect(() => setShown(null), [saved]);
  const compare = async (number: number) => {
    setFault("");
    try {
      await editor.save();
      setShown(await get<Shown>(`${editor.base}versions/${number}/`));
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  const restore = async (where: string, label: string) => {
    setFault("");
    try {
      await editor.save();
      const opened = await send<Opened>("POST", editor.base + where, {});
      editor.expressions.add(opened.expressions);
      editor.take(opened.document, opened.version, label);
      editor.learn(opened, opened.document);
      editor.tab.value = "stack";
      editor.announce(label);
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  return (
    <section class="tab-page" aria-label={T("Versions")}>
      {fault && <p class="problem error" role="alert">{fault}</p>}
      {live !== null && editor.state.value.has_changes && !editor.isReadOnly && (
        <p class="lead-text">
          {T("The draft differs from what is live.")}{" "}
          <button type="button" class="button" onClick={() => void restore("discard/", T("Draft discarded"))}>
            {T("Discard the draft")}
          </button>
        </p>
      )}
      {versions?.length === 0 && (
        <p class="empty-note">
          {T(
            "Nothing is published yet. Publishing keeps a version for good; older ones can be compared and restored.",
          )}
        </p>
      )}
      <ol class="versions">
        {versions?.map((version) => (
          <li key={version.number} class={version.is_live ? "live" : ""}>
            <div class="version-head">
              <strong>{T("Version {number}", { number: version.number })}</strong>
              {version.is_live && <span class="state live">{T("Live")}</span>}
              <span class="quiet">
                {[moment(version.created_at), version.author].filter(Boolean).join(" · ")}
              </span>
              <span class="version-tools">
                <button
                  type="button"
                  class="button"
                  aria-expanded={shown?.number === version.number}
                  onClick={() =>
                    shown?.number === version.number ? setShown(null) : void compare(version.number)}
                >
                  {T("Compare")}
                </button>
                {!editor.isReadOnly && (
                  <button
                    type="button"
                    class="button"
                    onClick={() =>
                      void restore(
                        `versions/${version.number}/restore/`,
                        T("Version {number} is the draft now", { number: version.number }),
                      )}
                  >
                    {T("Restore")}
                  </button>
                )}
              </span>
            </div>
            {version.message && <p>{version.message}</p>}
            {shown?.number === version.number && (
              <div class="version-compare">
                {shown.changes.length === 0 ? <p>{T("The draft is the same.")}</p> : (
                  <>
                    <p>{T("What the draft changes in it:")}</p>
                    <ChangeList editor={editor} changes={shown.changes} />
                  </>
                )}
                <details>
                  <summary>{T("This version as YAML")}</summary>
                  <pre tabIndex={0}>{shown.text}</pre>
                </details>
              </div>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
