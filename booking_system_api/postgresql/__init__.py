"""Django's database backend for PostgreSQL, with a cheaper look at kept connections and with an end to waits in vain.

`ENGINE` names this package.
"""
