"""Resource Orchestration Service: stacks that are really made, in the local cloud, from a template."""
