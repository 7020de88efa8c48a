"""ROS templates: reading, parameters, functions, what a stack has, and the checks that hold for every template."""
