"""Reboots Alibaba Cloud ECS instances in trouble: what is deployed to Function Compute, and nothing else."""
