/** Calls to the console's own addresses: with the CSRF token, JSON both ways, faults as one kind of error. */
import { T } from "./words.ts";

/** What the server says went wrong, in its words (a Problem), or what kept it from being asked. */
export class Refused extends Error {
  constructor(
    /** 0 when the server could not be reached; 401 when the login has ended. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly suggestion = "",
    /** One entry per fault of what was sent, as the contract has them: field, code, message. */
    readonly details: Detail[] = [],
    readonly body: unknown = null,
  ) {
    super(message);
    this.name = "Refused";
  }
}

export type Detail = { field?: string; code?: string; message: string };

type ErrorBody = { error?: { code?: string; message?: string; suggestion?: string; details?: Detail[] } };

/** The token of the page's forms: Django's cookie is unreadable for scripts, every page has it in a form. */
function csrfToken(): string {
  return document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ?? "";
}

export async function get<Answer>(url: string, signal?: AbortSignal): Promise<Answer> {
  return await ask<Answer>(url, { method: "GET", signal });
}

export async function send<Answer>(
  method: string,
  url: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Answer> {
  return await ask<Answer>(url, {
    method,
    signal,
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

async function ask<Answer>(url: string, options: RequestInit): Promise<Answer> {
  let response: Response;
  try {
    const headers = { Accept: "application/json", ...options.headers };
    response = await fetch(url, { credentials: "same-origin", redirect: "manual", ...options, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(
      0,
      "OFFLINE",
      T("The server could not be reached."),
      T("Check the connection, then try again."),
    );
  }
  // The console sends whoever is not signed in to the login page.
  if (response.type === "opaqueredirect" || response.status === 401) {
    throw new Refused(
      401,
      "SIGNED_OUT",
      T("You are signed out."),
      T("Sign in again in another tab; nothing here is lost."),
    );
  }
  const text = await response.text();
  const body = parsed(text);
  if (response.ok) return body as Answer;
  const said = (body as ErrorBody | null)?.error;
  throw new Refused(
    response.status,
    said?.code ?? "FAILED",
    said?.message ?? T("The server answered with an error ({status}).", { status: response.status }),
    said?.suggestion ?? "",
    said?.details ?? [],
    body,
  );
}

function parsed(text: string): unknown {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
