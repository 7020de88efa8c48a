"""All checks that hold for every template, in the order in which their findings help most."""

from cloud_languages.finding import Finding
from cloud_languages.template import properties, references, structure
from cloud_languages.template.document import Document, as_json

TEMPLATE_BYTES = 512 * 1024
MOST_RESOURCES = 300


def check(document: Document) -> list[Finding]:
    """Return everything that is wrong with the form, the names and the properties; empty if nothing is."""
    findings = list(structure.check(document))
    if not isinstance(document.get("Resources"), dict) or not document["Resources"]:
        return findings
    return [*findings, *references.check(document), *properties.check(document), *_size(document)]


def _size(document: Document) -> list[Finding]:
    findings = []
    size, count = len(as_json(document).encode()), len(document["Resources"])
    if size > TEMPLATE_BYTES:
        findings.append(Finding("the template", size, f"ROS takes {TEMPLATE_BYTES} bytes; put the code into OSS"))
    if count > MOST_RESOURCES:
        findings.append(Finding("Resources", count, f"ROS takes {MOST_RESOURCES} resources a stack"))
    return findings
