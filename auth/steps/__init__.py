"""Steps about who calls: passwords, tokens."""
