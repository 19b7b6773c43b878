# `make demo` and `make test` are all a newcomer needs; every target makes .venv itself.
