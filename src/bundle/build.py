"""Build the package: build/function/ and build/function.zip for one runtime (docs/understand/performance.md)."""

import sys
from pathlib import Path

from bundle import archive, bytecode, checks, contents, digests, distributions, sdk, smoke
from bundle.runtimes import VARIABLE, Runtime, interpreter

ROOT = Path(__file__).resolve().parents[2]


def build(
    wanted: Runtime, source: Path, constraints: Path, cache: Path, out: Path, *, known: Path | None = None
) -> None:
    """Build into ``out`` and ``out``.zip, check, report. Raises BuildError, leaving what was there before as it was."""
    sys.path.insert(0, str(source))  # the models are imported from there
    found = distributions.fetch(
        wanted, distributions.pins(constraints), cache / wanted.name, digests.known(known or digests.FILE)
    )
    of_sdk, shaken = contents.of_sdk(found, source)
    files = {**contents.of_function(source), **of_sdk, **contents.of_pydantic(found, source)}
    checks.check_source(files, wanted)
    checks.check_compiled(files, wanted)
    program = interpreter(wanted)
    if program:
        files |= bytecode.compiled(files, program)
    files |= contents.of_licences(found)
    of_compiled = [data for path, data in files.items() if path.endswith(".so")]
    calls = sdk.calls(shaken.sources["alibabacloud_ecs20140526.client"])
    facts = {
        "runtime": wanted.name,
        "python": wanted.dotted,
        "byte-code": f"Python {wanted.dotted}" if program else "none",
        "glibc": "{}.{}".format(*max(map(checks.newest_glibc, of_compiled))),
        "ecs-calls": " ".join(call.removesuffix("_with_options") for call in calls),
    }
    files[archive.MANIFEST] = archive.manifest(files, found, facts)
    fresh = out.with_name(out.name + ".new")
    archive.write(files, fresh)
    loaded = smoke.run(fresh, program) if program and wanted.runs_here else []
    archive.replace(fresh, out)
    archive.pack(files, out.with_name(out.name + ".zip"))
    _report(wanted, out, len(files), len(loaded), program)


def _report(wanted: Runtime, out: Path, files: int, loaded: int, program: str | None) -> None:
    size = out.with_name(out.name + ".zip").stat().st_size / 1e6
    print(f"{out}.zip: {size:.2f} MB, {files} files, for {wanted.name}")
    if program and not wanted.runs_here:
        print(f"not run, only checked: its compiled modules are for {wanted.platform}, and this machine is another")
        return
    if program:
        print(f"ran once by Python {wanted.dotted}, clean: {loaded} modules, none from outside the package")
        return
    print(
        f"WARNING: no Python {wanted.dotted} on this machine: NO BYTE CODE is packed, so every cold start compiles, "
        f"and the package WAS NOT RUN, only checked statically. Put python{wanted.dotted} on PATH, or name one in "
        f"{VARIABLE}.",
        file=sys.stderr,
    )
