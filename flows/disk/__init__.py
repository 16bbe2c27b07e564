"""The file system: durable writes, locks, access rights, temporary files, and faults that tests inject."""
