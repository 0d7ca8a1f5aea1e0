// Example Lambda code
const orders = await db.query('orders', {
  created_at: { $gte: yesterday }
});

const report = orders.map(order => ({
  id: order.id,
  total: order.items.reduce((sum, item) => sum + item.price, 0)
}));

return { success: true, report };
