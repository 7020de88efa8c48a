"""The languages that configure Alibaba Cloud: ROS templates, RAM policies, timer expressions, event patterns."""
