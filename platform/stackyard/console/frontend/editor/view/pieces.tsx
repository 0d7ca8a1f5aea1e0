/** Pieces of a sentence as pills and words. Everything is text; nothing is ever put into the page as HTML. */
import type { Piece } from "../model/sentences.ts";

export function Pieces({ pieces }: { pieces: readonly Piece[] }) {
  return <>{pieces.map((piece, at) => <One key={at} piece={piece} before={pieces[at - 1]} />)}</>;
}

function One({ piece, before }: { piece: Piece; before: Piece | undefined }) {
  if (piece.kind === "text") return <>{piece.text}</>;
  const gap = before && before.kind !== "text" && piece.kind !== "filter" && before.text !== "(" &&
    piece.text !== ")";
  return (
    <>
      {gap ? " " : ""}
      <span class={`piece is-${piece.kind}`}>{piece.text}</span>
    </>
  );
}
