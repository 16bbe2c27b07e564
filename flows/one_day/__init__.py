"""One therapy day counted from the command line (`minutewise units`)."""
