"""``ratiopath demo``: the tutorial on one slide, which is generated unless the user gives one."""
