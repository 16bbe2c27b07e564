"""`minutewise explain`: one finding derived again from the published run, and told so that a pencil can follow."""
