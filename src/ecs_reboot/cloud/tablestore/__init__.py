"""Alibaba Cloud Tablestore (OTS): the few operations that a ledger needs, encoded and signed here.

``client`` makes the calls, ``outcome`` says what an error means for the write that met it. ``rows`` holds what callers
give and get. The official client would cost a cold start more than everything else together (docs/performance.md).
"""
