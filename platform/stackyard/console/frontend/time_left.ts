/** How long something will still take, as people say it: never more exact than it is known. */
import { T, TN } from "./words.ts";

export function secondsLeft(seconds: number): string {
  if (seconds < 2) return T("almost done");
  if (seconds < 90) return TN("about {count} second left", "about {count} seconds left", Math.round(seconds));
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return TN("about {count} minute left", "about {count} minutes left", minutes);
  return TN("about {count} hour left", "about {count} hours left", Math.round(minutes / 60));
}
