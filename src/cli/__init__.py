"""The one command line, ``ecs-reboot``: what each command takes, and what a shell is told of its end."""
