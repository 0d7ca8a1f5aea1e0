const TRIES = 5, LONGEST_WAIT_SECONDS = 10;
const sleep = (seconds: number) => new Promise((done) => setTimeout(done, seconds * 1000));

/** How long to wait: what the CRM asks for (RFC 9110 §10.2.3, seconds or a date), else twice as long each time, with jitter. */
function waitSeconds(answer: Response | null, attempt: number): number {
  const asked = answer?.headers.get("retry-after");
  if (asked) {
    const seconds = /^\d+$/.test(asked) ? Number(asked) : (Date.parse(asked) - Date.now()) / 1000;
    if (seconds >= 0) return Math.min(seconds, LONGEST_WAIT_SECONDS);
  }
  return Math.min(0.25 * 2 ** attempt, LONGEST_WAIT_SECONDS) * (0.5 + Math.random() / 2);
}

/** PUT under an id of ours that never changes: what was sent already, and its answer lost, may be sent again. */
async function send(contact: { id: number; name: string; email: string }): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(`${env.CRM_URL}/contacts/stackyard-${contact.id}`, {
      method: "PUT",
      headers: { Authorization: `Bearer ${env.CRM_TOKEN}`, "Content-Type": "application/json" },
      body: JSON.stringify({ name: contact.name, email: contact.email }),
      signal: AbortSignal.timeout(10_000),
    }).catch((error) => {
      log.warn(`${contact.email}: ${error.message}`);
      return null;
    });
    const isTransient = answer === null || answer.status === 429 || answer.status >= 500;
    if (!isTransient) return answer;
    if (attempt + 1 >= TRIES) throw new Error(`The CRM does not take ${contact.email}: ${answer?.status ?? "no answer"}`);
    const seconds = waitSeconds(answer, attempt);
    log(`${contact.email}: ${answer?.status ?? "no answer"}, again in ${seconds.toFixed(2)} s`);
    await sleep(seconds);
  }
}

const contacts = await db.query("contacts", { is_synced: false }, { sort: "id", page: 1, perPage: 200 });
let sent = 0, refused = 0;
for (const contact of contacts.items) {
  const answer = await send(contact);
  if (answer.status === 401 || answer.status === 403) throw new Error("The CRM does not let us in: check CRM_TOKEN.");
  // What is noted here at once, the next attempt need not do again.
  const problem = answer.ok ? null : `${answer.status} ${await answer.text()}`.slice(0, 300);
  await db.patch("contacts", contact.id, { is_synced: true, synced_at: new Date(), problem });
  if (answer.ok) sent++;
  else refused++;
}
return { sent, refused, left: contacts.nextPage !== null };
