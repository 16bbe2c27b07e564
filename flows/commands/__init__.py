"""The commands of the command line, one module a command. Heavy libraries are imported where a command needs them."""
