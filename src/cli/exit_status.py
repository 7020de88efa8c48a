"""How commands end: the statuses, and the errors that a user can cause: printed as a sentence, not a traceback."""

from collections.abc import Iterator

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130

MEANINGS = {
    DONE: "done; also when whoever read the output stopped reading, and when invoke's function rejected the event",
    FAILED: (
        "failed: the function raised (or with --strict rejected the event), a check found mistakes, "
        "a record could not be read, the stack is not as it should be"
    ),
    WRONG: "called wrongly: an option, a setting, a parameter or a file that can't be used; nothing was done",
    INTERRUPTED: "interrupted (Ctrl-C)",
}

#: Errors that are sentences for the user, by their full name (so that none is imported before it can happen).
STATUS_OF = {
    "acceptance.run.CutShort": FAILED,
    "acceptance.run.UnknownCheck": WRONG,
    "bundle.BuildError": FAILED,
    "bundle.runtimes.WrongRuntime": WRONG,
    "cli.options.Mistake": WRONG,
    "cloud_languages.template.document.UnreadableTemplate": FAILED,
    "cloud_languages.template.parameters.WrongParameters": WRONG,
    "cloud_languages.template.render.CircularTemplate": FAILED,
    "localcloud.account.declaration_errors.DeclarationError": WRONG,
    "localcloud.commands.deployed.NotDeployed": WRONG,
    "localcloud.functioncompute.function.InvalidFunction": WRONG,
    "simulation.mutate.UnknownMutant": WRONG,
    "simulation.report.UnknownAssumption": WRONG,
    "exploration.report.UnknownAssumption": WRONG,
    "exploration.report.UnknownScenario": WRONG,
    "exploration.side_by_side.ProcessKilled": FAILED,
    "stack.clients.NoCredentials": FAILED,
    "stack.code.NotUploaded": FAILED,
    "stack.deploy.NotDeployable": FAILED,
    "stack.generate.BlockMissing": FAILED,
    "stack.ledger.LedgerUnseen": FAILED,
    "stack.stacks.StackFailed": FAILED,
    "terminal.key_values.UsageError": WRONG,
    "builtins.OSError": FAILED,
}


def status_of(error: BaseException) -> int | None:
    """Return the exit status of an error that a user can cause; None for a mistake in this program."""
    return next((STATUS_OF[name] for name in _names(error) if name in STATUS_OF), None)


def sentence(error: BaseException) -> str:
    """Return the error in words. The file comes first where the system names one."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def table() -> str:
    """Return the statuses as lines of text."""
    return "\n".join(f"  {status:<5}{meaning}" for status, meaning in MEANINGS.items())


def _names(error: BaseException) -> Iterator[str]:
    for kind in type(error).__mro__:
        yield f"{kind.__module__}.{kind.__qualname__}"
