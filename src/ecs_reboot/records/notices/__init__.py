"""Notices: what a person should hear of, told in the chat. Loaded only where `NOTIFY` is set.

Pure: ``composition`` (which results make which messages), ``memory`` (each sent once, with a limit a minute), and each
service's form of a message. ``delivery`` posts them, beside the work and never before it.
"""
