"""What a machine shows before it is rebooted, kept for whoever asks afterwards why."""
