"""Django's database backend for PostgreSQL, with a cheaper look at kept connections; `ENGINE` names this package."""
