"""The ECS API, version 2014-05-26, as far as rebooting, tagging and describing instances needs it."""
