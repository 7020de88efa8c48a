"""All checks that hold for every template, in the order in which their findings help most."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from cloud_languages.finding import Finding
from cloud_languages.template import properties, references, structure
from cloud_languages.template.document import Document, as_json, read

TEMPLATE_BYTES = 512 * 1024
MOST_RESOURCES = 300
#: Texts whose findings are remembered, by each check.
_REMEMBERED = 8


def check(document: Document) -> list[Finding]:
    """Return everything that is wrong with the form, the names and the properties; empty if nothing is."""
    findings = list(structure.check(document))
    if not isinstance(document.get("Resources"), dict) or not document["Resources"]:
        return findings
    return [*findings, *references.check(document), *properties.check(document), *_size(document)]


def by_text(check: Callable[[Document], Sequence[Finding]]) -> Callable[[str], tuple[Finding, ...]]:
    """Return a check of texts that remembers the last few: one deployment has the same one looked at several times.

    The check that is returned raises UnreadableTemplate.
    """

    @lru_cache(maxsize=_REMEMBERED)
    def of_text(text: str) -> tuple[Finding, ...]:
        return tuple(check(read(text)))

    return of_text


def _size(document: Document) -> list[Finding]:
    findings = []
    size, count = len(as_json(document).encode()), len(document["Resources"])
    if size > TEMPLATE_BYTES:
        findings.append(Finding("the template", size, f"ROS takes {TEMPLATE_BYTES} bytes; put the code into OSS"))
    if count > MOST_RESOURCES:
        findings.append(Finding("Resources", count, f"ROS takes {MOST_RESOURCES} resources a stack"))
    return findings
