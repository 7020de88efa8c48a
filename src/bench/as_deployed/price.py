"""What a run costs, after Function Compute's price list ("Billing overview", 3.0, first tier, outside China)."""

#: Compute units a second: of one vCPU in use, of one GB; and of one call.
VCPU_SECOND, GB_SECOND, CALL = 1.0, 0.15, 0.0075
DOLLARS_A_UNIT = 0.000020


def dollars_a_million(vcpu: float, memory_mb: int, seconds: float) -> float:
    """Return the price of a million runs. Billed is the size that was asked for, whether it computes or waits."""
    units = CALL + seconds * (vcpu * VCPU_SECOND + memory_mb / 1024 * GB_SECOND)
    return units * DOLLARS_A_UNIT * 1e6
