"""The fixtures of these tests, for pytest to find."""

from contract_fixtures import (
    ansible_modules,
    claimed_calls,
    node_program,
    package,
    served,
    server,
    shared,
    shared_serve,
)

__all__ = ["ansible_modules", "claimed_calls", "node_program", "package", "served", "server", "shared", "shared_serve"]
