const messages = await db.query("messages", { created_at: { $gte: yesterday } }, { sort: ["topic", "id"] });
if (messages.length === 0) return { messages: 0, mailed: false };

const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
const byTopic = Object.groupBy(messages, (message) => message.topic);
const topics = Object.entries(byTopic).map(([topic, found]) => ({ topic, found: found ?? [] }));

const text = topics.map(({ topic, found }) =>
  [`${topic} (${found.length})`, ...found.map((message) => `  ${message.author}: ${message.text}`)].join("\n")
).join("\n\n");
const html = topics.map(({ topic, found }) =>
  `<h2>${escaped(topic)}</h2><ul>${
    found.map((message) => `<li><b>${escaped(message.author)}</b> ${escaped(message.text)}</li>`).join("")
  }</ul>`
).join("");
const csv = messages.map((message) => [message.topic, message.author, message.text].map(cell).join()).join("\r\n");

const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "Europe/Berlin" }).format(now);
const subject = `${messages.length} messages about ${topics.length} topics, ${day}`;
const attachments = [{ name: "messages.csv", content: `topic,author,text\r\n${csv}\r\n`, type: "text/csv" }];
const { recipients } = await email.send({ to: env.DIGEST_TO, subject, text, html, attachments });
return { messages: messages.length, mailed: recipients.length > 0 };
