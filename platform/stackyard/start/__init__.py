"""How an installation comes up: the environment, the stages of `make up`, and the supervisor of its processes."""
