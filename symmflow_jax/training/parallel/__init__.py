"""Distribution of training over devices: placement of arrays, compilation of the step."""
