"""``python -m bundle``: build/function/ and build/function.zip for one runtime (docs/performance.md)."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bundle import BuildError, archive, bytecode, checks, contents, distributions, sdk, smoke
from bundle.runtimes import VARIABLE, Runtime, interpreter, runtime

ROOT = Path(__file__).resolve().parents[2]
#: What template.yml deploys to by default.
DEFAULT = "python3.10"


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, check and report; returns the exit status."""
    options = _parser().parse_args(arguments)
    sys.path.insert(0, str(options.source))
    try:
        build(runtime(options.runtime), options.source, options.constraints, options.cache, options.out)
    except BuildError as error:
        sys.stderr.write(f"build: {error}\n")
        return 1
    return 0


def build(wanted: Runtime, source: Path, constraints: Path, cache: Path, out: Path) -> None:
    """Build into ``out`` and ``out``.zip. Raises BuildError, leaving what was there before as it was."""
    found = distributions.fetch(wanted, distributions.pins(constraints), cache / wanted.name)
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
        "ecs-calls": " ".join(one.removesuffix("_with_options") for one in calls),
    }
    files[archive.MANIFEST] = archive.manifest(files, found, facts)
    fresh = out.with_name(out.name + ".new")
    archive.write(files, fresh)
    loaded = smoke.run(fresh, program) if program else []
    archive.replace(fresh, out)
    archive.pack(files, out.with_name(out.name + ".zip"))
    _report(wanted, out, len(files), len(loaded), compiled=bool(program))


def _report(wanted: Runtime, out: Path, files: int, loaded: int, *, compiled: bool) -> None:
    size = out.with_name(out.name + ".zip").stat().st_size / 1e6
    print(f"{out}.zip: {size:.2f} MB, {files} files, for {wanted.name}")
    if compiled:
        print(f"ran once by Python {wanted.dotted}, clean: {loaded} modules, none from outside the package")
        return
    print(
        f"WARNING: no Python {wanted.dotted} on this machine: NO BYTE CODE is packed, so every cold start compiles, "
        f"and the package WAS NOT RUN, only checked statically. Put python{wanted.dotted} on PATH, or name one in "
        f"{VARIABLE}.",
        file=sys.stderr,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bundle", description="Build the package that is deployed.")
    parser.add_argument(
        "--runtime", default=os.environ.get("RUNTIME") or DEFAULT, help="python3.10, python3.12 or host"
    )
    parser.add_argument("--source", type=Path, default=ROOT / "src", help="holds ecs_reboot/")
    parser.add_argument("--constraints", type=Path, default=ROOT / "constraints.txt", help="the pinned versions")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "wheels", help="where fetched packages are kept")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "build" / "function", help="directory; the zip goes beside it"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
