"""How the console writes dates and numbers, by language."""
