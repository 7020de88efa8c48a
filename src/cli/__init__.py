"""The one command line, ``ecs-reboot``: what each command takes, and how it ends."""
