/** What every field of a form has: a label, help, what is wrong with it and what mends it. */
import type { ComponentChildren } from "preact";
import { Icon } from "../../../icons/icon.tsx";
import { T } from "../../../words.ts";
import type { Problem } from "../../problems.ts";
import type { Editor } from "../../store.ts";

export type Path = (string | number)[];

let made = 0;
/** An id for a label and its control. */
export function freshFieldId(): string {
  return `field-${++made}`;
}

type Props = {
  editor: Editor;
  id?: string;
  label: string;
  help?: string;
  required?: boolean;
  problems?: readonly Problem[];
  children: ComponentChildren;
  aside?: ComponentChildren;
  /** Several controls: the label names their group. */
  group?: boolean;
};

export function Field({ editor, id, label, help, required, problems = [], children, aside, group }: Props) {
  const title = (
    <>
      {label}
      {required && <span class="required" title={T("Needed")} aria-label={T("needed")}>*</span>}
    </>
  );
  return (
    <div
      class={`field ${problems.some((one) => one.level === "error") ? "wrong" : ""}`}
      role={group ? "group" : undefined}
      aria-labelledby={group && id ? `${id}-label` : undefined}
    >
      <div class="field-head">
        {group
          ? <span class="label" id={id && `${id}-label`}>{title}</span>
          : <label for={id}>{title}</label>}
        {aside}
      </div>
      {children}
      <ProblemList editor={editor} problems={problems} />
      {help && <p class="help" id={id && `${id}-help`}>{help}</p>}
    </div>
  );
}

export function ProblemList({ editor, problems }: { editor: Editor; problems: readonly Problem[] }) {
  return (
    <>
      {problems.map((problem) => (
        <div
          class={`problem ${problem.level}`}
          key={`${problem.part.join(".")}${problem.code}${problem.column}`}
        >
          <Icon name={problem.level === "error" ? "error" : "warning"} size={14} />
          <span>
            {problem.message} {problem.suggestion}
            <Fixes editor={editor} problem={problem} />
          </span>
        </div>
      ))}
    </>
  );
}

export function Fixes({ editor, problem }: { editor: Editor; problem: Problem }) {
  return (
    <>
      {problem.fixes.map((fix, at) => (
        <button
          type="button"
          class="fix"
          key={at}
          onClick={() => editor.fix(problem, fix)}
        >
          {fix.do === "remove"
            ? T("Take it away")
            : problem.code === "path_input"
            ? T("Add the input {name}", { name: fix.name })
            : T("Use {name}", { name: fix.name })}
        </button>
      ))}
    </>
  );
}
