"""Auto Scaling, version 2022-02-22: groups, their members, and what happens to members that are not Running."""
