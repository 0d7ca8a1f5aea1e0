// Runs when process_daily_orders has succeeded; input.result is what that returned.
interface Line {
  id: number;
  total: number;
}

const lines: Line[] = input.result.report;
const sum = lines.reduce((total, line) => total + line.total, 0);
const money = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

const text = [
  `${env.SHOP_NAME}: ${lines.length} orders since yesterday, ${money.format(sum)} in total.`,
  ...lines.map((line) => `  order ${line.id}: ${money.format(line.total)}`),
].join("\n");

await email.send({ to: env.REPORT_EMAIL, subject: `Orders of ${env.SHOP_NAME}`, text });
return { orders: lines.length, sum };
