"""Alibaba Cloud Tablestore (OTS): the few operations that a ledger needs, encoded and signed here.

``client`` makes the calls, ``outcome`` says what an error means for the write that met it. ``rows`` holds what callers
give and get. The official client costs a cold start more than all else together (docs/understand/performance.md).
"""
