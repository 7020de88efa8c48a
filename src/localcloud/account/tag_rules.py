"""What ECS takes as a tag."""

MAX_TAGS = 20
MAX_CHARACTERS = 128
RESERVED_KEY_PREFIXES = ("acs:", "aliyun")
LINKS = ("http://", "https://")


def key_mistake(key: str) -> str:
    """Return what is wrong with a tag key; empty if nothing is."""
    if not key:
        return "a tag key is empty"
    if len(key) > MAX_CHARACTERS:
        return f"a tag key has {len(key)} characters, {MAX_CHARACTERS} are allowed"
    if key.startswith(RESERVED_KEY_PREFIXES):
        return f"tag key {key!r} starts with a reserved word ({', '.join(RESERVED_KEY_PREFIXES)})"
    if any(link in key for link in LINKS):
        return f"tag key {key!r} contains http:// or https://"
    return ""


def value_mistake(value: str) -> str:
    """Return what is wrong with a tag value; empty if nothing is."""
    if len(value) > MAX_CHARACTERS:
        return f"a tag value has {len(value)} characters, {MAX_CHARACTERS} are allowed"
    if any(link in value for link in LINKS):
        return f"tag value {value!r} contains http:// or https://"
    return ""
